"""Times among the columns of a table, and the one that tells when a row happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from automlrank.data.inference.names import is_id, is_occasion, is_of_a_life, is_time
from automlrank.data.inference.view import View, share_of
from automlrank.data.split import NAMES, Labels, labels_by_time
from automlrank.data.summary import Summary, plain
from automlrank.data.table import Table
from automlrank.data.times import UNITS, YEAR_2100
from automlrank.schema import Schema, Split, Task

UNIT_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
YEAR_1990, YEAR_2000 = 631_152_000, 946_684_800  # seconds; MovieLens begins in 1995
# Numbers without a name that speaks of time are times if they are in order, or if they hardly
# repeat and lie as times do: within 20 years, as ids of ten digits that are drawn from all of them
# do not, and further apart than ids that were counted up. Nanoseconds end in zeros; ids made of a
# clock and a counter, of 19 digits as well, do not.
UNIQUE_SHARE = 0.95
LOGGED_YEARS = 20 * 365 * 86_400  # seconds
COUNTED_UP = 3  # units from one value to the next, at most
MOSTLY_NULL = 0.5
IN_ORDER = 0.95  # of the rows; KuaiRand's days and milliseconds have .991
LEAST_PART = 0.25  # of its share that a split by time must get
LEAST_TRAIN = 0.5


class Epochs(NamedTuple):
    """Numbers that are all times up to 2100, if they are times."""

    unit: str
    reason: str
    """The sign that they are times; or, of ``are_times`` False, that they are not."""
    are_times: bool = True

    def __str__(self) -> str:
        return f"{UNIT_WORDS[self.unit]} since 1970"


def epochs_of(view: View, name: str) -> Epochs | None:
    """Numbers that may be times; None of other columns, and of those that are named as ids."""
    found = view.summaries[name]
    if found.low is None or is_id(name):
        return None
    first = YEAR_1990 if is_time(name) else YEAR_2000
    unit = next((u for u, per in UNITS.items() if _within(found, first, per)), None)
    if unit is None:
        return None
    if is_time(name):
        return Epochs(unit, "its name says so")
    if unit == "ns" and bool((view.sample[name] % 1000 != 0).any()):
        return Epochs(unit, "its digits do not end in zeros", are_times=False)
    if view.is_sorted(name):
        return Epochs(unit, "its values are in the order of the rows")
    doubt = _not_spread(view, name, UNITS[unit])
    return Epochs(unit, doubt or "its values hardly repeat and lie as times do", not doubt)


def _within(found: Summary, first: float, per: float) -> bool:
    """Return True if all values are times from the first second to 2100."""
    return bool(first * per <= found.low and found.high < YEAR_2100 * per)


def _not_spread(view: View, name: str, per: float) -> str:
    """The reason why values in no order do not lie as times do; empty if they do."""
    found = view.summaries[name]
    span = found.high - found.low
    if found.distinct <= UNIQUE_SHARE * view.known(name):
        return "its values repeat, in no order"
    if span <= COUNTED_UP * found.distinct:
        return "its values are as near to each other as ids that were counted up"
    return "" if span < LOGGED_YEARS * per else "its values span more than 20 years"


@dataclass(frozen=True)
class Times:
    """The column that tells when a row happened, if one does, and why each other does not."""

    column: str | None
    others: Mapping[str, str]
    candidates: tuple[str, ...] = ()
    """Several columns that may tell it."""


def when(view: View, times: Sequence[str], ids: Sequence[str], task: Task) -> Times:
    """Choose among columns of times; ``ids`` are the columns that are ids."""
    others: dict[str, str] = {}
    for name in times:
        if reason := _not_of_the_row(view, name, ids, task):
            others[name] = reason
    left = [name for name in times if name not in others]
    for name in list(left):
        finer = [other for other in left if other != name and _is_coarser(view, name, other)]
        if finer:
            left.remove(name)
            finest = max(finer, key=lambda other: view.summaries[other].distinct)
            others[name] = f"a coarser form of {finest!r}"
    if len(left) != 1:
        return Times(None, others, tuple(left))
    return Times(left[0], others)


def _not_of_the_row(view: View, name: str, ids: Sequence[str], task: Task) -> str:
    """The reason why a time is not that of the row; empty if there is none."""
    if view.summaries[name].nulls > MOSTLY_NULL * view.table.rows:
        return "a time that is mostly null"
    if task.kind == "binary" and _tells_the_label(view, name, task.name):
        return f"a time that is known only after {task.name!r}"
    for owner in ids:
        if owner != name and _is_fact_of(view, name, owner):
            return f"a time that is the same in all rows of one {owner!r}"
    return "named like a time in the life of a user or an item" if is_of_a_life(name) else ""


def _tells_the_label(view: View, name: str, label: str) -> bool:
    """Return True if a time is null just where the label is 0."""
    if not view.summaries[name].nulls:
        return False
    known = view.sample[name].is_not_null()
    happened = (view.sample[label].cast(pl.Float64, strict=False) == 1).fill_null(False)
    odd = (known != happened).sum()
    return odd <= (1 - UNIQUE_SHARE) * view.sample[name].null_count()


def _is_fact_of(view: View, name: str, owner: str) -> bool:
    """Return True for a time that belongs to an id, as an item's release does.

    The rows of a session share their time as well, and a log is sorted by time: there a time that
    goes on while an id comes back is the row's. A number of the day is no id of something.
    """
    if is_occasion(owner) or not view.belongs_to(name, owner):
        return False
    if view.is_sorted(name) and not view.is_in_blocks(owner):
        return False
    return is_id(owner) or not _goes_with(view, owner, name)


def _goes_with(view: View, owner: str, name: str) -> bool:
    """Return True if the values of a column rise or fall with a time."""
    kind = view.sample.schema[owner]
    values = view.sample[owner] if kind.is_numeric() else view.texts(owner)
    pairs = pl.DataFrame({"time": view.order(name), "value": values}).drop_nulls().sort("time")
    return pairs["value"].is_sorted() or pairs["value"].is_sorted(descending=True)


def _is_coarser(view: View, name: str, other: str) -> bool:
    """Return True if a time follows from another, as the day does from a timestamp.

    Both are in one order then; a day may begin an hour too early in some rows.
    """
    pairs = pl.DataFrame({"fine": view.order(other), "coarse": view.order(name)}).drop_nulls()
    values, finer = pairs["coarse"].n_unique(), pairs["fine"].n_unique()
    if values > finer or pairs.is_empty():
        return False
    same = pairs.sort("fine", "coarse")["coarse"] == pairs["coarse"].sort()
    return share_of(same) >= (IN_ORDER if values <= finer / 2 else 1.0)


def split_by(table: Table, time: str, schema: Schema) -> tuple[Split, str]:
    """A split by time, or a random one with the reason why the time cannot split the rows."""
    column = table.select(plain(time, table.schema[time]).alias("time")).to_series()
    if column.null_count():
        return Split(), f"{time!r} is null in {column.null_count():,} of {len(column):,} rows"
    split = Split("time", time)
    labels = labels_by_time(column, split.valid, split.test)
    train, valid, test = np.bincount(labels, minlength=len(NAMES)) / table.rows
    if train < LEAST_TRAIN or valid < LEAST_PART * split.valid or test < LEAST_PART * split.test:
        return Split(), f"{time!r} has too few distinct values, {column.n_unique():,}"
    for task in schema.tasks:
        if reason := _one_class(table, task, labels):
            return Split(), reason
    return split, ""


def _one_class(table: Table, task: Task, labels: Labels) -> str:
    """The reason why a part of a split cannot judge a task: it has one class of a binary label."""
    if task.kind != "binary":
        return ""
    kind = table.schema[task.name]
    values = table.select(plain(task.name, kind).cast(pl.Float64).alias("y")).to_series()
    if values.drop_nulls().n_unique() < 2:  # constant however it is split
        return ""
    for k, name in enumerate(NAMES):
        if values.filter(labels == k).drop_nulls().n_unique() < 2:
            return f"by time {task.name!r} would have one class in {name}"
    return ""
