"""Guess the form of a column of text from some of its values: the first that fits nearly all."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator

import polars as pl

from automlrank.data.forms import INTEGER_TIMES, LARGEST_WHOLE, Form, Kind
from automlrank.data.times import ISO_FORM
from automlrank.data.wishes import Role, Wish

HEAD = 50  # values that rule most forms out
NEARLY_ALL = 0.9  # of a sample's values must fit a form to be tried
LEADING_ZERO = r"^[+-]?0\d"  # a code such as 007 is not the number 7
LEAST_SPLIT = 50  # values with a comma, from which on zeros behind it are to be expected
STYLES = (
    *((".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " ")),
    *((".", "'"), (".", "\u2019"), (".", "_")),
)
"""Decimal points and separators of thousands: 1,234 is a thousand and more before it is 1.234."""
DATED = (
    r"(?i)^\d{1,4}[-/. ](?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|^\d{8}[T ]\d"
    r"|^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)"
)
"""Beginnings of dates: digits, or the name of a month or a day."""
DAYS = (
    *("%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%Y-%m", "%Y/%m", "%d %b %Y", "%d-%b-%Y"),
    *("%d-%b-%y", "%d/%b/%Y", "%b %d %Y", "%b %d, %Y", "%Y-%b-%d", "%a %d %b %Y", "%a, %d %b %Y"),
    *("%a, %b %d, %Y",),
)
CLOCKS = ("", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S%.f", ", %H:%M")
DATE_FORMATS = (
    *(day + clock for day in DAYS for clock in CLOCKS if "%d" in day or not clock),
    *("%Y-%m-%d %H", "%Y%m%dT%H%M%S", "%Y%m%d %H:%M:%S", "%Y-%m-%d %I:%M %p"),
    *("%Y-%m-%d %I:%M:%S %p", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y"),
    *("%d/%b/%Y:%H:%M:%S", "%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z"),
)
ORDERED = (
    *(("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y")),
    *(("%d/%m/%y", "%m/%d/%y"), ("%d-%m-%y", "%m-%d-%y")),
)
"""Pairs of orders of day and month: one is taken if the other cannot be."""
MAY_BE_TIMES: tuple[Role, ...] = ("any", "id", "time")  # an order of rows may be plain numbers


def best(sample: Iterable[str], wish: Wish) -> Form:
    """The form that nearly all values of the sample fit, text if there is none."""
    if wish.role == "list":
        return Form("list", wish.nulls_of("list"))
    nulls = wish.nulls_of("number")
    spellings = pl.Series("x", list(dict.fromkeys(sample)), pl.String)
    known = spellings.to_frame().select(Form("number", nulls).known("x", pl.String()))
    text = known.to_series().drop_nulls()
    if text.is_empty() and len(spellings):
        return Form("number", nulls)  # nothing but spellings of null
    found, most = Form("text", wish.nulls_of("text")), 0.0
    if text.is_empty():
        return found
    for form in _candidates(text, wish.role, nulls):
        share = _share(form, text) if _is_likely(form, text) else 0.0
        if share >= NEARLY_ALL and share > most:
            found, most = form, share
        if most == 1:
            break
    return found


def _candidates(text: pl.Series, role: Role, nulls: tuple[str, ...]) -> Iterator[Form]:
    """Forms that a column of this role may have, the first choice first."""
    if role != "time":
        yield Form("flag", nulls)
    if _share_of(text, r"\d") < NEARLY_ALL:
        return
    if role in MAY_BE_TIMES:
        yield from (Form("time", nulls, format=form) for form in INTEGER_TIMES)
    if _are_codes(text) and role not in ("number", "time", "order"):
        yield Form("text", nulls)
    yield _number(Form("number", nulls), text)
    if role in (*MAY_BE_TIMES, "order"):
        yield from _dated(text, nulls)
    if role in ("any", "number"):
        if _share(Form("number"), text) < NEARLY_ALL:  # others may be seconds
            yield Form("duration", nulls)
        yield from _styled(text, nulls)


def _are_codes(text: pl.Series) -> bool:
    """True if digits are no numbers: with zeros in front, or too long for an integer."""
    digits = text.filter(text.str.contains(r"^[+-]?\d+$"))
    if len(digits) < NEARLY_ALL * len(text):
        return False
    is_long = digits.cast(pl.Int64, strict=False).null_count() > 0
    return bool(digits.str.contains(LEADING_ZERO).any() or is_long)


def _styled(text: pl.Series, nulls: tuple[str, ...]) -> Iterator[Form]:
    """Numbers with groups of digits, decimal commas, currency signs."""
    for signs in (False, True):
        for decimal, group in STYLES:
            form = Form("number", nulls, decimal=decimal, group=group, signs=signs)
            is_style = decimal != "." or group or signs
            if is_style and _is_likely(form, text) and not _is_list(form, text):
                yield _number(form, text)


def _dated(text: pl.Series, nulls: tuple[str, ...]) -> Iterator[Form]:
    if _share_of(text, DATED) < NEARLY_ALL:
        return
    yield Form("time", nulls)
    yield from (Form("time", nulls, format=form) for form in DATE_FORMATS)
    for clock in CLOCKS:
        for pair in ORDERED:
            one, other = (Form("time", nulls, format=order + clock) for order in pair)
            if not _has_marks(one, text):
                continue
            fits = (_share(one, text), _share(other, text))
            if min(fits) < max(fits):
                yield one if fits[0] > fits[1] else other


def _is_likely(form: Form, text: pl.Series) -> bool:
    """False if so few of the first values fit that the others need not be looked at."""
    return _has_marks(form, text) and _share(form, text.head(HEAD)) >= NEARLY_ALL / 2


def _has_marks(form: Form, text: pl.Series) -> bool:
    """True if the marks of a form, such as its colons, are in many of the first values."""
    marks, head = _marks(form.kind, form.format), text.head(HEAD)
    return sum(marks.search(word) is not None for word in head) >= NEARLY_ALL / 2 * len(head)


@functools.cache
def _marks(kind: Kind, form: str) -> re.Pattern[str]:
    """What text must hold to be read so: a search is 30 times as fast as a try."""
    if kind == "flag":
        return re.compile("true|false", re.IGNORECASE)
    if kind != "time":
        return re.compile("")
    if form in INTEGER_TIMES:
        return re.compile(r"\d{4}\s*\d")
    if form == ISO_FORM:
        return re.compile(r"\d{4}-\d\d-\d\d")
    literals = re.sub(r"%\.?[a-zA-Z]|\s", "", form)  # any number of blanks may be none
    return re.compile(".*".join(map(re.escape, literals)), re.DOTALL)


def _share_of(text: pl.Series, pattern: str) -> float:
    return int(text.str.contains(pattern).sum()) / len(text)


def _number(form: Form, text: pl.Series) -> Form:
    """The form for whole numbers, if all that fit are whole."""
    number = text.to_frame().select(form.typed("x", pl.String())).to_series()
    known = number.drop_nulls()
    whole = (known == known.round()).all() and (known.abs() < LARGEST_WHOLE).all()
    exact = text.filter(number.is_not_null()).cast(pl.Int64, strict=False).null_count() == 0
    return dataclasses.replace(form, whole=bool(len(known) and (whole or exact)))


def _share(form: Form, text: pl.Series) -> float:
    typed = text.to_frame("x").select(form.typed("x", pl.String())).to_series()
    return float(1 - typed.null_count() / len(text))


def _is_list(form: Form, text: pl.Series) -> bool:
    """True if marks that look like those of numbers separate items."""
    marks = {form.group, form.decimal} - {""} - ({"."} if form.decimal == "." else set())
    return any(_separates(mark, form, text) for mark in marks)


def _separates(mark: str, form: Form, text: pl.Series) -> bool:
    """True if items of lists stand on both sides of a mark.

    Behind a mark a number has a zero as often as any other digit; whole numbers in a list do not
    begin with one. Prices all have two digits there. Few texts are a list if most have one item,
    and the others nothing but items that stand alone as well.
    """
    split = text.filter(text.str.contains(mark, literal=True))
    if split.is_empty() or split.str.contains(rf"{re.escape(mark)}0\d").any():
        return False
    if len(split) < LEAST_SPLIT:
        items, alone = split.str.split(mark).explode(), text.filter(~text.is_in(split.implode()))
        known = int(items.is_in(alone.implode()).sum())
        return len(alone) >= len(split) and known >= NEARLY_ALL * len(items)
    is_decimal = mark == form.decimal and len(split) > len(text) / 2
    return not (is_decimal and split.str.contains(r",\d\d$").all())
