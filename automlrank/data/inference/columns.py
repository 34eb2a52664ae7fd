"""Kinds of the columns of a table, with a reason for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from automlrank.data.check import is_list, is_plain
from automlrank.data.inference.lists import (
    ListColumn,
    may_be_lists,
    read_lists,
    separator_of,
)
from automlrank.data.inference.names import is_id, is_time
from automlrank.data.inference.sequences import Sequences
from automlrank.data.inference.view import View
from automlrank.data.inference.when import UNIQUE_SHARE, Epochs, epochs_of
from automlrank.data.summary import Summary
from automlrank.schema import (
    CategoricalFeature,
    Feature,
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
        self.epochs: dict[str, Epochs] = {}
        """Whole numbers that may be times, though their names do not say so."""
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
        else:
            self.look_at_numbers(name, found)

    def look_at_numbers(self, name: str, found: Summary) -> None:
        """Take numbers for times, for ids or for amounts."""
        epochs = epochs_of(self.view, name)
        if epochs and found.whole and not is_time(name):
            self.epochs[name] = epochs
        if epochs and epochs.are_times:
            self.times[name] = f"a time in {epochs.unit}"
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
        if may_be_lists(self.view.possible_lists(name)):
            self.texts.append(name)
        else:
            self.look_at_categories(name)

    def look_at_text(self, name: str, ids: Mapping[str, pl.Series]) -> None:
        """Take text with separators for lists, or for categories."""
        texts = self.view.possible_lists(name)
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
            if lists.items == "ids":
                self.add(MultiFeature(name, separator=lists.separator), f"multi: {lists.noun}")

    def look_at_histories(self, time: str | None) -> None:
        """Find the histories among the lists, and their times."""
        found = Sequences(self.view, self.lists, time)
        found.find(self.ids)
        for name in found.times:
            self.features.pop(name, None)
        self.features |= found.histories
        self.reasons |= dict(found.reasons())

    def add(self, feature: Feature, reason: str) -> None:
        self.features[feature.name] = feature
        self.reasons[feature.source] = reason
