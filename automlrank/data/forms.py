"""Forms: how the values of a table's columns are read, decided once and kept with the encoder.

A form is found from all rows of the table that a model is made on (``detect``). Every later table
is read by it, whatever its files hold: text, numbers or dates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from automlrank.data.exact import column
from automlrank.data.times import ISO_FORM, read_times
from automlrank.data.values import TEXT, as_text, spelled

USUAL_NULLS = (
    *(
        "-",
        "--",
        "---",
        "\u2013",
        "\u2014",
        "?",
        ".",
        "\\N",
        "NA",
        "N/A",
        "n/a",
        "#N/A",
        "<NA>",
        "#NA",
    ),
    *("n.a.", "N.A.", "NULL", "Null", "null", "(null)", "<null>", "<NULL>", "None", "none", "NaN"),
    *("nan", "NAN", "-nan", "-NaN", "NaT", "nil", "NIL", "Nil", "missing", "Missing", "MISSING"),
    *(
        "unknown",
        "Unknown",
        "UNKNOWN",
        "undefined",
        "#VALUE!",
        "#DIV/0!",
        "#REF!",
        "#NUM!",
        "#NAME?",
    ),
    *("#NULL!", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""Spellings of null among numbers, times and lists; never in a column of text."""
SIGNS = (
    r"(?:US\$|R\$|[$%\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ba\u20ab\u0e3f]|USD|EUR|GBP|JPY|CNY"
    r"|RMB|INR|KRW|CHF|CAD|AUD|BRL|RUB|TRY|SEK|NOK|DKK|PLN|z\u0142|kr|Rs\.?)"
)
CLOCK = r"^(-?)(\d{1,4}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$"
PANDAS_DURATION = r"^(-?\d+) days?(?:,? ([+-]?)(\d{1,2}):([0-5]\d):([0-5]\d(?:\.\d+)?))?$"
ISO_DURATION = r"^(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
EXPONENT = r"(?:[eE][+-]?\d{1,3})?"  # programs write small numbers so, with a decimal comma, too
BLANKS = r"[ \x{a0}\x{2009}\x{202f}]"  # between thousands; some do not break lines
MICROSECONDS = 1e6
LARGEST_WHOLE = 2.0**53  # larger floats are not exact
INTEGER_TIMES = {
    "%Y%m%d": (19000101, 21001231),
    "%Y%m%d%H": (1900010100, 2100123123),
    "%Y%m%d%H%M": (190001010000, 210012312359),
    "%Y%m%d%H%M%S": (19000101000000, 21001231235959),
}
"""Formats of times in digits alone, with their ends."""

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

    @property
    def numbers(self) -> list[float]:
        """Numbers that spell null, in whatever type."""
        return [float(word) for word in self.nulls if _is_number(word)]

    def read(self, values: pl.Series) -> pl.Series:
        """The values in the form's type; if one of them does not fit, in a type of the same texts.

        So the meaning of a value does not depend on the others.
        """
        if values.dtype == pl.String and self.kind == "text" and not self.nulls:
            return values  # blanks and empty text are seen to by the one text of a value
        known = _made(values, self.known(values.name, values.dtype))
        typed = _made(known, self.typed(known.name, values.dtype))
        if self.kind == "time" and typed.null_count() > known.null_count():
            typed = typed.zip_with(typed.is_not_null(), _other_times(known))
        return typed if typed.null_count() == known.null_count() else self._spelled(known, typed)

    def known(self, name: str, dtype: pl.DataType) -> pl.Expr:
        """The column with null for what spells it, and no blanks around text."""
        return self._known(column(name), dtype).alias(name)

    def typed(self, name: str, dtype: pl.DataType) -> pl.Expr:
        """The column that ``known`` gave in the form's type; what does not fit is null.

        It is a step of its own: in one expression Polars makes what is known anew wherever it is
        used, which takes twice as long.
        """
        return self._typed(column(name), self._held(dtype)).alias(name)

    def cast(self, name: str) -> pl.Expr:
        """Plain numbers of a column of text; null for any other spelling."""
        numbers = (
            column(name).cast(pl.String).cast(pl.Int64 if self.whole else pl.Float64, strict=False)
        )
        return numbers if self.whole else numbers + 0.0  # -0.0 is 0.0

    def fits_plainly(self, values: pl.Series) -> bool:
        """True if text holds plain numbers of this form only: most columns do, and it is fast."""
        if self.kind != "number" or self.decimal != "." or self.numbers:
            return False
        numbers = values.to_frame().select(self.cast(values.name)).to_series()
        if numbers.null_count() > values.null_count():
            return False
        return self.whole or not numbers.is_nan().any()

    def _known(self, values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        """The values with null for what spells it; categories as text."""
        if self._held(dtype) == pl.String:
            return self._known_text(values, dtype)
        if dtype.is_float():
            values = values.fill_nan(None)
        if self.numbers and dtype.is_numeric():
            values = pl.when(~values.cast(pl.Float64).is_in(self.numbers)).then(values)
        return values

    def _known_text(self, values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        text = values.cast(pl.String).str.strip_chars() if dtype in TEXT else spelled(values, dtype)
        known = text.replace(list(dict.fromkeys(("", *self.nulls))), None)
        if not self.numbers:
            return known
        if self.kind == "number":
            is_null = self._number(text).cast(pl.Float64).is_in(self.numbers).fill_null(False)
        else:
            is_null = spelled(text, pl.String()).is_in(as_text(pl.Series(self.nulls)).implode())
        return pl.when(~is_null).then(known)

    def _held(self, dtype: pl.DataType) -> pl.DataType:
        """The type of values when what spells null is null: text for categories."""
        is_plain = not dtype.is_nested() and dtype != pl.Binary
        is_spelled = self.kind in ("text", "list") and self.nulls and is_plain
        return pl.String() if dtype in TEXT or is_spelled else dtype

    def _typed(self, values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        """Values, of which those that spell null are null, in the form's type."""
        if dtype == pl.String:
            return self._of_text(values)
        if self.kind == "number" and self.whole and (dtype.is_float() or dtype.is_decimal()):
            whole = values.cast(pl.Int64, strict=False)
            return pl.when(whole.cast(dtype, strict=False) == values).then(whole)
        if self.kind == "time" and dtype.is_numeric():
            return read_times(spelled(values, dtype), self.format)
        return values

    def _of_text(self, text: pl.Expr) -> pl.Expr:
        match self.kind:
            case "number":
                return self._number(text)
            case "flag":
                return text.str.to_lowercase().replace_strict(
                    {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
                )
            case "time":
                is_digits = self.format in INTEGER_TIMES
                return read_times(text.str.strip_suffix(".0") if is_digits else text, self.format)
            case "duration":
                return _duration(text)
        return text

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
        bare: pl.Expr = pl.when(text.str.contains(self._pattern)).then(text)
        if self.signs:
            bare = bare.str.replace_all(rf"{SIGNS}|\s", "").str.replace("\u2212", "-", literal=True)
            bare = bare.str.replace(r"^(?:\((.*)\)|(.*)-)$", "-$1$2")
        if self.group:
            bare = bare.str.replace_all(self._between, "")
        return bare.str.replace(self.decimal, ".", literal=True)

    @property
    def _between(self) -> str:
        """Pattern of what separates groups of digits."""
        return BLANKS if self.group == " " else re.escape(self.group)

    @property
    def _pattern(self) -> str:
        """Pattern of a number in this style; among signs are those of accounts, (5) and 5-."""
        between, digits = self._between, r"\d+"
        if self.group:  # of three digits; in India of two before the last
            in_twos = rf"\d{{1,2}}(?:{between}\d\d)+{between}\d{{3}}"
            digits = rf"(?:\d{{1,3}}(?:{between}\d{{3}})+|{in_twos}|\d+)"
        number = rf"{digits}(?:{re.escape(self.decimal)}\d+)?{EXPONENT}"
        if not self.signs:
            return rf"^[+-]?\s?{number}$"
        sign, of = r"[+\u2212-]?", rf"(?:{SIGNS}\s?)?"
        amount = rf"{sign}\s?{of}{sign}{number}(?:\s?{SIGNS})?"
        return rf"^(?:{amount}|\({of}{number}(?:\s?{SIGNS})?\)|{of}{number}-(?:\s?{SIGNS})?)$"

    def _spelled(self, known: pl.Series, typed: pl.Series) -> pl.Series:
        """The values as text, those that fit as their type spells them; numbers stay numbers."""
        if self.kind != "time" and known.dtype != pl.String:
            return known
        text = known if known.dtype == pl.String else as_text(known)
        return as_text(typed).zip_with(typed.is_not_null(), text)


def forms_data(forms: Mapping[str, Form]) -> dict[str, dict[str, object]]:
    """Plain data of forms: what is not a default, and the usual spellings of null by a word."""
    return {name: _form_data(form) for name, form in forms.items()}


def forms_from(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Form]:
    """The forms of what ``forms_data`` returned."""
    forms = {}
    for name, given in data.items():
        usual = USUAL_NULLS if given.get("usual") else ()
        nulls = (*usual, *given.get("nulls", ()))
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


def _made(values: pl.Series, expression: pl.Expr) -> pl.Series:
    return values.to_frame().select(expression.alias(values.name)).to_series()


def _other_times(values: pl.Series) -> pl.Series:
    """Times in a form that cannot be taken for another: ISO 8601, 20240131 and 20240131235959."""
    text = as_text(values)
    forms = [read_times(column(text.name), form) for form in (ISO_FORM, *INTEGER_TIMES)]
    return _made(text, pl.coalesce(forms))


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _duration(text: pl.Expr) -> pl.Expr:
    """Lengths of time as 1:30:00, as pandas prints them (1 days 02:00:00), as PT5S, or seconds."""
    forms: list[pl.Expr] = []
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
    forms += [pl.when(days.is_not_null()).then(days + rest), text.cast(pl.Float64, strict=False)]
    length = (pl.coalesce(forms) * MICROSECONDS).round()
    return length.cast(pl.Int64, strict=False).cast(pl.Duration("us"))
