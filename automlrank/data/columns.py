"""Encoding rules of columns as plain data: ids, numbers, lists, vectors, times.

``name`` is the name of the feature, ``source`` the name of its column in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from automlrank.data.times import as_seconds
from automlrank.data.values import (
    FIRST_ID,
    LARGEST,
    NULL_ID,
    Array,
    EncodingError,
    Ragged,
    as_lists,
    as_numbers,
    flatten,
    signed_log,
)

AGES = 40  # buckets of ages: powers of two of seconds


@dataclass(frozen=True)
class IdColumn:
    """One id per row, of the column ``vocabulary``."""

    kind: ClassVar[str] = "id"
    name: str
    source: str
    request: bool
    vocabulary: str


@dataclass(frozen=True)
class NumberColumn:
    """One number per row: ``(f(x) - mean) * scale``; ``f`` is x, its log, or its share of rows.

    ``log`` is ``sign(x) log(1 + |x|)``; with ``points`` f goes through ``(points, shares)``.
    """

    kind: ClassVar[str] = "number"
    name: str
    source: str
    request: bool
    log: bool = False
    mean: float = 0.0
    scale: float = 1.0
    points: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    def apply(self, column: pl.Series) -> Array:
        """``[rows]`` float32; a null is NaN."""
        scaled = (self.unscaled(column) - self.mean) * self.scale
        return np.clip(scaled, -LARGEST, LARGEST).astype(np.float32)

    def unscaled(self, column: pl.Series) -> Array:
        """``f(x)``: ``[rows]`` float64."""
        x = as_numbers(column)
        if self.points:
            return np.where(np.isnan(x), x, np.interp(x, self.points, self.shares))
        return signed_log(x) if self.log else x


@dataclass(frozen=True)
class BucketColumn:
    """The id of a number's range: ``FIRST_ID`` + how many ``edges`` are not above it."""

    kind: ClassVar[str] = "bucket"
    name: str
    source: str
    request: bool
    edges: tuple[float, ...]

    def apply(self, column: pl.Series) -> Array:
        """``[rows]`` int32."""
        x = as_numbers(column)
        ids = FIRST_ID + np.searchsorted(self.edges, x, side="right")
        return np.where(np.isnan(x), NULL_ID, ids).astype(np.int32)


@dataclass(frozen=True)
class BagColumn:
    """Several ids per row, the first ``max_length`` kept; a row without any holds one null id."""

    kind: ClassVar[str] = "bag"
    name: str
    source: str
    request: bool
    vocabulary: str
    separator: str | None = None
    max_length: int = 20

    def lists(self, column: pl.Series) -> pl.Series:
        """The kept values of each row."""
        return as_lists(column, self.separator).list.head(self.max_length)


@dataclass(frozen=True)
class VectorColumn:
    """``size`` numbers per row; a null row is NaN throughout."""

    kind: ClassVar[str] = "vector"
    name: str
    source: str
    request: bool
    size: int
    separator: str | None = None


@dataclass(frozen=True)
class HistoryColumn:
    """Earlier values of the column ``of``, the last ``max_length`` kept; it may be empty."""

    kind: ClassVar[str] = "history"
    name: str
    source: str
    request: bool
    vocabulary: str
    sequence: str
    separator: str | None = None
    max_length: int = 50

    def lists(self, column: pl.Series) -> pl.Series:
        """The kept values of each row, oldest first."""
        return as_lists(column, self.separator).list.tail(self.max_length)


@dataclass(frozen=True)
class TimesColumn:
    """The times of a sequence's behaviours, and the column with the time of the row.

    ``age = 1 + log2(1 + seconds between)``, at most AGES; the first behaviour kept is in session 1,
    and each gap of more than ``session_minutes`` begins another. Units are those of plain numbers.
    """

    kind: ClassVar[str] = "times"
    source: str
    request: bool
    sequence: str
    row: str
    unit: str
    row_unit: str
    separator: str | None = None
    max_length: int = 50
    session_minutes: int = 30

    def apply(self, times: pl.Series, row_times: pl.Series) -> tuple[Ragged, Ragged]:
        """The ages and the sessions; raises EncodingError for a null or unreadable time."""
        flat, starts = flatten(as_lists(times, self.separator).list.tail(self.max_length))
        then = as_seconds(flat.alias(self.source), self.unit)
        now = as_seconds(row_times, self.row_unit)
        row = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        unknown = np.flatnonzero(np.isnan(then) | np.isnan(now[row]))
        if len(unknown):
            where = int(row[unknown[0]])
            name = self.row if np.isnan(now[where]) else self.source
            raise EncodingError(f"column {name!r} must hold times, but one is null.", where)
        gaps = np.log2(1 + np.maximum(now[row] - then, 0.0))
        age = np.minimum(1 + gaps, AGES).astype(np.int32)
        is_first = np.ones(len(then), np.bool_)
        is_first[1:] = row[1:] != row[:-1]
        is_late = np.diff(then, prepend=0.0) > 60 * self.session_minutes
        begun = np.cumsum(is_late & ~is_first, dtype=np.int32)
        before = begun[np.minimum(starts[:-1], max(len(begun) - 1, 0))] if len(begun) else begun
        session = 1 + begun - (before[row] if len(begun) else 0)
        return Ragged(age, starts), Ragged(session.astype(np.int32), starts)


Column = (
    IdColumn | NumberColumn | BucketColumn | BagColumn | VectorColumn | HistoryColumn | TimesColumn
)
KINDS: dict[str, type[Column]] = {
    cls.kind: cls
    for cls in (
        IdColumn,
        NumberColumn,
        BucketColumn,
        BagColumn,
        VectorColumn,
        HistoryColumn,
        TimesColumn,
    )
}


def column_from(kind: str, **values: object) -> Column:
    """A column from its plain data: JSON has lists for tuples."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return KINDS[kind](**given)  # type: ignore[arg-type]
