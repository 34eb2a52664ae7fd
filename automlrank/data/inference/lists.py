"""Lists in a column: of ids, of times or of numbers, also those that are written as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from automlrank.data.inference.names import is_time
from automlrank.data.inference.view import View, share_of
from automlrank.data.inference.when import YEAR_2000
from automlrank.data.summary import items_of
from automlrank.data.times import UNITS, YEAR_2100, iso_times
from automlrank.data.values import LARGEST, PRINTED, as_lists, as_text, flatten

SEPARATORS = ("|", ",", ";", "\t", "^", "~", "\x01", "\x02", "\x03", " ")
OF_IDS = (">", "/", "#", "&", "_", "-", ":")
"""Separators of lists of unlike lengths whose items are values of another column."""
DISTINCT = 50_000  # texts that are looked at, at most
SPLIT_SHARE = 0.02  # of the texts; fewer are slips
# Of the parts of texts with several, those that other texts hold, too. KuaiRand's tags have .99;
# in "Paris, France" one of two comes back, in titles and user agents few do.
REPEATED = 0.7
MOST_WORDS = 3.0  # of a part: sentences have more
IN_PLACE = 0.95  # parts at one place of their text: first and last names are no list
BY_BLANKS = 0.95  # of the parts hold a digit where a blank is the separator
BLANK_SHARE = 0.3
KNOWN = 0.9  # of the parts are values of another column
RISING = 0.9  # of lists of times go one way
LEAST_LONGEST = 3  # items of such a list: 10-19 is a range, 12-7 a pair of ids
MIN_VECTOR = 2  # a list of one number is no vector


@dataclass(frozen=True)
class ListColumn:
    """A column of lists; ``separator`` is that of text, ``size`` the length of all vectors."""

    name: str
    items: Literal["ids", "times", "numbers"]
    separator: str | None = None
    size: int = 0

    @property
    def noun(self) -> str:
        return "lists" if self.separator is None else "text lists"


def read_lists(view: View, name: str, separator: str | None = None) -> ListColumn | None:
    """What the lists of a column hold; None where no feature can be made of them."""
    lists = view.lists(name, separator)
    flat, _ = flatten(lists)
    kind = flat.dtype
    if isinstance(kind, pl.Date | pl.Datetime):
        return ListColumn(name, "times", separator)
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return _of_text(view, name, separator, as_text(flat).drop_nulls())
    if kind.is_integer():
        items: Literal["ids", "times"] = "times" if _are_epochs(name, lists, flat) else "ids"
        return ListColumn(name, items)
    return _of_floats(view, name, lists, flat) if kind.is_float() else None


def _of_text(view: View, name: str, separator: str | None, known: pl.Series) -> ListColumn:
    """Ids, or the times or numbers that text spells."""
    if len(known) and not iso_times(known).null_count():
        return ListColumn(name, "times", separator)
    numbers = known.cast(pl.Float64, strict=False)
    if separator is None or not len(known) or numbers.null_count():
        return ListColumn(name, "ids", separator)
    if not (numbers == numbers.round()).all():
        size = _one_size(view, name, separator)
        return ListColumn(name, "numbers" if size else "ids", separator, size)
    typed = view.lists(name, separator).cast(pl.List(pl.Float64), strict=False)
    return ListColumn(name, "times" if _are_epochs(name, typed, numbers) else "ids", separator)


def _of_floats(view: View, name: str, lists: pl.Series, flat: pl.Series) -> ListColumn | None:
    """Vectors, or ids and times that nulls or pandas have made floats."""
    size = _one_size(view, name, None)
    usable = (items_of(name).abs() <= LARGEST).all(ignore_nulls=False)  # NaN and inf are not
    if size and view.table.select(usable).item():
        return ListColumn(name, "numbers", size=size)
    known = flat.fill_nan(None).drop_nulls()
    if not len(known) or not (known == known.round()).all():
        return None
    return ListColumn(name, "times" if _are_epochs(name, lists, known) else "ids")


def _one_size(view: View, name: str, separator: str | None) -> int:
    """The length that all lists have; 0 if there is none, or it is no vector's."""
    lengths = view.lengths(name, separator).drop_nulls()
    sizes = lengths.unique().to_list()
    return int(sizes[0]) if len(sizes) == 1 and sizes[0] >= MIN_VECTOR else 0


def _are_epochs(name: str, lists: pl.Series, flat: pl.Series) -> bool:
    """Return True if all numbers are times from 2000 to 2100, in order where no name says so."""
    within = _within_years(flat.drop_nulls())
    if not within or is_time(name):
        return within
    several = lists.filter(lists.list.len() > 1)
    ways = several.list.diff(null_behavior="drop").alias("steps").to_frame()
    rises, falls = pl.col("steps").list.min() >= 0, pl.col("steps").list.max() <= 0
    return bool((ways.select((rises | falls).mean()).item() or 0.0) >= RISING)


def _within_years(numbers: pl.Series) -> bool:
    """Return True for numbers that are all times from 2000 to 2100 in one unit."""
    if numbers.is_empty():
        return False
    ends = numbers.to_frame("x").select(low=pl.col("x").min(), high=pl.col("x").max())
    low, high = ends.row(0)
    return any(YEAR_2000 * per <= low and high < YEAR_2100 * per for per in UNITS.values())


def may_be_lists(texts: pl.Series) -> bool:
    """Return True if enough texts hold a separator, or all are in brackets."""
    known = texts.drop_nulls()
    if known.is_empty():
        return False
    pattern = "[" + "".join(map(re.escape, (*SEPARATORS, *OF_IDS))) + "]"
    return share_of(known.str.contains(pattern)) >= SPLIT_SHARE or _is_printed(known)


def separator_of(texts: pl.Series, ids: Iterable[pl.Series]) -> str | None:
    """The separator of a column of text lists; None for other text.

    ``ids`` are the values of columns of ids: text of nothing but these is a list.
    """
    known = texts.drop_nulls()
    values = known.unique(maintain_order=True).head(DISTINCT)
    if values.str.contains(r"^\{.*:").any() or values.str.contains("://", literal=True).any():
        return None
    columns = list(ids)
    if _is_printed(known):
        found = [mark for mark in SEPARATORS if values.str.contains(mark, literal=True).any()]
        found = ["," if "," in found else mark for mark in found]
        return found[0] if found else ","
    fits = [mark for mark in SEPARATORS if _splits(mark, known, values, columns)]
    fits = fits or [mark for mark in OF_IDS if _splits_ids(mark, known, values, columns)]
    return fits[0] if fits else None


def _is_printed(known: pl.Series) -> bool:
    """Return True for lists as Python, JSON and databases print them, in brackets."""
    return bool(known.str.contains(PRINTED).all())


def _splits_ids(mark: str, known: pl.Series, values: pl.Series, ids: list[pl.Series]) -> bool:
    """Return True if nothing but ids stands between marks, in lists of unlike lengths."""
    if share_of(known.str.contains(mark, literal=True)) < SPLIT_SHARE:
        return False
    lists = as_lists(values, mark)
    lengths = lists.list.len().drop_nulls().to_numpy()
    if len(np.unique(lengths)) < 2 or lengths.max() < LEAST_LONGEST:
        return False
    parts = as_text(flatten(lists)[0])
    return any(_share_in(parts, of) >= KNOWN for of in ids)


def _splits(mark: str, known: pl.Series, values: pl.Series, ids: list[pl.Series]) -> bool:
    share = share_of(known.str.contains(mark, literal=True))
    if share < (BLANK_SHARE if mark == " " else SPLIT_SHARE):
        return False
    parts = pl.DataFrame({"lists": as_lists(values, mark)}).with_row_index("text")
    parts = parts.with_columns(length=pl.col("lists").list.len()).explode("lists")
    parts = parts.rename({"lists": "part"}).filter(pl.col("part") != "")
    if not _are_words(parts["part"], mark):
        return False
    if _are_times(parts["part"]) or _are_vectors(parts):
        return True
    texts = as_text(parts["part"])
    if any(_share_in(texts, of) >= KNOWN for of in ids):
        return True
    if mark == " " and share_of(parts["part"].str.contains(r"\d")) < BY_BLANKS:
        return False
    return _come_back(parts) and not _is_record(parts)


def _are_words(parts: pl.Series, mark: str) -> bool:
    """Return True for short parts that are whole: no sentences, no halves of brackets."""
    halves = parts.str.count_matches(r"\(") != parts.str.count_matches(r"\)")
    blanks = parts.str.count_matches(" ").sum() / max(1, len(parts))
    return not halves.any() and blanks + 1 <= MOST_WORDS


def _are_times(parts: pl.Series) -> bool:
    """Return True for text that spells times, which seldom come back."""
    numbers = parts.cast(pl.Float64, strict=False)
    if numbers.null_count():
        return len(parts) > 0 and not iso_times(parts).null_count()
    return _within_years(numbers)


def _are_vectors(parts: pl.DataFrame) -> bool:
    """Return True for text of as many numbers each, which are not all whole."""
    numbers = parts["part"].cast(pl.Float64, strict=False)
    if numbers.null_count() or parts["length"].n_unique() > 1:
        return False
    return parts["length"][0] >= MIN_VECTOR and not (numbers == numbers.round()).all()


def _share_in(parts: pl.Series, values: pl.Series) -> float:
    return share_of(parts.is_in(values.implode()))


def _come_back(parts: pl.DataFrame) -> bool:
    """Return True if most parts of texts with several are those of other texts as well."""
    texts = pl.col("text").n_unique().over("part")
    several = parts.with_columns(texts=texts).filter(pl.col("length") > 1)
    return bool((several.select((pl.col("texts") > 1).mean()).item() or 0.0) >= REPEATED)


def _is_record(parts: pl.DataFrame) -> bool:
    """Return True for texts of as many parts, each with values of its own: a device, its system."""
    if parts["length"].n_unique() > 1:
        return False
    placed = parts.with_columns(place=pl.int_range(pl.len()).over("text"))
    counted = placed.group_by("part", "place").len()
    usual = counted.group_by("part").agg(pl.col("len").max())["len"].sum()
    return bool(usual >= IN_PLACE * parts.height)
