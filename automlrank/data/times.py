"""Convert times of rows and behaviours to one form: seconds since 1970, UTC."""

from __future__ import annotations

import numpy as np
import polars as pl

from automlrank.data.values import TEXT, Array, EncodingError, as_numbers

UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}  # per second
DATES = "date"  # unit of dates and moments, which say what they are
YEAR_2100 = 4.1e9  # seconds
YEARS = (1900, 2100)  # of times in other formats: 14102100 is no day
ISO = (
    r"^\d{4}-\d\d-\d\d"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?)?$"
)
WORDS = (
    r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
)
"""Names of months and days, of which three letters tell."""
ISO_FORM = "iso"
ISO_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f")


def as_times(values: pl.Series) -> pl.Series:
    """Times as numbers or dates.

    Raises EncodingError for text that is no number nor ISO 8601, and for lists and other types.
    """
    if values.dtype.is_numeric() or values.dtype in (pl.Date, pl.Datetime):
        return values
    if values.dtype == pl.Null:
        return values.cast(pl.Float64)
    if values.dtype not in TEXT:
        raise EncodingError(f"column {values.name!r} must hold times, but is {values.dtype}.")
    values = values.cast(pl.String)
    numbers, dates = values.cast(pl.Float64, strict=False), iso_times(values)
    for times in (numbers, dates):
        if times.null_count() == values.null_count():
            return times
    is_odd = numbers.is_null() & values.is_not_null()
    unread = is_odd & dates.is_null() if (is_odd & dates.is_null()).any() else is_odd
    row = unread.arg_max()
    assert row is not None
    raise EncodingError(
        f"column {values.name!r} must hold times, but holds {values[row]!r:.100}.", row
    )


def iso_times(text: pl.Series) -> pl.Series:
    """Dates, with or without a time of day, as UTC without a zone; null for any other text."""
    times = read_times(pl.col("text"), ISO_FORM).alias(text.name)
    return text.alias("text").to_frame().select(times).to_series()


def read_times(text: pl.Expr, form: str) -> pl.Expr:
    """Times of text in a format of strptime, or in ISO 8601; null for any other text."""
    if form != ISO_FORM:
        return _formatted(text, form)
    plain = pl.when(text.str.contains(ISO)).then(text).str.replace(r"(\d)T", "$1 ")
    plain = plain.str.replace(r" ?(?:Z|UT|GMT)C?$", "+0000").str.replace(",", ".", literal=True)
    plain = plain.str.replace(r"(:[\d.]+) ?([+-]\d\d)$", "${1}${2}00").str.replace(" ([+-])", "$1")
    forms = [plain.str.to_datetime(form, strict=False, time_unit="us") for form in ISO_FORMATS]
    for one in ISO_FORMATS[1:]:
        zoned = plain.str.to_datetime(f"{one}%z", strict=False, time_unit="us")
        forms.append(zoned.dt.replace_time_zone(None))
    return pl.coalesce(forms)


def _formatted(text: pl.Expr, form: str) -> pl.Expr:
    """Times in a format of strptime: a month is its first day, an hour its first minute, as UTC."""
    if "%d" not in form:
        text, form = text + "|01", f"{form}|%d"
    if "%H" in form and "%M" not in form:
        text, form = text + "|00", f"{form}|%M"
    if "%z" in form:
        text = text.str.replace(r"(?:UTC|GMT|Z)\b", "+0000")
    if "%b" in form:
        text = text.str.replace_all(WORDS, "$1")
    known = text.str.to_datetime(form, strict=False, time_unit="us")
    known = known.dt.replace_time_zone(None) if "%z" in form else known
    return pl.when(known.dt.year().is_between(*YEARS)).then(known)


def unit_of(times: pl.Series) -> str:
    """The unit of epoch times by their size, seconds where they are small; ``DATES`` of dates."""
    times = as_times(times)
    if times.dtype.is_temporal():
        return DATES
    largest = float(np.abs(as_numbers(times)[~times.is_null().to_numpy()]).max(initial=0.0))
    return next((unit for unit, per in UNITS.items() if largest < YEAR_2100 * per), "ns")


def as_seconds(times: pl.Series, unit: str) -> Array:
    """``[rows]`` float64 seconds, null as NaN; dates and times by themselves, numbers by unit.

    Raises EncodingError for numbers where the unit is that of dates.
    """
    times = as_times(times)
    if times.dtype.is_temporal():
        times, unit = times.cast(pl.Datetime("us")).cast(pl.Int64), "us"
    numbers = as_numbers(times)
    if unit == DATES:
        known = np.flatnonzero(~np.isnan(numbers))
        if len(known):
            row = int(known[0])
            problem = f"column {times.name!r} must hold dates or times, but holds {times[row]!r}."
            raise EncodingError(problem, row)
        return numbers
    return numbers / UNITS[unit]
