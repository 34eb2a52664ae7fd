"""Forms of columns: the same whatever the order of rows, and whatever stands in others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from automlrank.data.forms import forms_data, forms_from, typed
from automlrank.data.read import open_table
from automlrank.data.table import Table
from automlrank.data.values import as_text
from automlrank.errors import UsageError
from automlrank.schema import Schema, read_schema

from .draws import below, between, chance, names, pick, word
from .frames import column, text
from .judge import Rng

NULLS = (None, None, None, {"nulls": ["-", "NA"]}, {"nulls": {"add": ["999", "x1"]}}, {"nulls": []})


@dataclass(frozen=True)
class FormsCase:
    """A frame, mostly of text, what a schema says of nulls, and an order of its rows."""

    frame: pl.DataFrame
    schema: Schema
    order: pl.Series


def case(rng: Rng) -> FormsCase:
    """Draw columns of text of which a few values are of another kind."""
    rows = between(rng, 1, 200)
    held = {name: _column(rng, rows).alias(name) for name in names(rng, between(rng, 1, 4), 0.1)}
    said = pick(rng, NULLS) or {}
    schema = read_schema({"tasks": {"label": {"kind": "binary"}}, **said})
    return FormsCase(pl.DataFrame(list(held.values())), schema, pl.Series(rng.permutation(rows)))


def _column(rng: Rng, rows: int) -> pl.Series:
    """Text with a few odd values, or now and then any type."""
    if chance(rng, 0.2):
        values = column(rng, rows)
        return values if values.dtype != pl.Object else text(rng, rows)
    values = text(rng, rows).to_list()
    for _ in range(pick(rng, (0, 0, 1, 2, 5))):
        values[below(rng, rows)] = word(rng, 1.0)
    return pl.Series(values, dtype=pl.String)


def attempt(case: FormsCase, folder: Path) -> Table:
    """Open the frame."""
    with open_table(case.frame, schema=case.schema) as table:
        return table


def refused(case: FormsCase, error: UsageError, folder: Path) -> None:
    """A frame with rows and names that differ is read, whatever its values."""
    raise AssertionError(f"a frame is refused: {error}")


def hold(case: FormsCase, table: Table, folder: Path) -> None:
    """Check the forms, and what they make of all rows and of some."""
    assert forms_from(forms_data(table.forms)) == table.forms
    with open_table(case.frame[case.order], schema=case.schema) as shuffled:
        assert shuffled.forms == table.forms
    whole = typed(case.frame, table.forms)
    same(typed(whole, table.forms), whole, "read twice")
    half = slice(0, (case.frame.height + 1) // 2)
    same(typed(case.frame[half], table.forms), whole[half], "half of the rows")
    same(typed(case.frame[case.order], table.forms), whole[case.order], "in another order")
    same(table.scan.collect(), whole, "as the table has them", nulls=True)


def same(found: pl.DataFrame, known: pl.DataFrame, what: str, nulls: bool = False) -> None:
    """Check that values have the same text; what does not fit may be null in the one."""
    for name in known.columns:
        if known[name].dtype.is_nested() or known[name].dtype == pl.Binary:
            continue
        mine, theirs = as_text(found[name]), as_text(known[name])
        differ = mine.ne_missing(theirs)
        if nulls:
            differ &= mine.is_not_null()
        assert not differ.any(), (what, name, mine.filter(differ)[0], theirs.filter(differ)[0])
