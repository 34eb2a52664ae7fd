"""Raw rows in the types that rules look at."""

from __future__ import annotations

import polars as pl

from automlrank.data.values import as_lists, as_numbers
from automlrank.schema import Schema


def with_lists(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Return the rows with lists for the text that the schema reads as lists."""
    separators = {f.source: s for f in schema.features if (s := getattr(f, "separator", None))}
    vectors = {feature.source for feature in schema.of_role("vector")}
    columns = []
    for name, separator in separators.items():
        lists = as_lists(frame[name], separator)
        kind = pl.List(pl.Float64) if name in vectors else lists.dtype
        columns.append(lists.cast(kind, strict=False))
    return frame.with_columns(columns)


def in_seconds(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with durations and times of day as numbers."""
    amounts = [
        pl.Series(name, as_numbers(frame[name]), nan_to_null=True)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Duration) or kind == pl.Time
    ]
    return frame.with_columns(amounts)
