"""Schemas from YAML or from the same words as a mapping, every fault at once."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from automlrank.documents import Document, Path_, as_document
from automlrank.errors import Fault, SchemaError, did_you_mean
from automlrank.schema.columns import (
    KINDS,
    Feature,
    History,
    Schema,
    Split,
    Statistics,
    Task,
)
from automlrank.schema.together import faults_together

LARGEST = 2**31 - 4  # ids are int32, three of them special
WAYS = get_args(get_type_hints(Split)["by"])
FILES = {"train": "train_file", "test": "test_file"}  # as YAML and as Split name them


def read_schema(source: str | Path | Mapping[str, object]) -> Schema:
    """A schema from a YAML file or from the same words as a mapping.

    Raises SchemaError with every fault. A schema without ``features`` has them inferred when it
    meets its table.
    """
    document = as_document(source)
    return _Reader(document).schema()


class _Reader:
    """Reads a document into a schema, collecting faults."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

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
            feature
            for name, item in self.mapping(data.get("features", {}), ("features",)).items()
            if (feature := self.feature(name, item)) is not None
        )
        schema = Schema(
            tasks=tasks,
            features=features,
            crosses=self.crosses(data.get("crosses")),
            statistics=self.statistics(data.get("statistics")),
            split=self.split(data.get("split")),
            ignore=self.words(data.get("ignore"), ("ignore",)),
            **{
                key: self.word(data.get(key), (key,))
                for key in ("scenario", "group", "weight", "incumbent", "time")
            },
            document=self.document,
        )
        self.faults += faults_together(schema)
        if self.faults:
            raise SchemaError(self.faults)
        return schema

    def task(self, name: str, item: object) -> Task:
        path = ("tasks", name)
        data = self.mapping(item if item is not None else {}, path)
        self.unknown(data, {"kind", "of"}, path)
        kind = data.get("kind", "binary")
        if kind not in ("binary", "regression"):
            self.fault((*path, "kind"), f"a task is binary or regression, but got {kind!r}.")
        return Task(name, kind, self.word(data.get("of"), (*path, "of")))

    def feature(self, name: str, item: object) -> Feature | None:
        path = ("features", name)
        data = dict(self.mapping(item, path))
        kind = data.pop("kind", None)
        cls = KINDS.get(str(kind))
        if cls is None:
            self.fault((*path, "kind"), f"no column kind {kind!r}.", did_you_mean(kind, KINDS))
            return None
        known = self.settings(cls, data, path)
        if cls is History:
            known.setdefault("sequence", name)
        return cls(name, **known)

    def settings(self, cls: type, data: Mapping[str, Any], path: Path_) -> dict[str, Any]:
        """The settings of a feature or a block of settings that have their types."""
        types = {k: v for k, v in get_type_hints(cls).items() if k not in ("name", "size")}
        types = {k: v for k, v in types.items() if get_origin(v) is not ClassVar}
        return self.typed(types, data, path)

    def typed(
        self, types: Mapping[str, Any], data: Mapping[str, Any], path: Path_
    ) -> dict[str, Any]:
        """The values that have the types of their keys."""
        self.unknown(data, set(types), path)
        return {
            key: value
            for key, value in data.items()
            if key in types and self.fits(value, types[key], (*path, key))
        }

    def fits(self, value: object, annotation: Any, path: Path_) -> bool:
        """Whether a setting has the type and range of its field."""
        if get_origin(annotation) is Literal:
            choices = get_args(annotation)
            if value not in choices:
                self.fault(path, f"must be one of {', '.join(choices)}, but got {value!r}.")
            return value in choices
        right, words = _fits(value, annotation)
        if not right:
            self.fault(path, f"must be {words}, but got {value!r}.")
        return right

    def crosses(self, item: object) -> tuple[tuple[str, str], ...]:
        """Pairs of columns."""
        pairs: Any = item if isinstance(item, list | tuple) else ([] if item is None else [item])
        for i, pair in enumerate(pairs):
            two = isinstance(pair, list | tuple) and len(pair) == 2
            if not two or not all(isinstance(name, str) for name in pair):
                self.fault(("crosses", i), f"must be a pair of column names, but got {pair!r}.")
                return ()
        return tuple((str(a), str(b)) for a, b in pairs)

    def statistics(self, item: object) -> Statistics | None:
        if item is None:
            return None
        path = ("statistics",)
        data = dict(self.mapping(item, path))
        of = self.words(data.pop("of", None), (*path, "of"))
        return Statistics(of, **self.settings(Statistics, data, path))

    def split(self, item: object) -> Split:
        if item is None:
            return Split()
        data = dict(self.mapping(item, ("split",)))
        by = data.get("by")
        if by not in WAYS:
            self.fault(("split", "by"), f"must be one of {', '.join(WAYS)}, but got {by!r}.")
            return Split()
        types = {k: v for k, v in get_type_hints(Split).items() if k not in FILES.values()}
        if by == "file":
            types |= dict.fromkeys(FILES, str)
        for key, value in data.items():
            if key in ("valid_from", "test_from") and isinstance(value, datetime.date):
                data[key] = str(value)
            elif types.get(key) is float and not _is_share(value):
                self.fault(("split", key), f"must be a share between 0 and 1, but got {value!r}.")
                data[key] = getattr(Split(), key)
        if by in ("time", "column") and not data.get("column"):
            self.fault(
                ("split",),
                f"a split by {by} needs its column.",
                "Write split: {by: ..., column: NAME}.",
            )
        if (data.get("valid_from") is None) != (data.get("test_from") is None):
            self.fault(("split",), "valid_from and test_from go together.")
        known = self.typed(types, data, ("split",))
        return Split(**{FILES.get(k, k) if by == "file" else k: v for k, v in known.items()})

    def mapping(self, data: object, path: Path_) -> Mapping[str, Any]:
        if isinstance(data, Mapping):
            return data
        self.fault(path, f"must be a mapping of keys to values, but got {data!r}.")
        return {}

    def word(self, value: object, path: Path_) -> str | None:
        if value is not None and not isinstance(value, str):
            self.fault(path, f"must be the name of a column, but got {value!r}.")
            return None
        return value

    def words(self, value: object, path: Path_) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            self.fault(path, f"must be a list of column names, but got {value!r}.")
            return ()
        return tuple(value)

    def unknown(self, data: Mapping[str, object], known: set[str], path: Path_) -> None:
        for key in data:
            if key not in known:
                self.fault((*path, key), f"unknown key {key!r}.", did_you_mean(key, known))

    def fault(self, path: Path_, problem: str, hint: str = "") -> None:
        self.faults.append(self.document.fault(path, problem, hint))


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < 1


def _fits(value: object, annotation: Any) -> tuple[bool, str]:
    """Whether a value has a field's type and range, and the type in words."""
    kinds = get_args(annotation) or (annotation,)
    if value is None and type(None) in kinds:
        return True, ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    finite = number and math.isfinite(float(str(value)))
    word = isinstance(value, str) and value != ""
    if {float, str} <= set(kinds):
        return finite or word, "a finite number or a word"
    if bool in kinds:
        return isinstance(value, bool), "true or false"
    if int in kinds:
        whole = isinstance(value, int) and not isinstance(value, bool)
        words = "a whole number of 1 or more"
        if whole and int(str(value)) > LARGEST:
            return False, f"{words}, at most {LARGEST:,}"
        return whole and int(str(value)) >= 1, words
    if float in kinds:
        return finite and float(str(value)) > 0, "a finite number above 0"
    return word, "a word"
