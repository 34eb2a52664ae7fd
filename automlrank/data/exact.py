"""Expressions for columns of exactly the given names."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import polars.selectors as cs


def column(name: str) -> pl.Expr:
    """The column of exactly this name: ``pl.col`` takes ``*`` and ``^a$`` for patterns."""
    is_pattern = name == "*" or (name.startswith("^") and name.endswith("$"))
    return cs.by_name(name).as_expr() if is_pattern else pl.col(name)


def columns(names: Iterable[str]) -> list[pl.Expr]:
    """The columns of exactly these names."""
    return [column(name) for name in names]
