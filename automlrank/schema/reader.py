"""Schemas from YAML or from the same words as a mapping, every fault at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automlrank.documents import Document, Path_, read_document
from automlrank.errors import Fault, SchemaError, did_you_mean
from automlrank.schema.columns import (
    CHOICES,
    KINDS,
    Categorical,
    Feature,
    History,
    Multi,
    Schema,
    Split,
    Task,
)


def read_schema(source: str | Path | Mapping[str, object]) -> Schema:
    """A schema from a YAML file or from the same words as a mapping.

    Raises SchemaError with every fault. A schema without ``features`` has them inferred when it
    meets its table.
    """
    document = Document(source) if isinstance(source, Mapping) else read_document(source)
    return _Reader(document).schema()


class _Reader:
    """Reads a document into a schema, collecting faults."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

    def schema(self) -> Schema:
        data = self.mapping(self.document.data, ())
        known = {f.name for f in dataclasses.fields(Schema)}
        self.unknown(data, known, ())
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
            split=self.split(data.get("split")),
            ignore=self.words(data.get("ignore"), ("ignore",)),
            **{
                key: self.word(data.get(key), (key,))
                for key in ("scenario", "group", "weight", "time")
            },
        )
        self.together(schema)
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
        fields = {f.name: f for f in dataclasses.fields(cls) if f.name not in ("name", "size")}
        self.unknown(data, set(fields), path)
        known = {
            key: value
            for key, value in data.items()
            if key in fields and self.fits(key, value, fields[key].type, path)
        }
        if cls is History:
            known.setdefault("sequence", name)
        return cls(name, **known)

    def fits(self, key: str, value: object, annotation: Any, path: Path_) -> bool:
        """Whether a setting has the type and range of its field."""
        if key in CHOICES:
            if value not in CHOICES[key]:
                self.fault(
                    (*path, key), f"must be one of {', '.join(CHOICES[key])}, but got {value!r}."
                )
                return False
            return True
        wanted: dict[str, tuple[type, str]] = {
            "bool": (bool, "true or false"),
            "int": (int, "a whole number of 1 or more"),
        }
        cls, words = wanted.get(str(annotation), (str, "a word"))
        right = isinstance(value, cls) and (cls is bool or not isinstance(value, bool))
        if cls is int:
            right = right and int(value) >= 1  # type: ignore[call-overload]
        if not right and not (value is None and "None" in str(annotation)):
            self.fault((*path, key), f"must be {words}, but got {value!r}.")
            return False
        return True

    def split(self, item: object) -> Split:
        if item is None:
            return Split()
        data = dict(self.mapping(item, ("split",)))
        ways = ("time", "random", "column", "file")
        if data.get("by") not in ways:
            self.fault(
                ("split", "by"), f"must be one of {', '.join(ways)}, but got {data.get('by')!r}."
            )
            return Split()
        if data["by"] == "file":
            data = {
                {"train": "train_file", "test": "test_file"}.get(k, k): v for k, v in data.items()
            }
        self.unknown(data, {f.name for f in dataclasses.fields(Split)}, ("split",))
        for key in ("valid", "test"):
            share = data.get(key, 0.1)
            if not isinstance(share, int | float) or not 0 < share < 1:
                self.fault(("split", key), f"must be a share between 0 and 1, but got {share!r}.")
                data.pop(key)
        if data["by"] in ("time", "column") and not data.get("column"):
            self.fault(
                ("split",),
                f"a split by {data['by']} needs its column.",
                "Write split: {by: ..., column: NAME}.",
            )
        if (data.get("valid_from") is None) != (data.get("test_from") is None):
            self.fault(("split",), "valid_from and test_from go together.")
        return Split(
            **{k: v for k, v in data.items() if k in {f.name for f in dataclasses.fields(Split)}}
        )

    def together(self, schema: Schema) -> None:
        """Rules that hold between the parts."""
        names = {task.name for task in schema.tasks}
        for task in schema.tasks:
            if task.of is not None and task.of not in names:
                self.fault(
                    ("tasks", task.name, "of"),
                    f"no task {task.of!r}.",
                    did_you_mean(task.of, names),
                )
        by_name = {feature.name: feature for feature in schema.features}
        for name in names & set(by_name):
            self.fault(("features", name), "a label must not be a feature.")
        for feature in schema.of_kind("history"):
            if not isinstance(by_name.get(feature.of), Categorical | Multi):
                self.fault(
                    ("features", feature.name, "of"),
                    f"a history is of a categorical or multi feature, but got {feature.of!r}.",
                    did_you_mean(feature.of, by_name),
                )
        for name, columns in schema.sequences.items():
            sides = {column.name: column.side for column in columns}
            if len(set(sides.values())) > 1:
                shown = ", ".join(f"{column}: {side}" for column, side in sides.items())
                problem = f"the histories of sequence {name!r} need one side, but got {shown}."
                self.fault(("features", columns[0].name, "side"), problem)
        if (
            schema.scenario
            and schema.features
            and not isinstance(by_name.get(schema.scenario), Categorical)
        ):
            self.fault(
                ("scenario",), f"must be a categorical feature, but got {schema.scenario!r}."
            )

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
