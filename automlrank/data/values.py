"""Convert values of columns to one form: text for ids, floats for numbers, and lists.

Values are compared as text, whatever the column's type: ``7``, ``7.0``, ``"7"`` and ``"7.0"`` are
the same value, ``true`` is ``1``, blanks around text are no part of it, empty text and NaN are
null. ``spelled`` is the only function that gives a value its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from automlrank.data.exact import column

PAD_ID, NULL_ID, OOV_ID, FIRST_ID = 0, 1, 2, 3
TEXT = (pl.String, pl.Categorical, pl.Enum)
BLANKS = " \t\r\n"
LARGEST = 3.4e38  # of float32
NANOSECONDS = 1e9  # per second
PRINTED = r"(?s)^(?:\[.*\]|\{[^{}:]*\}|\((?:[^()]*,[^()]*)?\))$"
"""Lists as they are printed: [1, 2], {1,2} and (1, 2); (none) is a word."""
WHOLE_FLOAT = r"^(-?(?:0|[1-9]\d*))\.0+$"  # 7.0 is 7; 007.0 is a code
TRUTH = {
    form: digit
    for word, digit in (("true", "1"), ("false", "0"))
    for form in (word, word.title(), word.upper())
}

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
    return spelled(column(name), dtype).alias(name)


def spelled(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Values of a type in their one text form; a duration is its seconds."""
    if dtype in TEXT:
        return _text_of_text(values.cast(pl.String))
    if isinstance(dtype, pl.Duration):
        values, dtype = values.dt.total_nanoseconds() / NANOSECONDS, pl.Float64()
    if dtype.is_float():
        return _text_of_floats(values, dtype)
    if dtype.is_decimal():
        return _without_zeros(values.cast(pl.String))
    if isinstance(dtype, pl.Datetime):
        return _text_of_times(values, dtype)
    return (values.cast(pl.Int8) if dtype == pl.Boolean else values).cast(pl.String)


def as_text(values: pl.Series) -> pl.Series:
    """Values in their one text form."""
    return values.to_frame().select(text_of(values.name, values.dtype)).to_series()


def stored_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Text as it stands, which is nearly always in the one form; other values in that form."""
    return column(name).alias(name) if dtype == pl.String else text_of(name, dtype)


def _text_of_text(text: pl.Expr) -> pl.Expr:
    text = text.str.strip_chars().str.replace(WHOLE_FLOAT, "$1")
    return text.replace({**TRUTH, "-0": "0", "": None})  # when(text != "") would make it twice


def _text_of_floats(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    whole = values.cast(pl.Int64, strict=False)
    text = pl.when(whole.cast(dtype) == values).then(whole.cast(pl.String))
    return pl.when(values.is_not_nan()).then(text.otherwise(values.cast(pl.String)))


def _text_of_times(values: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    """A moment of UTC; midnight is the day, as a date is."""
    if dtype.time_zone:
        values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    text = values.cast(pl.Datetime("us")).cast(pl.String).str.strip_suffix(" 00:00:00.000000")
    return text.str.strip_suffix(".000000")


def _without_zeros(decimals: pl.Expr) -> pl.Expr:
    """The exact digits of decimals, without zeros at the end of a fraction."""
    fraction = decimals.str.contains(".", literal=True)
    short = decimals.str.strip_chars_end("0").str.strip_suffix(".")
    return pl.when(fraction).then(short).otherwise(decimals)


def as_numbers(values: pl.Series) -> Array:
    """``[rows]`` float64, nulls as NaN, durations and times of day as seconds.

    Raises EncodingError for text that is no number, for other types, and beyond float32.
    """
    numbers = _floats(values).fill_null(float("nan")).to_numpy()
    too_large = np.flatnonzero(np.abs(numbers) > LARGEST)
    if len(too_large):
        first = too_large[0]
        wanted = within(numbers[first])
        raise EncodingError(
            f"column {values.name!r} must be {wanted}, but is {numbers[first]}.", int(first)
        )
    return numbers


def _floats(values: pl.Series) -> pl.Series:
    """Values as float64; raises EncodingError with the first value that is no number."""
    if values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null):
        return values.cast(pl.Float64)
    if isinstance(values.dtype, pl.Duration):
        return values.dt.total_nanoseconds() / NANOSECONDS
    if values.dtype == pl.Time:
        return values.cast(pl.Int64) / NANOSECONDS
    if values.dtype in TEXT:
        text = as_text(values)
        numbers = text.cast(pl.Float64, strict=False)
        odd = (numbers.is_null() & text.is_not_null()).arg_max()
        if numbers.null_count() == text.null_count() or odd is None:
            return numbers
        raise EncodingError(
            f"column {values.name!r} must be numeric, but holds {values[odd]!r:.100}.", odd
        )
    known = values.drop_nulls()
    if len(known):
        raise EncodingError(
            f"column {values.name!r} must be numeric, but is {values.dtype}, "
            f"such as {' '.join(str(known[0]).split()):.100}."
        )
    return pl.Series(values.name, [None] * len(values), pl.Float64)


def within(number: float) -> str:
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
    return _split(as_text(values), separator)


def _split(text: pl.Series, separator: str) -> pl.Series:
    """Items of text, without blanks around them, nor the brackets and quotes of a printed list."""
    items = _items(text, separator, BLANKS)
    is_printed = text.str.contains(PRINTED)
    if not is_printed.any():
        return items
    inside = text.str.strip_chars("[](){}").str.strip_chars(f"{BLANKS},")
    printed = _items(inside, separator, f"{BLANKS}\"'")
    return printed.zip_with(is_printed, items)


def _items(text: pl.Series, separator: str, around: str) -> pl.Series:
    if separator == " ":
        text = text.str.replace_all(r"\s+", " ")
    items = text.set(text == "", None).str.split(separator)
    return items.list.eval(pl.element().str.strip_chars(around))


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
        wanted = within(numbers[first])
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
