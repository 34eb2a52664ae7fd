"""Forms: how the values of a table's columns are read, decided once and kept with the encoder.

A form is found from all rows of the table that a model is made on (``detect``). Every later table
is read by it, whatever its files hold: text, numbers or dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from automlrank.data.exact import column
from automlrank.data.times import read_times
from automlrank.data.values import as_text

USUAL_NULLS = (
    *("-", "--", "?", ".", "\\N", "NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "Null", "null"),
    *("(null)", "None", "none", "NaN", "nan", "NAN", "NaT", "nil"),
)
"""Spellings of null among numbers, times and lists; never in a column of text."""
SIGNS = (
    r"(?:US\$|R\$|[$%\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ba\u20ab\u0e3f]|USD|EUR|GBP|JPY|CNY"
    r"|RMB|INR|KRW|CHF|CAD|AUD|BRL|RUB|TRY|SEK|NOK|DKK|PLN|z\u0142|kr|Rs\.?)"
)
CLOCK = r"^(-?)(\d{1,4}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$"
PANDAS_DURATION = r"^(-?\d+) days?(?:,? ([+-]?)(\d{1,2}):([0-5]\d):([0-5]\d(?:\.\d+)?))?$"
ISO_DURATION = r"^(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
MICROSECONDS = 1e6
LARGEST_WHOLE = 2.0**53  # larger floats are not exact

Kind = Literal["text", "list", "number", "flag", "time", "duration"]


@dataclass(frozen=True)
class Form:
    """Rule by which a column's values are read.

    ``text`` and ``list`` stay text but for ``nulls``. ``number`` is a number with ``decimal`` point
    or comma and perhaps digits in groups and currency ``signs``; ``whole`` ones are integers.
    ``time`` has a ``format`` (``iso``, or one of strptime). ``flag`` is true or false.
    """

    kind: Kind
    nulls: tuple[str, ...] = ()
    whole: bool = False
    decimal: str = "."
    group: str = ""
    signs: bool = False
    format: str = "iso"

    def read(self, values: pl.Series) -> pl.Series:
        """The values in the form's type, or as text if one of them does not fit."""
        if values.dtype in (pl.Categorical, pl.Enum):
            values = values.cast(pl.String)
        if values.dtype == pl.String and self.kind == "text" and not self.nulls:
            return values  # blanks and empty text are seen to by the one text of a value
        typed = values.to_frame().select(self.expression(values.name, values.dtype)).to_series()
        if values.dtype == pl.String:
            text = values.to_frame().select(self.text(values.name)).to_series()
            return typed if typed.null_count() == text.null_count() else self._spelled(text)
        return typed if self._kept(values, typed) else values

    def expression(self, name: str, dtype: pl.DataType) -> pl.Expr:
        """The column in the form's type; what does not fit is null."""
        if dtype in (pl.Categorical, pl.Enum, pl.String):
            return self._of_text(self.text(name)).alias(name)
        values = column(name)
        if self.kind == "number" and (dtype.is_numeric() or dtype == pl.Boolean):
            values = self._of_numbers(values, dtype)
        if self.kind == "time" and dtype.is_integer() and self.format != "iso":
            values = read_times(values.cast(pl.String), self.format)
        return values.alias(name)

    def cast(self, name: str) -> pl.Expr:
        """Plain numbers of a column of text; null for any other spelling."""
        numbers = column(name).cast(pl.Int64 if self.whole else pl.Float64, strict=False)
        return numbers if self.whole else numbers + 0.0  # -0.0 is 0.0

    def fits_plainly(self, values: pl.Series) -> bool:
        """True if text holds plain numbers of this form only: most columns do, and it is fast."""
        if self.kind != "number" or self.decimal != ".":
            return False
        numbers = values.to_frame().select(self.cast(values.name)).to_series()
        if numbers.null_count() > values.null_count():
            return False
        return self.whole or not numbers.is_nan().any()

    def text(self, name: str) -> pl.Expr:
        """A text column without blanks around values; empty text and ``nulls`` are null."""
        text = column(name).cast(pl.String).str.strip_chars()
        known = ~text.is_in(["", *self.nulls]) if self.nulls else text != ""
        return pl.when(known).then(text).alias(name)

    def _of_text(self, text: pl.Expr) -> pl.Expr:
        match self.kind:
            case "number":
                return self._number(text)
            case "flag":
                return text.str.to_lowercase().replace_strict(
                    {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
                )
            case "time":
                return read_times(text, self.format)
            case "duration":
                return _duration(text)
        return text

    def _of_numbers(self, values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        if dtype.is_float():
            values = values.fill_nan(None)
        sentinels = [float(word) for word in self.nulls if _is_number(word)]
        if sentinels and dtype != pl.Boolean:
            values = pl.when(~values.cast(pl.Float64).is_in(sentinels)).then(values)
        is_exact = dtype.is_integer() or dtype == pl.Boolean
        return values if is_exact or not self.whole else values.cast(pl.Int64, strict=False)

    def _number(self, text: pl.Expr) -> pl.Expr:
        if self.decimal != "." or self.group or self.signs:
            text = self._plain(text)
        number = text.cast(pl.Float64, strict=False) + 0.0  # -0.0 is 0.0
        if not self.whole:
            return number.fill_nan(None)
        whole = pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False)
        return pl.coalesce(text.cast(pl.Int64, strict=False), whole)

    def _plain(self, text: pl.Expr) -> pl.Expr:
        """A number's digits, sign and decimal point; null for other text."""
        group, decimal = re.escape(self.group), re.escape(self.decimal)
        digits = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)" if group else r"\d+"
        signs = rf"(?:{SIGNS}\s?)?" if self.signs else ""
        behind = rf"(?:\s?{SIGNS})?" if self.signs else ""
        pattern = rf"^[+-]?\s?{signs}[+-]?{digits}(?:{decimal}\d+)?{behind}$"
        bare: pl.Expr = pl.when(text.str.contains(pattern)).then(text)
        if self.signs:
            bare = bare.str.replace_all(SIGNS, "").str.replace_all(" ", "")
        if self.group:
            bare = bare.str.replace_all(self.group, "", literal=True)
        return bare.str.replace(self.decimal, ".", literal=True)

    def _spelled(self, text: pl.Series) -> pl.Series:
        """Text whose values that fit are spelled as the type spells them: 1,127 is 1127."""
        if self.kind in ("text", "list"):
            return text
        frame = text.to_frame()
        typed = frame.select(self._of_text(column(text.name)).alias(text.name)).to_series()
        exact = frame.select(_exact(column(text.name)).alias(text.name)).to_series()
        spelled = as_text(typed)
        return text.zip_with(spelled.is_null() | exact.is_not_null(), spelled)

    def _kept(self, values: pl.Series, typed: pl.Series) -> bool:
        """True if reading lost no value, or made none another."""
        if self.kind != "number" or not values.dtype.is_float() or typed.dtype == values.dtype:
            return True
        known = values.fill_nan(None).drop_nulls()
        return bool((known == known.round()).all() and (known.abs() < LARGEST_WHOLE).all())


def forms_data(forms: Mapping[str, Form]) -> dict[str, dict[str, object]]:
    """Plain data of forms: what is not a default, and the usual spellings of null by a word."""
    return {name: _form_data(form) for name, form in forms.items()}


def forms_from(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Form]:
    """The forms of what ``forms_data`` returned."""
    forms = {}
    for name, given in data.items():
        usual = USUAL_NULLS if given.get("usual") else ()
        nulls = (*given.get("nulls", ()), *usual)
        forms[name] = Form(**{**_without(given, "usual"), "nulls": nulls})
    return forms


def _form_data(form: Form) -> dict[str, object]:
    defaults = Form(form.kind)
    data = {k: v for k, v in vars(form).items() if k == "kind" or v != getattr(defaults, k)}
    if set(USUAL_NULLS) <= set(form.nulls):
        more = [word for word in form.nulls if word not in USUAL_NULLS]
        data = {**_without(data, "nulls"), "usual": True, **({"nulls": more} if more else {})}
    return data


def _without(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in data.items() if k != key}


def typed(frame: pl.DataFrame, forms: Mapping[str, Form]) -> pl.DataFrame:
    """The table with its columns read by their forms; columns without one stay as they are."""
    read = [forms[name].read(frame[name]) for name in frame.columns if name in forms]
    return frame.with_columns(read)


def _exact(text: pl.Expr) -> pl.Expr:
    """Whole numbers that are spelled as numbers are; null for other text."""
    return pl.when(text.cast(pl.Int64, strict=False).cast(pl.String) == text).then(text)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _duration(text: pl.Expr) -> pl.Expr:
    """Lengths of time as 1:30:00, as pandas prints them (1 days 02:00:00), or as PT1H30M."""
    forms = []
    for pattern, sign, parts in (
        (CLOCK, 1, {2: 3600.0, 3: 60.0, 4: 1.0}),
        (ISO_DURATION, 1, {2: 86400.0, 3: 3600.0, 4: 60.0, 5: 1.0}),
    ):
        seconds = pl.sum_horizontal(
            text.str.extract(pattern, part).cast(pl.Float64) * unit for part, unit in parts.items()
        )
        signed = pl.when(text.str.extract(pattern, sign) == "-").then(-seconds).otherwise(seconds)
        known = text.str.contains(pattern) & text.str.contains(r"\d")
        forms.append(pl.when(known).then(signed))
    days = text.str.extract(PANDAS_DURATION, 1).cast(pl.Float64) * 86400.0
    parts = {3: 3600.0, 4: 60.0, 5: 1.0}
    rest = pl.sum_horizontal(
        text.str.extract(PANDAS_DURATION, part).cast(pl.Float64).fill_null(0.0) * unit
        for part, unit in parts.items()
    )
    forms.append(pl.when(days.is_not_null()).then(days + rest))
    return (pl.coalesce(forms) * MICROSECONDS).round().cast(pl.Int64).cast(pl.Duration("us"))
