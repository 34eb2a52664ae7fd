"""Histories as features: their sequences and the times of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from automlrank.data.inference.histories import behind_history, owner_of
from automlrank.data.inference.lists import ListColumn
from automlrank.data.inference.names import is_history
from automlrank.data.inference.view import View
from automlrank.schema import HistoryFeature


@dataclass
class Sequences:
    """Histories among columns of lists; those of equal lengths in every row are one sequence."""

    view: View
    lists: Mapping[str, ListColumn]
    time: str | None
    """The time of the row; without one histories have no times."""
    histories: dict[str, HistoryFeature] = field(default_factory=dict)
    times: dict[str, ListColumn] = field(default_factory=dict)

    def find(self, ids: Mapping[str, str | None]) -> None:
        """Find histories of columns of ids, given with the separators of their text."""
        owners: dict[str, str] = {}
        of_one = {n: s for n, s in ids.items() if not (n in self.lists and is_history(n))}
        for name, lists in self.lists.items():
            if self.is_times(lists):
                self.times[name] = lists
            elif of := self.owner(lists, {n: s for n, s in of_one.items() if n != name}):
                owners[name] = of
        first: dict[int, str] = {}
        for name, of in owners.items():
            self.histories[name] = self.feature(name, of, first)

    def is_times(self, lists: ListColumn) -> bool:
        named = behind_history(lists.name, self.view.table.schema)
        return lists.items == "times" or (named is not None and named == self.time)

    def owner(self, lists: ListColumn, ids: Mapping[str, str | None]) -> str | None:
        """The column that lists are a history of."""
        named = behind_history(lists.name, self.view.table.schema)
        return named if named is not None and named in ids else owner_of(self.view, lists, ids)

    def feature(self, name: str, of: str, first: dict[int, str]) -> HistoryFeature:
        """The feature of a history; ``first`` are the first histories of each lengths."""
        lists, key = self.lists[name], self.lengths_of(name)
        sequence = first.setdefault(key, name)
        known = next(self.timed(sequence), None)
        for time, item in self.times.items() if self.time else ():
            both = {lists.separator, item.separator} - {None}
            fits = len(both) < 2 and known in (None, (time, *both))
            if fits and self.lengths_of(time) == key:
                separator = next(iter(both), None)
                return HistoryFeature(name, of, sequence, time=time, separator=separator)
        return HistoryFeature(name, of, sequence, separator=lists.separator)

    def timed(self, sequence: str) -> Iterator[tuple[str, ...]]:
        """Yield the times of a sequence's histories, with the separator of text."""
        for other in self.histories.values():
            if other.sequence == sequence and other.time:
                yield (other.time, *((other.separator,) if other.separator else ()))

    def lengths_of(self, name: str) -> int:
        """A hash of the lengths of a column's lists."""
        lengths = self.view.lengths(name, self.lists[name].separator)
        return hash(lengths.fill_null(0).to_numpy().tobytes())

    def reasons(self) -> Iterator[tuple[str, str]]:
        """Yield why each column of lists is a history, or is none though it holds times."""
        for name, feature in self.histories.items():
            named = behind_history(name, self.view.table.schema) == feature.of
            reason = f"named after {feature.of!r}" if named else f"of values of {feature.of!r}"
            yield name, f"history: {self.lists[name].noun}, {reason}"
        used = {feature.time for feature in self.histories.values()}
        for name in self.times:
            if name in used:
                yield name, "no feature: the times of a history"
            elif self.time is None:
                yield name, "left out: lists of times, but no time of the row is known"
            else:
                yield name, "left out: lists of times of no history"
