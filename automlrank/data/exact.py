"""Expressions for columns of exactly the given names."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace

import polars as pl
import polars.selectors as cs
from polars.series import utils


def column(name: str) -> pl.Expr:
    """The column of exactly this name: ``pl.col`` takes ``*`` and ``^a$`` for patterns."""
    is_pattern = name == "*" or (name.startswith("^") and name.endswith("$"))
    return cs.by_name(name).as_expr() if is_pattern else pl.col(name)


def columns(names: Iterable[str]) -> list[pl.Expr]:
    """The columns of exactly these names."""
    return [column(name) for name in names]


# Polars runs most methods of a series on pl.col(series.name): one named ^a$ would have no values
vars(utils)["F"] = SimpleNamespace(col=column)
