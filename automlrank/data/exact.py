"""Expressions for columns of exactly the given names."""

from __future__ import annotations

from typing import Any

import polars as pl
import polars.selectors as cs
from polars import functions
from polars.series import series, utils


def column(name: str) -> pl.Expr:
    """The column of exactly this name: ``pl.col`` takes ``*`` and ``^a$`` for patterns."""
    is_pattern = name == "*" or (name.startswith("^") and name.endswith("$"))
    return cs.by_name(name).as_expr() if is_pattern else pl.col(name)


class _Functions:
    """Polars' functions, with columns of exactly the given names."""

    col = staticmethod(column)

    def __getattr__(self, name: str) -> Any:
        return getattr(functions, name)


# Polars runs most methods of a series on F.col(series.name): one named ^a$ would have no values
for module in (utils, series):
    vars(module)["F"] = _Functions()
