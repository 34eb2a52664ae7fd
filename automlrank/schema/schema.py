"""The class ``Schema``: tasks, features and all other declarations about a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from automlrank.documents import Document, Path_
from automlrank.errors import Fault, SchemaError, did_you_mean
from automlrank.schema.columns import (
    NO_STATISTICS,
    Feature,
    HistoryFeature,
    Nulls,
    Split,
    TargetStatistics,
    Task,
)
from automlrank.schema.score import Score, score_text


@dataclass(frozen=True)
class Schema:
    """The whole declaration; the first task is the primary one."""

    tasks: tuple[Task, ...]
    features: tuple[Feature, ...] = ()
    crosses: tuple[tuple[str, str], ...] = ()
    statistics: TargetStatistics | None = None
    score: Score = ()
    """Product of the tasks' predictions by which candidates are ranked; empty is none."""
    scenario: str | None = None
    group: str | None = None
    weight: str | None = None
    incumbent: str | None = None
    """The score of the model in use, on any scale that grows with the label; no feature."""
    time: str | None = None
    split: Split = field(default_factory=Split)
    ignore: tuple[str, ...] = ()
    nulls: Nulls | None = None
    """Spellings of null in all columns that do not have their own."""
    document: Document | None = field(default=None, compare=False, repr=False)
    """Source of the schema, for the lines of faults."""

    def feature(self, name: str) -> Feature:
        """The feature of that name."""
        return next(feature for feature in self.features if feature.name == name)

    def of_role(self, role: str, *, request: bool | None = None) -> tuple[Any, ...]:
        """The features that a batch holds under ``role``; of the request's sides, or the item's.

        Roles are ``ids``, ``numbers``, ``multi``, ``vector``, ``history``.
        """
        return tuple(
            f
            for f in self.features
            if f.role == role and (request is None or (f.side != "item") == request)
        )

    def source(self, name: str) -> str:
        """The column that the feature of that name is made of; a column that is none, itself."""
        return next((feature.source for feature in self.features if feature.name == name), name)

    def owner(self, name: str) -> str:
        """The feature whose vocabulary and embeddings the feature of that name has."""
        feature = self.feature(name)
        if isinstance(feature, HistoryFeature):
            return self.owner(feature.of)
        return getattr(feature, "shared_with", None) or name

    @property
    def rated(self) -> tuple[tuple[str, ...], ...]:
        """The columns and the pairs of columns that have statistics."""
        if self.statistics is None:
            return ()
        own = self.statistics.crosses
        pairs = self.crosses if own is None else own
        return (*((name,) for name in self.statistics.of), *pairs)

    @property
    def statistic_columns(self) -> dict[tuple[str, ...], bool]:
        """Columns of each statistic, and whether all are the request's: those, then the item's."""
        requests = {feature.name: feature.side != "item" for feature in self.features}
        sides = {columns: all(requests[name] for name in columns) for columns in self.rated}
        return dict(sorted(sides.items(), key=lambda item: not item[1]))

    @property
    def statistic_sizes(self) -> dict[str, int]:
        """Number of columns that a batch holds under each ``statistics:SIDE``.

        A statistic has a rate per task and a count; a side without a statistic has no key.
        """
        sizes: dict[str, int] = {}
        for is_request in self.statistic_columns.values():
            key = f"statistics:{'request' if is_request else 'item'}"
            sizes[key] = sizes.get(key, 0) + len(self.tasks) + 1
        return sizes

    @property
    def parents(self) -> tuple[int, ...]:
        """For each task the place of the one that must have happened first, -1 for none."""
        names = [task.name for task in self.tasks]
        return tuple(-1 if task.of is None else names.index(task.of) for task in self.tasks)

    @property
    def binary_parents(self) -> tuple[int, ...]:
        """The parents of binary tasks; -1 for a regression task, too."""
        kinds = [task.kind for task in self.tasks]
        pairs = zip(kinds, self.parents, strict=True)
        return tuple(parent if kind == "binary" else -1 for kind, parent in pairs)

    @property
    def regression(self) -> tuple[int, ...]:
        """The places of the regression tasks."""
        return tuple(i for i, task in enumerate(self.tasks) if task.kind == "regression")

    @property
    def regression_names(self) -> tuple[str, ...]:
        """Their names: such labels have a mean, and no rate."""
        return tuple(self.tasks[i].name for i in self.regression)

    @property
    def exponents(self) -> tuple[float, ...]:
        """Exponents of the fused score, one per task; 0 for a task that takes no part."""
        known = dict(self.score)
        return tuple(known.get(task.name, 0.0) for task in self.tasks)

    def timed(self, sequence: str) -> HistoryFeature | None:
        """The history of the sequence that names its times, by which it has ages and sessions."""
        return next((history for history in self.sequences[sequence] if history.time), None)

    def with_primary(self, label: str) -> Schema:
        """The schema with the label's task first; raises SchemaError where it has no such task."""
        names = [task.name for task in self.tasks]
        if label not in names:
            problem, hint = f"no task {label!r} in the schema.", did_you_mean(label, names)
            raise SchemaError(Fault(problem, "label", hint))
        tasks = sorted(self.tasks, key=lambda task: task.name != label)  # stable: the rest stays
        return dataclasses.replace(self, tasks=tuple(tasks))

    def only(self, names: Iterable[str]) -> Schema:
        """Return the schema with these features only, and the crosses among them; no statistics."""
        kept = set(names)
        return dataclasses.replace(
            self,
            features=tuple(feature for feature in self.features if feature.name in kept),
            crosses=tuple(pair for pair in self.crosses if set(pair) <= kept),
            statistics=None,
        )

    def fault(self, path: Path_, problem: str, hint: str = "") -> Fault:
        """A fault at a place of the schema, with its line where it was read from a file."""
        return (self.document or Document(None)).fault(path, problem, hint)

    @property
    def sequences(self) -> dict[str, tuple[HistoryFeature, ...]]:
        """The histories by the name of their sequence."""
        result: dict[str, tuple[HistoryFeature, ...]] = {}
        for feature in self.of_role("history"):
            result[feature.sequence] = (*result.get(feature.sequence, ()), feature)
        return result

    @property
    def is_fitted(self) -> bool:
        return all(getattr(f, "size", 1) for f in self.features if f.role != "numbers")

    def fitted(self, sizes: Mapping[str, int]) -> Schema:
        """The same schema with the number of ids, or of a vector's numbers, of each column."""
        features = tuple(
            f
            if isinstance(f, HistoryFeature)
            else dataclasses.replace(f, size=sizes.get(f.name, 0))
            for f in self.features
        )
        return dataclasses.replace(self, features=features)

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
        if self.crosses:
            data["crosses"] = [list(pair) for pair in self.crosses]
        if self.statistics:
            data["statistics"] = _statistics_data(self.statistics)
        for key in ("scenario", "group", "weight", "incumbent", "time"):
            if getattr(self, key) is not None:
                data[key] = getattr(self, key)
        if self.score:
            data["score"] = score_text(self.score)
        data["split"] = _split_data(self.split)
        if self.ignore:
            data["ignore"] = list(self.ignore)
        if self.nulls:
            data["nulls"] = self.nulls.to_data()
        return data


def _said(value: Any, default: Any, keep: tuple[str, ...] = ()) -> dict[str, object]:
    """The fields that differ from their defaults; ``size`` belongs to the encoder."""
    return {
        f.name: _plain(getattr(value, f.name))
        for f in dataclasses.fields(value)
        if f.name not in ("name", "size")
        and (f.name in keep or getattr(value, f.name) != getattr(default, f.name))
    }


def _plain(value: object) -> object:
    return value.to_data() if isinstance(value, Nulls) else value


def _statistics_data(statistics: TargetStatistics) -> object:
    if statistics == NO_STATISTICS:
        return "none"
    data = _said(statistics, TargetStatistics(), keep=("of",)) | {"of": list(statistics.of)}
    if statistics.crosses is not None:
        data["crosses"] = [list(pair) for pair in statistics.crosses]
    return data


def _split_data(split: Split) -> dict[str, object]:
    data = dataclasses.asdict(split)
    if split.by == "file":
        files = {"train": split.train_file, "test": split.test_file}
        data = {"by": "file", **files, "valid": split.valid}
    elif split.by == "column":
        del data["valid"], data["test"]
    return {key: value for key, value in data.items() if value is not None}
