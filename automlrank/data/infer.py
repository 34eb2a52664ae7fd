"""What the columns of a table probably are, each with the reason, as a schema to be edited."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from automlrank.data.check import check, is_list
from automlrank.schema import Categorical, Feature, History, Multi, Numeric, Schema, Task

FEW_VALUES = 100  # a whole-numbered float column with no more is a code
UNIQUE_SHARE, UNIQUE_ROWS = 0.95, 1000  # more distinct values among so many rows: a row's own id


@dataclass(frozen=True)
class Inferred:
    """A schema, why each column became what it is, and the 0/1 columns that were set aside."""

    schema: Schema
    reasons: Mapping[str, str]
    set_aside: tuple[str, ...] = ()


def infer_schema(frame: pl.DataFrame, label: str) -> Inferred:
    """The schema of a table of which only the label's name is known; raises SchemaError."""
    return complete(Schema((Task(label),)), frame)


def complete(schema: Schema, frame: pl.DataFrame) -> Inferred:
    """The schema with features, where it names none, and checked against its table.

    Raises SchemaError with every column that is absent or of the wrong type.
    """
    check(schema, frame)
    if schema.features:
        return Inferred(schema, {})
    reader = _Columns(schema, frame)
    for name in frame.columns:
        if name not in reader.taken:
            reader.look_at(name)
    reader.look_at_histories()
    features = tuple(reader.features[name] for name in frame.columns if name in reader.features)
    result = dataclasses.replace(schema, features=features)
    check(result, frame)
    return Inferred(result, reader.reasons, tuple(reader.set_aside))


def binary_columns(frame: pl.DataFrame) -> tuple[str, ...]:
    """The columns that hold nothing but 0 and 1, and both."""
    return tuple(name for name in frame.columns if _is_binary(frame[name]))


class _Columns:
    """Looks at one column after the other, noting features and reasons."""

    def __init__(self, schema: Schema, frame: pl.DataFrame) -> None:
        self.schema, self.frame = schema, frame
        self.features: dict[str, Feature] = {}
        self.reasons: dict[str, str] = {}
        self.set_aside: list[str] = []
        self.histories: dict[str, str] = {}
        split = schema.split.column if schema.split.by in ("time", "column") else None
        roles = {task.name: "a task" for task in schema.tasks}
        roles |= {name: "ignored" for name in schema.ignore}
        others = ((schema.weight, "the weight"), (schema.time, "the time"), (split, "the split"))
        self.taken = roles | {name: role for name, role in others if name}
        self.reasons |= {n: f"no feature: {role}" for n, role in self.taken.items()}

    def look_at(self, name: str) -> None:
        column = _plain(self.frame[name])
        of = _behind_history(name, self.frame.columns)
        distinct = 0 if column.dtype.is_nested() else column.drop_nulls().n_unique()
        if name == self.schema.scenario:
            self.add(Categorical(name), "categorical: the scenario")
        elif column.null_count() == len(column):
            self.reasons[name] = "left out: every value is null"
        elif is_list(column.dtype) and of:
            self.histories[name] = of
        elif column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
            self.look_at_list(name, column.dtype)
        elif column.dtype.is_temporal():
            self.reasons[name] = "left out: a date or a time; name it under time or split"
        elif distinct == 1 and not column.null_count():
            self.reasons[name] = "left out: every row has the same value"
        elif _is_binary(column):
            self.set_aside.append(name)
            self.reasons[name] = "set aside: only 0 and 1, so it may be an outcome"
        else:
            self.look_at_values(column, distinct)

    def look_at_list(self, name: str, kind: pl.DataType) -> None:
        inner = getattr(kind, "inner", kind)
        if is_list(kind) and (inner.is_integer() or inner == pl.String):
            self.add(Multi(name), "multi: lists")
        else:
            self.reasons[name] = f"left out: no feature can be made of {kind}"

    def look_at_values(self, column: pl.Series, distinct: int) -> None:
        rows, kind = len(column), column.dtype
        discrete = not (kind.is_float() or kind.is_decimal())
        if discrete and rows >= UNIQUE_ROWS and distinct > UNIQUE_SHARE * rows:
            self.reasons[column.name] = (
                f"left out: {distinct} distinct values in {rows} rows; a timestamp or a row's id"
            )
        elif discrete:
            noun = "whole numbers" if kind.is_integer() else "text"
            self.add(Categorical(column.name), f"categorical: {noun}, {distinct} distinct")
        elif distinct <= FEW_VALUES and bool((column.round(0) == column).all()):
            self.add(Categorical(column.name), f"categorical: {distinct} distinct whole numbers")
        else:
            self.add(Numeric(column.name), f"numeric: {distinct} distinct numbers")

    def look_at_histories(self) -> None:
        """Histories of features; those of equal lengths in every row are one sequence."""
        times = {name for name, of in self.histories.items() if of == self.schema.time}
        lengths: dict[int, str] = {}
        for name, of in self.histories.items():
            key = self.lengths_of(name)
            if name in times:
                self.reasons[name] = f"no feature: the times of a history, as {of!r} is the time"
            elif not isinstance(self.features.get(of), Categorical | Multi):
                self.reasons[name] = f"left out: a history of {of!r}, which is no feature of ids"
            else:
                sequence = lengths.setdefault(key, name)
                time = next((t for t in times if self.lengths_of(t) == key), None)
                self.add(
                    History(name, of=of, sequence=sequence, time=time),
                    f"history: lists, named after {of!r}",
                )

    def lengths_of(self, name: str) -> int:
        """A hash of the lengths of a column's lists."""
        lengths = self.frame.select(pl.col(name).list.len().fill_null(0)).to_series()
        return hash(lengths.to_numpy().tobytes())

    def add(self, feature: Feature, reason: str) -> None:
        self.features[feature.name] = feature
        self.reasons[feature.name] = reason


def _behind_history(name: str, columns: list[str]) -> str | None:
    """``X`` of ``history_X``, ``X_history`` and ``hist_X``, where X is a column."""
    stems = (
        name.removeprefix("history_"),
        name.removesuffix("_history"),
        name.removeprefix("hist_"),
    )
    return next((stem for stem in stems if stem != name and stem in columns), None)


def _plain(column: pl.Series) -> pl.Series:
    """Categories as text, NaN as null."""
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    return column.fill_nan(None) if column.dtype.is_float() else column


def _is_binary(column: pl.Series) -> bool:
    kind = column.dtype
    if not (kind.is_numeric() or kind in (pl.Boolean, pl.String, pl.Categorical, pl.Enum)):
        return False
    values = _plain(column).drop_nulls().unique()
    if values.dtype == pl.String:
        return set(values.head(3).to_list()) == {"0", "1"}
    return len(values) == 2 and bool(values.cast(pl.Float64).is_in([0.0, 1.0]).all())
