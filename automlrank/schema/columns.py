"""The values that a schema is made of: tasks, features, split."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Side = Literal["user", "request", "item"]


@dataclass(frozen=True)
class Task:
    """A label; ``of`` names the task that must have happened first."""

    name: str
    kind: Literal["binary", "regression"] = "binary"
    of: str | None = None


@dataclass(frozen=True)
class Categorical:
    """One id per row; values rarer than ``min_count`` share the out-of-vocabulary id."""

    kind: ClassVar[str] = "categorical"
    name: str
    side: Side = "item"
    context: bool = False
    min_count: int = 1
    size: int = 0
    """Ids including padding, null and out-of-vocabulary; 0 until fitted."""


@dataclass(frozen=True)
class Numeric:
    """One number per row, scaled on the training split."""

    kind: ClassVar[str] = "numeric"
    name: str
    side: Side = "item"
    context: bool = False
    transform: Literal["standard", "log", "none"] = "standard"


@dataclass(frozen=True)
class Multi:
    """Several ids per row: a list column, or text with a ``separator``; averaged."""

    kind: ClassVar[str] = "multi"
    name: str
    side: Side = "item"
    context: bool = False
    separator: str | None = None
    min_count: int = 1
    max_length: int = 20
    size: int = 0


@dataclass(frozen=True)
class History:
    """Earlier behaviours, oldest first, the last ``max_length`` kept; shares the ids of ``of``.

    A list column, or text with a ``separator``. Histories with one ``sequence`` are joined per
    position.
    """

    kind: ClassVar[str] = "history"
    name: str
    of: str = ""
    sequence: str = ""
    max_length: int = 50
    time: str | None = None
    side: Side = "item"
    separator: str | None = None


Feature = Categorical | Numeric | Multi | History
KINDS: dict[str, type[Feature]] = {cls.kind: cls for cls in (Categorical, Numeric, Multi, History)}
CHOICES: dict[str, tuple[str, ...]] = {
    "side": ("user", "request", "item"),
    "transform": ("standard", "log", "none"),
}


@dataclass(frozen=True)
class Split:
    """How rows become train, valid and test.

    ``time``: by a column, as shares of rows from its end or from given values on; ``random``:
    shares; ``column``: a column that says train, valid or test; ``file``: files beside the data.
    """

    by: Literal["time", "random", "column", "file"] = "random"
    column: str | None = None
    valid: float = 0.1
    test: float = 0.1
    valid_from: int | float | str | None = None
    test_from: int | float | str | None = None
    train_file: str | None = None
    test_file: str | None = None


@dataclass(frozen=True)
class Schema:
    """The whole declaration; the first task is the primary one."""

    tasks: tuple[Task, ...]
    features: tuple[Feature, ...] = ()
    scenario: str | None = None
    group: str | None = None
    weight: str | None = None
    time: str | None = None
    split: Split = Split()
    ignore: tuple[str, ...] = ()

    def feature(self, name: str) -> Feature:
        """The feature of that name."""
        return next(feature for feature in self.features if feature.name == name)

    def of_kind(self, kind: str, *, request: bool | None = None) -> tuple[Any, ...]:
        """The features of a kind; of the request's sides, or of the item's, where asked."""
        return tuple(
            f
            for f in self.features
            if f.kind == kind and (request is None or (f.side != "item") == request)
        )

    @property
    def sequences(self) -> dict[str, tuple[History, ...]]:
        """The histories by the name of their sequence."""
        result: dict[str, tuple[History, ...]] = {}
        for feature in self.of_kind("history"):
            result[feature.sequence] = (*result.get(feature.sequence, ()), feature)
        return result

    @property
    def is_fitted(self) -> bool:
        return all(getattr(feature, "size", 1) for feature in self.features)

    def fitted(self, sizes: Mapping[str, int]) -> Schema:
        """The same schema with the number of ids of each categorical and multi column."""
        return dataclasses.replace(
            self,
            features=tuple(
                dataclasses.replace(f, size=sizes[f.name])
                if isinstance(f, Categorical | Multi)
                else f
                for f in self.features
            ),
        )

    def to_data(self) -> dict[str, object]:
        """The plain data that ``read_schema`` reads back to an equal (unfitted) schema."""
        data: dict[str, object] = {
            "tasks": {
                task.name: _said(task, Task(task.name), keep=("kind",)) for task in self.tasks
            }
        }
        if self.features:
            data["features"] = {
                f.name: {"kind": f.kind, **_said(f, type(f)(f.name))} for f in self.features
            }
        for key in ("scenario", "group", "weight", "time"):
            if getattr(self, key) is not None:
                data[key] = getattr(self, key)
        data["split"] = _split_data(self.split)
        if self.ignore:
            data["ignore"] = list(self.ignore)
        return data


def _said(value: Any, default: Any, keep: tuple[str, ...] = ()) -> dict[str, object]:
    """The fields that differ from their defaults; ``size`` belongs to the encoder."""
    return {
        f.name: getattr(value, f.name)
        for f in dataclasses.fields(value)
        if f.name not in ("name", "size")
        and (f.name in keep or getattr(value, f.name) != getattr(default, f.name))
    }


def _split_data(split: Split) -> dict[str, object]:
    renamed = {"train_file": "train", "test_file": "test"}
    if split.by == "file":
        return {
            "by": "file",
            "train": split.train_file,
            "test": split.test_file,
            "valid": split.valid,
        }
    return {
        renamed.get(k, k): v
        for k, v in dataclasses.asdict(split).items()
        if v is not None and not (split.by == "column" and k in ("valid", "test"))
    }
