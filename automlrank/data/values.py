"""Convert values of columns to one form: text for ids, floats for numbers, and lists.

Values are compared as text, whatever the column's type: ``7``, ``7.0`` and ``"7"`` are the same
value, ``true`` is ``1``, empty text and NaN are null.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import polars as pl

PAD_ID, NULL_ID, OOV_ID, FIRST_ID = 0, 1, 2, 3
LARGEST = 3.4e38  # of float32

Array = np.ndarray[Any, np.dtype[Any]]


class EncodingError(ValueError):
    """A table lacks a column, or holds a value that has no encoding; ``row`` counts from 0."""

    def __init__(self, problem: str, row: int | None = None) -> None:
        self.problem, self.row = problem, row
        super().__init__(problem if row is None else f"row {row + 1}: {problem}")


@contextmanager
def counted_from(start: int) -> Iterator[None]:
    """Errors of a chunk that begins at row ``start`` name the table's row."""
    try:
        yield
    except EncodingError as error:
        row = None if error.row is None else error.row + start
        raise EncodingError(error.problem, row) from None


class Ragged(NamedTuple):
    """Lists, end to end: row ``i`` is ``values[starts[i] : starts[i + 1]]``."""

    values: Array  # [sum of lengths] int32
    starts: Array  # [rows + 1] int64

    def take(self, rows: Array) -> Ragged:
        """The lists of the given rows, in their order."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        shift = np.repeat(self.starts[rows] - starts[:-1], lengths)
        return Ragged(self.values[np.arange(starts[-1]) + shift], starts)

    def pad(self) -> Array:
        """``[rows, longest]`` (at least one wide), filled up with the padding's id."""
        lengths = np.diff(self.starts)
        width = max(1, int(lengths.max(initial=0)))
        padded = np.full((len(lengths), width), PAD_ID, self.values.dtype)
        padded[np.arange(width) < lengths[:, None]] = self.values
        return padded


def text_of(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column's values in their one text form; null, NaN and empty text are null."""
    values = pl.col(name)
    if dtype == pl.Boolean:
        values = values.cast(pl.Int8)
    if dtype.is_decimal():
        values, dtype = values.cast(pl.Float64), pl.Float64()
    text = values.cast(pl.String)
    if dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        text = pl.when(whole.cast(dtype) == values).then(whole.cast(pl.String)).otherwise(text)
        text = pl.when(values.is_not_nan()).then(text)
    is_text = dtype in (pl.String, pl.Categorical, pl.Enum)
    return (pl.when(text != "").then(text) if is_text else text).alias(name)


def as_text(values: pl.Series) -> pl.Series:
    """Values in their one text form."""
    return values.to_frame().select(text_of(values.name, values.dtype)).to_series()


def as_numbers(values: pl.Series) -> Array:
    """``[rows]`` float64, nulls as NaN; raises EncodingError for text and beyond float32."""
    if not (values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null)):
        known = values.drop_nulls()
        if len(known):
            raise EncodingError(
                f"column {values.name!r} must be numeric, but is {values.dtype}, "
                f"such as {known[0]!r:.100}."
            )
        return np.full(len(values), np.nan)  # an empty column of CSV is text
    numbers = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    too_large = np.flatnonzero(np.abs(numbers) > LARGEST)
    if len(too_large):
        first = too_large[0]
        wanted = _within(numbers[first])
        raise EncodingError(
            f"column {values.name!r} must be {wanted}, but is {numbers[first]}.", int(first)
        )
    return numbers


def _within(number: float) -> str:
    """Return the rule that a number breaks which no float32 can hold."""
    return f"at most {LARGEST:g}" if np.isfinite(number) else "finite"


def signed_log(x: Array) -> Array:
    """``sign(x) log(1 + |x|)``."""
    logs: Array = np.sign(x) * np.log1p(np.abs(x))
    return logs


def as_lists(values: pl.Series, separator: str | None) -> pl.Series:
    """Lists from a list column or from text; raises EncodingError for anything else."""
    if isinstance(values.dtype, pl.List):
        return values
    if isinstance(values.dtype, pl.Array):
        return values.arr.to_list()
    if values.dtype == pl.Null:
        return values.cast(pl.List(pl.String))
    if separator is None:
        raise EncodingError(f"column {values.name!r} must hold lists, but is {values.dtype}.")
    text = as_text(values).str.strip_chars()
    items = text.set(text == "", None).str.split(separator)
    return items.list.eval(pl.element().str.strip_chars())


def flatten(lists: pl.Series) -> tuple[pl.Series, Array]:
    """The values of all lists end to end, and where each row starts (``[rows + 1]``)."""
    lengths = lists.list.len().fill_null(0)
    starts = np.concatenate([[0], np.cumsum(lengths.to_numpy(), dtype=np.int64)])
    return lists.filter(lengths > 0).explode(), starts


def as_vectors(values: pl.Series, separator: str | None, size: int) -> Array:
    """``[rows, size]`` float32, a null row as NaN; raises EncodingError for any other length."""
    lists = as_lists(values, separator)
    flat, starts = flatten(lists)
    lengths, known = np.diff(starts), lists.is_not_null().to_numpy()
    wrong = np.flatnonzero(known & (lengths != size))
    if len(wrong):
        row = int(wrong[0])
        raise EncodingError(
            f"column {values.name!r} must hold {size} numbers, but holds {lengths[row]}.", row
        )
    numbers = flat.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    unusual = np.flatnonzero(~(np.abs(numbers) <= LARGEST))
    if len(unusual):
        first = int(unusual[0])
        wanted = _within(numbers[first])
        raise EncodingError(
            f"column {values.name!r} must hold {wanted} numbers, but holds {flat[first]!r}.",
            int(np.searchsorted(starts, first, side="right")) - 1,
        )
    vectors = np.full((len(lists), size), np.nan, np.float32)
    vectors[known] = numbers.reshape(-1, size)
    return vectors


def hashed(text: pl.Series, buckets: int) -> Array:
    """``[rows]`` int32 ids: FNV-1a by 8 bytes with murmur3's finish, the same on every machine."""
    data = text.fill_null("").cast(pl.Binary)
    length = data.bin.size().to_numpy().astype(np.uint64)
    state = np.uint64(14695981039346656037) ^ length
    padded = data.to_frame("b").select(pl.col("b") + pl.lit(b"\0" * 8)).to_series()
    for start in range(0, int(length.max(initial=0)), 8):
        word = padded.bin.slice(start, 8).bin.reinterpret(dtype=pl.UInt64, endianness="little")
        mixed = (state ^ word.fill_null(0).to_numpy()) * np.uint64(1099511628211)
        state = np.where(length > start, mixed ^ (mixed >> np.uint64(32)), state)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        state = (state ^ (state >> np.uint64(33))) * np.uint64(factor)
    state ^= state >> np.uint64(33)
    ids: Array = (state % np.uint64(buckets)).astype(np.int32) + FIRST_ID
    return ids
