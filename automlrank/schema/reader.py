"""Read a schema from YAML or an equal mapping, reporting every fault at once."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from automlrank.documents import Path_, as_document
from automlrank.errors import SchemaError, did_you_mean, shown
from automlrank.schema.columns import (
    KINDS,
    NO_STATISTICS,
    CategoricalFeature,
    Feature,
    HistoryFeature,
    Nulls,
    Split,
    TargetStatistics,
    Task,
)
from automlrank.schema.cross_checks import faults_together
from automlrank.schema.schema import Schema
from automlrank.schema.score import FORM, Score, read_score
from automlrank.schema.settings import SettingsReader

LARGEST = 1e300  # of a weight
WAYS = get_args(get_type_hints(Split)["by"])
FILES = {"train": "train_file", "test": "test_file"}  # as YAML and as Split name them


def read_schema(source: str | Path | Mapping[str, object]) -> Schema:
    """A schema from a YAML file or from the same words as a mapping.

    Raises SchemaError with every fault. A schema without ``features`` has them inferred when it
    meets its table.
    """
    document = as_document(source)
    return _Reader(document).schema()


class _Reader(SettingsReader):
    """Reads a document into a schema, collecting faults."""

    def schema(self) -> Schema:
        data = self.mapping(self.document.data, ())
        self.unknown(data, {f.name for f in dataclasses.fields(Schema)} - {"document"}, ())
        tasks = tuple(
            self.task(name, item)
            for name, item in self.mapping(data.get("tasks", {}), ("tasks",)).items()
        )
        if not tasks:
            self.fault(
                ("tasks",),
                "a schema needs at least one task.",
                "Write tasks: {LABEL: {kind: binary}}.",
            )
        features = tuple(
            self.feature(name, item)
            for name, item in self.mapping(data.get("features", {}), ("features",)).items()
        )
        schema = Schema(
            tasks=tasks,
            features=features,
            crosses=self.crosses(data.get("crosses"), ("crosses",)),
            statistics=self.statistics(data.get("statistics")),
            score=self.score(data.get("score")),
            split=self.split(data.get("split")),
            ignore=self.words(data.get("ignore"), ("ignore",)),
            nulls=self.nulls(data.get("nulls"), ("nulls",)),
            **{
                key: self.word(data.get(key), (key,))
                for key in ("scenario", "group", "weight", "incumbent", "time")
            },
            document=self.document,
        )
        self.faults += faults_together(schema) if tasks else ()
        if self.faults:
            raise SchemaError(self.faults)
        return schema

    def task(self, name: str, item: object) -> Task:
        path = ("tasks", name)
        data = self.mapping(item if item is not None else {}, path)
        self.unknown(data, {"kind", "of", "weight"}, path)
        kind = data.get("kind", "binary")
        if kind not in ("binary", "regression"):
            self.fault((*path, "kind"), f"a task is binary or regression, but got {shown(kind)}.")
            kind = "binary"
        weight = data.get("weight", 1.0)
        if not _is_positive(weight):
            self.fault((*path, "weight"), f"must be a number above 0, but got {shown(weight)}.")
            weight = 1.0
        return Task(name, kind, self.word(data.get("of"), (*path, "of")), float(weight))

    def feature(self, name: str, item: object) -> Feature:
        path = ("features", name)
        before = len(self.faults)
        data = dict(self.mapping(item, path))
        kind = data.pop("kind", None)
        cls = KINDS.get(str(kind))
        if cls is None and len(self.faults) == before:
            problem = (
                f"no column kind {shown(kind)}." if kind is not None else "needs a column kind."
            )
            self.fault((*path, "kind"), problem, did_you_mean(kind, KINDS))
        if cls is None:
            return CategoricalFeature(name)  # so that what refers to it is no second fault
        nulls = self.nulls(data.pop("nulls", None), (*path, "nulls"))
        known = {**self.settings(cls, data, path), "nulls": nulls}
        if cls is HistoryFeature and "of" in data and "of" not in known:
            return CategoricalFeature(name)
        if cls is HistoryFeature:
            known.setdefault("sequence", name)
        return cls(name, **known)

    def nulls(self, item: object, path: Path_) -> Nulls | None:
        """Spellings of null: a list that replaces the usual ones, or ``{add: [...]}``."""
        adds = isinstance(item, Mapping) and set(item) == {"add"}
        words = item["add"] if isinstance(item, Mapping) and adds else item
        if words is None and not adds:
            return None
        plain = isinstance(words, list | tuple) and all(
            isinstance(word, str | int | float) and not isinstance(word, bool) for word in words
        )
        if not plain or not isinstance(words, list | tuple):
            hint = (
                'Write nulls: ["-", NA], or nulls: {add: ["-"]}; put words such as null in quotes.'
            )
            self.fault(path, f"must be a list of words, but got {item!r}.", hint)
            return None
        return Nulls(tuple(str(word).strip() for word in words), bool(adds))

    def crosses(self, item: object, path: Path_) -> tuple[tuple[str, str], ...]:
        """Pairs of columns."""
        pairs: Any = item if isinstance(item, list | tuple) else ([] if item is None else [item])
        for i, pair in enumerate(pairs):
            two = isinstance(pair, list | tuple) and len(pair) == 2
            if not two or not all(isinstance(name, str) for name in pair):
                self.fault((*path, i), f"must be a pair of column names, but got {shown(pair)}.")
                return ()
        return tuple((str(a), str(b)) for a, b in pairs)

    def statistics(self, item: object) -> TargetStatistics | None:
        if item is None:
            return None
        if item == "none":
            return NO_STATISTICS
        path = ("statistics",)
        data = dict(self.mapping(item, path))
        of = self.words(data.pop("of", None), (*path, "of"))
        crosses = data.pop("crosses", None)
        known = self.settings(TargetStatistics, data, path)
        if crosses is not None:
            known["crosses"] = self.crosses(crosses, (*path, "crosses"))
        return TargetStatistics(of, **known)

    def split_value(self, key: str, value: object, types: Mapping[str, Any]) -> object:
        """A value of a split: dates as text, the default for a share that is none."""
        if key in ("valid_from", "test_from") and isinstance(value, datetime.date):
            return str(value)
        if types.get(key) is float and not _is_share(value):
            problem = f"must be a share between 0 and 1, but got {shown(value)}."
            self.fault(("split", key), problem)
            return getattr(Split(), key)
        return value

    def score(self, item: object) -> Score:
        if item is None:
            return ()
        if not isinstance(item, str):
            self.fault(("score",), f"must be {FORM}, but got {shown(item)}.")
            return ()
        try:
            return read_score(item)
        except ValueError as error:
            self.fault(("score",), str(error))
            return ()

    def split(self, item: object) -> Split:
        if item is None:
            return Split()
        before = len(self.faults)
        data = dict(self.mapping(item, ("split",)))
        if len(self.faults) > before:
            return Split()
        by = data.get("by")
        if by not in WAYS:
            self.fault(("split", "by"), f"must be one of {', '.join(WAYS)}, but got {shown(by)}.")
            return Split()
        types = {k: v for k, v in get_type_hints(Split).items() if k not in FILES.values()}
        if by == "file":
            types |= dict.fromkeys(FILES, str)
        data = {key: self.split_value(key, value, types) for key, value in data.items()}
        if by in ("time", "column") and not data.get("column"):
            self.fault(
                ("split",),
                f"a split by {by} needs its column.",
                "Write split: {by: ..., column: NAME}.",
            )
        if (data.get("valid_from") is None) != (data.get("test_from") is None):
            self.fault(("split",), "valid_from and test_from go together.")
        known = self.typed(types, data, ("split",))
        if len(self.faults) > before:
            return Split()
        return Split(**{FILES.get(k, k) if by == "file" else k: v for k, v in known.items()})


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < 1


def _is_positive(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 < value < LARGEST
