"""Kinds of the columns of a table, with a reason for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from automlrank.data.check import is_list, is_plain
from automlrank.data.inference.histories import behind_history, owner_of
from automlrank.data.inference.lists import (
    ListColumn,
    may_be_lists,
    read_lists,
    separator_of,
)
from automlrank.data.inference.names import is_history, is_id
from automlrank.data.inference.view import View
from automlrank.data.inference.when import UNIQUE_SHARE, epoch_unit
from automlrank.data.summary import Summary
from automlrank.schema import (
    CategoricalFeature,
    Feature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    VectorFeature,
)

# Whole numbers of so many values that are not named like ids are amounts, too: as ids and numbers
# census' six (53 to 1,478 values) are worth .0007 of test AUC to a DeepFM. Fewer values are codes
# more often: down to 5 KuaiRand gets 16 such numbers, and validation AUC no gain.
LEAST_AMOUNTS = 50
UNIQUE_ROWS = 1000  # among so many rows that hardly a value repeats in, values are a row's own
LARGEST_AMOUNT = 2**53  # larger numbers are ids: floats do not tell them apart
TEXT = (pl.String, pl.Categorical, pl.Enum)


class ColumnKinds:
    """Looks at one column after the other, noting features and reasons."""

    def __init__(self, schema: Schema, view: View) -> None:
        self.schema, self.view = schema, view
        self.table = view.table
        self.features: dict[str, Feature] = {}
        self.reasons: dict[str, str] = {}
        self.set_aside: list[str] = []
        self.times: dict[str, str] = {}
        self.texts: list[str] = []
        self.lists: dict[str, ListColumn] = {}
        split = schema.split.column if schema.split.by in ("time", "column") else None
        roles = {task.name: "a task" for task in schema.tasks}
        roles |= {name: "ignored" for name in schema.ignore}
        others = (
            *((schema.weight, "the weight"), (schema.incumbent, "the incumbent's score")),
            *((schema.time, "the time"), (split, "the split")),
        )
        self.taken = roles | {name: role for name, role in others if name}
        self.reasons |= {n: f"no feature: {role}" for n, role in self.taken.items()}

    @property
    def ids(self) -> dict[str, str | None]:
        """The columns of ids, with the separators of their text."""
        return {
            feature.source: getattr(feature, "separator", None)
            for feature in self.features.values()
            if isinstance(feature, CategoricalFeature | MultiFeature)
        }

    @property
    def plain_ids(self) -> list[str]:
        """The columns with one id per row."""
        return [f.source for f in self.features.values() if isinstance(f, CategoricalFeature)]

    def look_at(self, names: Iterable[str]) -> None:
        """Note what each column is; lists are read once the columns of ids are known."""
        for name in names:
            self.look_at_column(name, self.view.summaries[name])
        values = {name: self.view.values(name) for name in self.plain_ids if self.texts}
        for name in self.texts:
            self.look_at_text(name, values)

    def look_at_column(self, name: str, found: Summary) -> None:
        kind = self.table.schema[name]
        if name == self.schema.scenario:
            self.add(CategoricalFeature(name), "categorical: the scenario")
        elif found.nulls == self.table.rows:
            self.reasons[name] = "left out: every value is null"
        elif not is_plain(kind):
            self.note_lists(name, read_lists(self.view, name) if is_list(kind) else None)
        elif found.distinct == 1 and not found.nulls:
            self.reasons[name] = "left out: every row has the same value"
        elif isinstance(kind, pl.Duration) or kind == pl.Time:
            self.add(NumericFeature(name), "numeric: seconds")
        elif kind.is_temporal():
            self.times[name] = "a time"
        elif found.binary:
            self.set_aside.append(name)
            self.reasons[name] = "set aside: only 0 and 1, so it may be an outcome"
        elif kind in TEXT:
            self.note_text(name)
        elif unit := epoch_unit(self.view, name):
            self.times[name] = f"a time in {unit}"
        elif found.whole:
            self.look_at_whole(name, found)
        else:
            self.add(NumericFeature(name), "numeric: numbers")

    def look_at_whole(self, name: str, found: Summary) -> None:
        """Take whole numbers for ids, for amounts, or for both."""
        named, is_large = is_id(name), max(abs(found.low), abs(found.high)) > LARGEST_AMOUNT
        if self.is_unique(name, found):
            span = found.high - found.low + 1
            counted = span <= found.distinct / UNIQUE_SHARE or self.view.is_sorted(name)
            if named or is_large or counted:
                self.leave_out_unique(name, found)
            else:
                self.add(NumericFeature(name, transform="log"), "numeric: whole numbers")
            return
        self.add(CategoricalFeature(name), "categorical: whole numbers")
        if found.distinct >= LEAST_AMOUNTS and not named and not is_large:
            feature = NumericFeature(self.free_name(name), transform="log", column=name)
            self.add(feature, "ids and amounts")

    def free_name(self, name: str) -> str:
        """The name of the number beside a column's ids, which no column has."""
        number = f"{name}_number"
        while number in self.table.schema:
            number += "_"
        return number

    def note_text(self, name: str) -> None:
        if may_be_lists(self.view.list_texts(self.view.texts(name))):
            self.texts.append(name)
        else:
            self.look_at_categories(name)

    def look_at_text(self, name: str, ids: Mapping[str, pl.Series]) -> None:
        """Take text with separators for lists, or for categories."""
        texts = self.view.list_texts(self.view.texts(name))
        separator = separator_of(texts, ids.values())
        lists = separator and read_lists(self.view, name, separator)
        if lists:
            self.note_lists(name, lists)
        else:
            self.look_at_categories(name)

    def look_at_categories(self, name: str) -> None:
        found = self.view.summaries[name]
        if self.is_unique(name, found):
            self.leave_out_unique(name, found)
        else:
            self.add(CategoricalFeature(name), "categorical: text")

    def is_unique(self, name: str, found: Summary) -> bool:
        known = self.view.known(name)
        return known >= UNIQUE_ROWS and found.distinct > UNIQUE_SHARE * known

    def leave_out_unique(self, name: str, found: Summary) -> None:
        self.reasons[name] = (
            f"left out: {found.distinct} distinct values in {self.view.known(name)} rows; "
            "a row's id"
        )

    def note_lists(self, name: str, lists: ListColumn | None) -> None:
        """Keep lists for later, as histories are known by the columns of ids."""
        if lists is None:
            self.reasons[name] = f"left out: no feature can be made of {self.table.schema[name]}"
        elif lists.items == "numbers":
            feature = VectorFeature(name, separator=lists.separator)
            self.add(feature, f"vector: lists of {lists.size} numbers")
        else:
            self.lists[name] = lists
            if lists.items == "ids" and not behind_history(name, self.table.schema):
                self.add(MultiFeature(name, separator=lists.separator), f"multi: {_noun(lists)}")

    def look_at_histories(self, time: str | None) -> None:
        """Find the histories; those of equal lengths in every row are one sequence."""
        owners: dict[str, str] = {}
        times: dict[str, ListColumn] = {}
        for name, lists in self.lists.items():
            named = behind_history(name, self.table.schema)
            if lists.items == "times" or (named is not None and named == time):
                times[name] = lists
            elif of := self.owner(lists, named):
                owners[name] = of
            elif named:
                self.add(MultiFeature(name, separator=lists.separator), f"multi: {_noun(lists)}")
        sequences: dict[int, str] = {}
        for name, of in owners.items():
            self.add_history(name, of, sequences, times if time else {})
        self.explain_times(times, time)

    def owner(self, lists: ListColumn, named: str | None) -> str | None:
        """The feature that lists are a history of."""
        others = {
            name: separator
            for name, separator in self.ids.items()
            if name != lists.name and not (name in self.lists and is_history(name))
        }
        if named is not None and named in others:
            return named
        return owner_of(self.view, lists, others)

    def add_history(
        self, name: str, of: str, sequences: dict[int, str], times: Mapping[str, ListColumn]
    ) -> None:
        lists, key = self.lists[name], self.lengths_of(name)
        sequence = sequences.setdefault(key, name)
        known = self.timed(sequence)
        same = {n: item for n, item in times.items() if self.lengths_of(n) == key}
        separator, time = lists.separator, None
        for other, item in same.items():
            both = {lists.separator, item.separator} - {None}
            if len(both) < 2 and known in (None, (other, *both)):
                separator, time = next(iter(both), None), other
                break
        feature = HistoryFeature(name, of=of, sequence=sequence, time=time, separator=separator)
        named = behind_history(name, self.table.schema) == of
        reason = f"named after {of!r}" if named else f"of values of {of!r}"
        self.add(feature, f"history: {_noun(lists)}, {reason}")

    def timed(self, sequence: str) -> tuple[str | None, ...] | None:
        """The times of a sequence's histories, and the separator, if there is one."""
        for feature in self.features.values():
            if (
                isinstance(feature, HistoryFeature)
                and feature.sequence == sequence
                and feature.time
            ):
                return tuple(word for word in (feature.time, feature.separator) if word)
        return None

    def explain_times(self, times: Iterable[str], time: str | None) -> None:
        used = {f.time for f in self.features.values() if isinstance(f, HistoryFeature)}
        for name in times:
            if name in used:
                self.reasons[name] = "no feature: the times of a history"
            elif time is None:
                self.reasons[name] = "left out: lists of times, but no time of the row is known"
            else:
                self.reasons[name] = "left out: lists of times of no history"

    def lengths_of(self, name: str) -> int:
        """A hash of the lengths of a column's lists."""
        lengths = self.view.lengths(name, self.lists[name].separator)
        return hash(lengths.fill_null(0).to_numpy().tobytes())

    def add(self, feature: Feature, reason: str) -> None:
        self.features[feature.name] = feature
        self.reasons[feature.source] = reason


def _noun(lists: ListColumn) -> str:
    return "lists" if lists.separator is None else "text lists"
