"""Find the form of each column: how nearly all of its values can be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from automlrank.data.exact import column
from automlrank.data.forms import INTEGER_TIMES, LARGEST_WHOLE, Form
from automlrank.data.guess import MAY_BE_TIMES, best
from automlrank.data.table import Table
from automlrank.data.wishes import Wish

SAMPLE = 2000  # known values of a column that suggest its form
FEW_MISFITS, FEW_SPELLINGS = 0.01, 5  # of all known values: more are no slips
PASSES = 3  # over the rows: values that fit no form may suggest another
MOST_SHOWN = 3  # spellings in a sentence

TEXT = Form("text")


@dataclass(frozen=True)
class Found:
    """Forms of a table's columns, and sentences on what they do to its values."""

    forms: Mapping[str, Form]
    notes: tuple[str, ...] = ()
    plain: frozenset[str] = frozenset()
    """Columns of text that hold plain numbers only: a cast reads them."""


def detect(table: Table, wishes: Mapping[str, Wish]) -> Found:
    """The forms of the columns that ``wishes`` names, with what a schema says of each."""
    texts = [name for name in wishes if _is_text(table.schema[name])]
    searches = {name: _Search(name, wishes[name]) for name in texts}
    _search(table, searches)
    forms = dict(_of_typed(table, {n: w for n, w in wishes.items() if n not in searches}))
    forms |= {name: search.form for name, search in searches.items()}
    notes = [note for search in searches.values() for note in search.notes]
    plain = frozenset(name for name, search in searches.items() if search.is_plain)
    return Found({name: forms[name] for name in wishes if name in forms}, tuple(notes), plain)


def _is_text(kind: pl.DataType) -> bool:
    return kind in (pl.String, pl.Categorical, pl.Enum)


# ---- typed columns -------------------------------------------------------------------------


def _of_typed(table: Table, wishes: Mapping[str, Wish]) -> Iterator[tuple[str, Form]]:
    """The forms of columns that are no text: whole numbers in floats, dates in integers."""
    kinds = {name: table.schema[name] for name in wishes}
    floats = [name for name, kind in kinds.items() if kind.is_float() or kind.is_decimal()]
    whole = _whole(table, floats)
    may_be = [n for n, w in wishes.items() if w.role in MAY_BE_TIMES]
    may_be = [name for name in may_be if kinds[name].is_integer() or name in whole]
    dates = _dates(table, may_be)
    for name, kind in kinds.items():
        nulls = wishes[name].nulls_of("number")
        if name in dates:
            yield name, Form("time", nulls, format=dates[name])
        elif kind.is_temporal():
            is_moment = isinstance(kind, pl.Date | pl.Datetime)
            yield name, Form("time" if is_moment else "duration", nulls)
        elif kind.is_numeric():
            yield name, Form("number", nulls, whole=kind.is_integer() or name in whole)
        elif kind == pl.Boolean:
            yield name, Form("flag", nulls)
        elif kind.is_nested():
            yield name, Form("list", wishes[name].nulls_of("list"))


def _whole(table: Table, names: Sequence[str]) -> set[str]:
    """The columns of floats and decimals whose known values are whole and exact."""
    tests = [_is_whole(name, table.schema[name]).alias(str(i)) for i, name in enumerate(names)]
    row = table.select(*tests).row(0) if tests else ()
    return {name for name, is_whole in zip(names, row, strict=True) if is_whole}


def _is_whole(name: str, kind: pl.DataType) -> pl.Expr:
    known = _known(name, kind).drop_nulls()
    whole = known.cast(pl.Int64, strict=False)
    exact = known.abs() < LARGEST_WHOLE if kind.is_float() else pl.lit(True)
    same = (whole.cast(kind, strict=False) == known) & exact
    is_whole: pl.Expr = same.fill_null(False).all() & (known.count() > 0)
    return is_whole


def _known(name: str, kind: pl.DataType) -> pl.Expr:
    return column(name).fill_nan(None) if kind.is_float() else column(name)


def _dates(table: Table, names: Sequence[str]) -> dict[str, str]:
    """The format of the columns of integers that are all dates, such as 20240131."""
    ends = [end for name in names for end in _ends(name)]
    row = table.select(*(end.alias(str(i)) for i, end in enumerate(ends))).row(0) if ends else ()
    formats = {
        name: form
        for name, low, high in zip(names, row[::2], row[1::2], strict=True)
        for form, (first, last) in INTEGER_TIMES.items()
        if low is not None and first <= low and high <= last
    }
    tests = [
        (
            Form("time", format=form).typed(name, table.schema[name]).null_count()
            == _known(name, table.schema[name]).null_count()
        ).alias(str(i))
        for i, (name, form) in enumerate(formats.items())
    ]
    fits = table.select(*tests).row(0) if tests else ()
    return {name: formats[name] for name, fit in zip(formats, fits, strict=True) if fit}


def _ends(name: str) -> tuple[pl.Expr, pl.Expr]:
    return column(name).min(), column(name).max()


# ---- columns of text -----------------------------------------------------------------------


@dataclass
class _Search:
    """Search for the form of one column of text."""

    name: str
    wish: Wish
    sample: list[str] = field(default_factory=list)
    form: Form = TEXT
    notes: list[str] = field(default_factory=list)
    is_done: bool = False
    is_plain: bool = False
    known: int = 0
    misfits: dict[str, list[int]] = field(default_factory=dict)
    """Rows that hold each spelling which does not fit: their number, and the first."""
    nulls: dict[str, list[int]] = field(default_factory=dict)
    """Rows that hold each spelling of null."""

    def begin(self) -> None:
        """Take the form that the sample suggests."""
        self.form = best(self.sample, self.wish)
        self.known, self.misfits, self.nulls = 0, {}, {}
        self.is_plain = self.form.kind == "number"
        if self.form.kind in ("text", "list"):
            self.is_done = True

    def add(self, values: pl.Series, start: int) -> None:
        """Look at a chunk's values, whose first row is ``start``."""
        if self.form.fits_plainly(values):
            self.known += values.len() - values.null_count()
            return
        self.is_plain = False
        frame = values.to_frame().select(self.form.known(self.name, pl.String()))
        text = frame.to_series()
        typed = frame.select(self.form.typed(self.name, pl.String())).to_series()
        self.known += len(text) - text.null_count()
        odd = text.is_not_null() & typed.is_null()
        _note(self.misfits, text, odd, start)
        stripped = values.str.strip_chars()
        _note(self.nulls, stripped, text.is_null() & (stripped != ""), start)

    @property
    def is_refuted(self) -> bool:
        """True if so many values do not fit that the rest need not be looked at."""
        return len(self.misfits) > SAMPLE

    def end(self) -> None:
        """Keep the form, or try another if values do not fit."""
        if not self.misfits:
            self.accept()
            return
        other = best([*self.sample, *self.misfits], self.wish)
        if other == self.form and self.are_slips():
            self.accept()
        elif other.kind == "text" or other == self.form:
            self.give_up()
        else:
            self.sample += self.misfits

    def are_slips(self) -> bool:
        """True if few values do not fit, and none looks like a code among whole numbers."""
        total = sum(rows for rows, _ in self.misfits.values())
        few = total <= max(1, FEW_MISFITS * self.known) and len(self.misfits) <= FEW_SPELLINGS
        codes = self.form.whole and any(any(map(str.isdigit, word)) for word in self.misfits)
        return few and not codes and self.wish.forgives

    def accept(self) -> None:
        self.is_done = True
        if self.misfits:
            self.notes.append(
                f"{self.name}: {_noun(self.form)}, but for {_shown(self.misfits)}, read as null."
            )
            self.form = dataclasses.replace(self.form, nulls=(*self.form.nulls, *self.misfits))
        if self.nulls:
            self.notes.append(f"{self.name}: {_shown(self.nulls)} read as null.")
        if said := _style(self.form):
            self.notes.append(f"{self.name}: {said}.")

    def give_up(self) -> None:
        """Read the column as text."""
        self.is_done = True
        self.notes = [
            f"{self.name}: most values are {_noun(self.form)}, but not {_shown(self.misfits)}: "
            "read as text. Spellings of null are named by nulls: {add: [...]} of the column."
        ]
        self.form = Form("text", self.wish.nulls_of("text"))


def _search(table: Table, searches: Mapping[str, _Search]) -> None:
    _sample(table, searches)
    for _ in range(PASSES):
        for search in searches.values():
            if not search.is_done:
                search.begin()
        waiting = [name for name, search in searches.items() if not search.is_done]
        if not waiting:
            return
        for name, values, start in _chunks(table, waiting):
            if not searches[name].is_refuted:
                searches[name].add(values, start)
        for name in waiting:
            searches[name].end()
    for search in searches.values():
        if not search.is_done:
            search.give_up()


def _sample(table: Table, searches: Mapping[str, _Search]) -> None:
    """Take the first known values of each column, those of whole chunks evenly."""
    waiting = list(searches)
    for chunk in table.chunks(waiting) if waiting else ():
        for name in list(waiting):
            search = searches[name]
            known = chunk[name].cast(pl.String).drop_nulls().unique(maintain_order=True)
            search.sample += known.gather_every(max(1, len(known) // SAMPLE)).to_list()
            if len(search.sample) >= SAMPLE:
                waiting.remove(name)
        if not waiting:
            return


def _chunks(table: Table, names: Sequence[str]) -> Iterator[tuple[str, pl.Series, int]]:
    start = 0
    for chunk in table.chunks(names):
        for name in names:
            yield name, chunk[name].cast(pl.String), start
        start += chunk.height


# ---- words ---------------------------------------------------------------------------------


def _note(found: dict[str, list[int]], text: pl.Series, mask: pl.Series, start: int) -> None:
    """Add the spellings in the rows of the mask: their number of rows and their first."""
    rows = pl.Series(np.flatnonzero(mask.fill_null(False).to_numpy()))
    if rows.is_empty():
        return
    frame = pl.DataFrame({"text": text.gather(rows), "row": rows})
    counted = frame.group_by("text").agg(pl.len().alias("rows"), pl.col("row").min()).sort("row")
    for spelling, count, row in counted.head(1000).iter_rows():
        entry = found.setdefault(spelling, [0, start + row])
        entry[0] += count


def _shown(found: Mapping[str, list[int]]) -> str:
    """Spellings with the number of their rows, and the first of these."""
    parts = []
    for word, (rows, first) in list(found.items())[:MOST_SHOWN]:
        where = f"row {first + 1}" if rows == 1 else f"{rows:,} rows, first in row {first + 1}"
        parts.append(f"{word!r:.60} ({where})")
    more = len(found) - len(parts)
    return ", ".join(parts) + (f" and {more:,} other spellings" if more else "")


def _noun(form: Form) -> str:
    if form.kind == "number":
        return "whole numbers" if form.whole else "numbers"
    return {"time": "dates or times", "flag": "true or false", "duration": "durations"}[form.kind]


def _style(form: Form) -> str:
    """What is read in a way that deserves a word."""
    said = []
    if form.kind == "number":
        if form.group:
            said.append(f"{form.group!r} separates thousands")
        if form.decimal == ",":
            said.append("the comma is a decimal comma")
        if form.signs:
            said.append("currency and percent signs are left out, and (5) and 5- are -5")
    if form.kind == "time" and form.format != "iso":
        said.append(f"dates are read as {form.format}")
    return ", ".join(said)
