"""Summaries of columns: distinct values, nulls, minimum and maximum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from automlrank.data.check import is_list, is_number, is_plain
from automlrank.data.exact import column
from automlrank.data.table import Table
from automlrank.data.union import item_of


@dataclass(frozen=True)
class Summary:
    """Summary of a column; values inside lists count as distinct, NaN counts as null."""

    distinct: int
    nulls: int
    low: Any = None
    high: Any = None
    binary: bool = False
    """Nothing but 0 and 1, and both."""
    whole: bool = False
    """Nothing but whole numbers."""


def binary_columns(table: Table) -> tuple[str, ...]:
    """The columns that may be a binary label: numbers, nothing but 0 and 1, and both."""
    found = _one_pass(table, [name for name, kind in table.schema.items() if is_number(kind)])
    return tuple(name for name in found if found[name]["binary"])


def summarize(table: Table, names: Iterable[str]) -> dict[str, Summary]:
    """Summarise columns: one pass for all, then one for the distinct values of each."""
    found = _one_pass(table, names)
    return {
        name: Summary(distinct=distinct_values(table, name), **values)
        for name, values in found.items()
    }


def _one_pass(table: Table, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Nulls, lowest and highest value, and whether a column is binary, for each column."""
    wanted: dict[str, dict[str, pl.Expr]] = {
        name: _measures(name, table.schema[name]) for name in names
    }
    named = {(name, key): expr for name, of in wanted.items() for key, expr in of.items()}
    exprs = [expr.alias(str(i)) for i, expr in enumerate(named.values())]
    row = table.select(*exprs).row(0) if exprs else ()
    found: dict[str, dict[str, Any]] = {name: {} for name in wanted}
    for (name, key), value in zip(named, row, strict=True):
        found[name][key] = value
    for values in found.values():
        only = values.pop("zeros_and_ones", False)
        values["binary"] = bool(only) and values["low"] != values["high"]
        values["whole"] = bool(values.get("whole")) and values["low"] is not None
    return found


def _measures(name: str, kind: pl.DataType) -> dict[str, pl.Expr]:
    column = plain(name, kind)
    measures = {"nulls": column.null_count().cast(pl.Int64)}
    if kind.is_numeric() or kind == pl.Boolean:
        known = column.drop_nulls()
        measures |= {"low": known.min(), "high": known.max()}
        measures["zeros_and_ones"] = known.cast(pl.Float64).is_in([0.0, 1.0]).all()
        measures["whole"] = (known.round() == known).all() if _has_fractions(kind) else pl.lit(True)
    elif kind in (pl.String, pl.Categorical, pl.Enum):
        known = column.drop_nulls()
        measures |= {"low": known.min(), "high": known.max()}
        measures["zeros_and_ones"] = known.is_in(["0", "1"]).all()
    return measures


def _has_fractions(kind: pl.DataType) -> bool:
    return kind.is_float() or kind.is_decimal()


def plain(name: str, kind: pl.DataType) -> pl.Expr:
    """Categories as text, NaN as null."""
    if kind in (pl.Categorical, pl.Enum):
        return column(name).cast(pl.String)
    return column(name).fill_nan(None) if kind.is_float() else column(name)


def distinct_values(table: Table, name: str) -> int:
    """Distinct values, those inside of lists; 0 where they cannot be compared."""
    kind, column = table.schema[name], plain(name, table.schema[name])
    if is_list(kind):
        column, kind = items_of(name), item_of(kind)
    if not is_plain(kind):
        return 0
    return int(table.select(column.drop_nulls().n_unique()).item())


def items_of(name: str) -> pl.Expr:
    """The values inside of a column's lists, end to end."""
    return column(name).drop_nulls().explode()
