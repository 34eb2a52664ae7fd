"""Infer a schema from a table, with a reason for each column."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from automlrank.data.check import check, is_list, is_plain, item_of
from automlrank.data.choose_rates import choose_statistics
from automlrank.data.exact import column
from automlrank.data.summary import Summary, distinct_values, items_of, plain, summarize
from automlrank.data.table import Table
from automlrank.data.times import UNITS, YEAR_2100
from automlrank.schema import (
    CategoricalFeature,
    Feature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    VectorFeature,
)

FEW_VALUES = 100  # a whole-numbered float column with no more is a code
# Whole numbers that are not named like ids, of so many values and rows a value, are amounts, too:
# as ids and numbers census' six (53 to 1,478 values) are worth .0007 of test AUC to a DeepFM. Fewer
# values are codes more often: down to 5 KuaiRand gets 16 such numbers, and validation AUC no gain.
LEAST_AMOUNTS, MOST_AMOUNTS, AMOUNT_ROWS = 50, 2000, 20
ID_NAME = re.compile(r"(^|_)(id|ids|code|key|hash)$", re.IGNORECASE)
UNIQUE_SHARE, UNIQUE_ROWS = 0.95, 1000  # more distinct values among so many rows: a row's own id
YEAR_2000 = 946_684_800  # seconds
AMOUNT_SHARE = 0.01  # of a label's values, that are neither 0 nor 1: fewer are mistakes
MIN_VECTOR = 2  # a list of one number is no vector


@dataclass(frozen=True)
class Inferred:
    """A schema, the reason for each column's kind, and the 0/1 columns that were set aside."""

    schema: Schema
    reasons: Mapping[str, str]
    set_aside: tuple[str, ...] = ()


def complete(
    schema: Schema, table: Table, summaries: Mapping[str, Summary] | None = None
) -> Inferred:
    """The schema with kinds, features and statistics, where it names none, checked with its table.

    ``summaries`` are those of all columns, where they are known already. Raises SchemaError with
    every column that is absent or of the wrong type.
    """
    check(schema, table)
    schema = _with_kinds(schema, table)
    if schema.features:
        return Inferred(_with_statistics(schema, table, summaries or {}), {})
    reader = _Columns(schema, table)
    open_ = [name for name in table.schema if name not in reader.taken]
    known = summaries or summarize(table, open_)
    reader.look_at(known, open_)
    places = {name: place for place, name in enumerate(table.schema)}
    features = tuple(sorted(reader.features.values(), key=lambda feature: places[feature.source]))
    result = _with_statistics(dataclasses.replace(schema, features=features), table, known)
    check(result, table)
    return Inferred(result, reader.reasons, tuple(reader.set_aside))


def _with_kinds(schema: Schema, table: Table) -> Schema:
    """The schema with the kinds of labels that were given alone."""
    tasks = [
        dataclasses.replace(task, kind=_kind_of(table, task.name))
        if task.kind == "inferred"
        else task
        for task in schema.tasks
    ]
    return dataclasses.replace(schema, tasks=tuple(tasks))


def _kind_of(table: Table, label: str) -> Literal["binary", "regression"]:
    """Regression, where there are more than two values, and not nearly all of them 0 and 1.

    What is left is binary, or a mistake in a binary label, which its check tells.
    """
    values = plain(label, table.schema[label]).cast(pl.Float64).drop_nulls()
    others = ~values.is_in([0.0, 1.0])
    found = table.select(values.n_unique().alias("distinct"), others.mean().alias("others"))
    distinct, share = found.row(0)
    return "regression" if distinct > 2 and share >= AMOUNT_SHARE else "binary"


def _with_statistics(schema: Schema, table: Table, summaries: Mapping[str, Summary]) -> Schema:
    """The schema with statistics, where it does not say whether it has any."""
    if schema.statistics is not None:
        return schema
    distinct = {
        feature.name: summaries[feature.source].distinct
        if feature.source in summaries
        else distinct_values(table, feature.source)
        for feature in schema.features
        if isinstance(feature, CategoricalFeature)
    }
    return dataclasses.replace(schema, statistics=choose_statistics(schema, distinct))


class _Columns:
    """Looks at one column after the other, noting features and reasons."""

    def __init__(self, schema: Schema, table: Table) -> None:
        self.schema, self.table = schema, table
        self.features: dict[str, Feature] = {}
        self.reasons: dict[str, str] = {}
        self.set_aside: list[str] = []
        self.histories: dict[str, str] = {}
        split = schema.split.column if schema.split.by in ("time", "column") else None
        roles = {task.name: "a task" for task in schema.tasks}
        roles |= {name: "ignored" for name in schema.ignore}
        others = (
            *((schema.weight, "the weight"), (schema.incumbent, "the incumbent's score")),
            *((schema.time, "the time"), (split, "the split")),
        )
        self.taken = roles | {name: role for name, role in others if name}
        self.reasons |= {n: f"no feature: {role}" for n, role in self.taken.items()}

    def look_at(self, summaries: Mapping[str, Summary], names: Iterable[str]) -> None:
        for name in names:
            self.look_at_column(name, summaries[name])
        self.look_at_histories()

    def look_at_column(self, name: str, found: Summary) -> None:
        kind, of = self.table.schema[name], _behind_history(name, self.table.schema)
        if name == self.schema.scenario:
            self.add(CategoricalFeature(name), "categorical: the scenario")
        elif found.nulls == self.table.rows:
            self.reasons[name] = "left out: every value is null"
        elif is_list(kind) and of:
            self.histories[name] = of
        elif not is_plain(kind):
            self.look_at_list(name, kind)
        elif kind.is_temporal():
            self.reasons[name] = "left out: a date or a time; name it under time or split"
        elif found.distinct == 1 and not found.nulls:
            self.reasons[name] = "left out: every row has the same value"
        elif found.binary:
            self.set_aside.append(name)
            self.reasons[name] = "set aside: only 0 and 1, so it may be an outcome"
        else:
            self.look_at_values(name, kind, found)

    def look_at_list(self, name: str, kind: pl.DataType) -> None:
        item = item_of(kind) if is_list(kind) else None
        if item is not None and (item.is_integer() or item == pl.String):
            self.add(MultiFeature(name), "multi: lists")
        elif item is not None and item.is_float() and (size := self.vector_size(name)):
            self.add(VectorFeature(name), f"vector: lists of {size} numbers")
        else:
            self.reasons[name] = f"left out: no feature can be made of {kind}"

    def look_at_values(self, name: str, kind: pl.DataType, found: Summary) -> None:
        rows = self.table.rows
        discrete = not (kind.is_float() or kind.is_decimal())
        unique = found.distinct > UNIQUE_SHARE * rows
        unit = _epoch_unit(kind, found)
        if unit and (unique or self.is_sorted(name)):
            self.reasons[name] = (
                f"left out: looks like a time in {unit}; name it under time and split"
            )
        elif discrete and rows >= UNIQUE_ROWS and unique:
            self.reasons[name] = (
                f"left out: {found.distinct} distinct values in {rows} rows; a row's id"
            )
        elif discrete:
            noun = "text" if kind in (pl.String, pl.Categorical, pl.Enum) else "whole numbers"
            self.add(CategoricalFeature(name), f"categorical: {noun}")
            if kind.is_integer():
                self.look_at_amounts(name, found)
        elif found.distinct <= FEW_VALUES and self.is_whole(name):
            self.add(CategoricalFeature(name), "categorical: few whole numbers")
            self.look_at_amounts(name, found)
        else:
            self.add(NumericFeature(name), "numeric: numbers")

    def look_at_amounts(self, name: str, found: Summary) -> None:
        """Beside the ids of whole numbers, their logarithms, where they may be amounts."""
        most = min(MOST_AMOUNTS, self.table.rows // AMOUNT_ROWS)
        if LEAST_AMOUNTS <= found.distinct <= most and not ID_NAME.search(name):
            number = f"{name}_number"
            while number in self.table.schema:
                number += "_"
            feature = NumericFeature(number, transform="log", column=name)
            self.add(feature, "ids and amounts")

    def look_at_histories(self) -> None:
        """Histories of features; those of equal lengths in every row are one sequence."""
        times = {name for name, of in self.histories.items() if of == self.schema.time}
        lengths: dict[int, str] = {}
        for name, of in self.histories.items():
            key = self.lengths_of(name)
            if name in times:
                self.reasons[name] = f"no feature: the times of a history, as {of!r} is the time"
            elif not isinstance(self.features.get(of), CategoricalFeature | MultiFeature):
                self.reasons[name] = f"left out: a history of {of!r}, which is no feature of ids"
            else:
                sequence = lengths.setdefault(key, name)
                time = next((t for t in times if self.lengths_of(t) == key), None)
                self.add(
                    HistoryFeature(name, of=of, sequence=sequence, time=time),
                    f"history: lists, named after {of!r}",
                )

    def lengths_of(self, name: str) -> int:
        """A hash of the lengths of a column's lists."""
        lengths = self.one(column(name).list.len().fill_null(0))
        return hash(lengths.to_numpy().tobytes())

    def vector_size(self, name: str) -> int | None:
        """The length of lists of numbers, where all have one length and no number is null."""
        lengths = column(name).list.len().drop_nulls()
        nulls_inside = items_of(name).null_count().alias("nulls")
        found = self.table.select(
            lengths.min().alias("low"), lengths.max().alias("high"), nulls_inside
        )
        low, high, nulls = found.row(0)
        return low if low == high and low >= MIN_VECTOR and not nulls else None

    def is_sorted(self, name: str) -> bool:
        return self.one(column(name).drop_nulls()).is_sorted()

    def is_whole(self, name: str) -> bool:
        column = plain(name, self.table.schema[name])
        return bool(self.one((column.round(0) == column).all()).item())

    def one(self, expression: pl.Expr) -> pl.Series:
        """One column of the table, or what is made of it."""
        return self.table.select(expression).to_series()

    def add(self, feature: Feature, reason: str) -> None:
        self.features[feature.name] = feature
        self.reasons[feature.source] = reason


def _behind_history(name: str, columns: Iterable[str]) -> str | None:
    """``X`` of ``history_X``, ``X_history`` and ``hist_X``, where X is a column."""
    stems = (
        name.removeprefix("history_"),
        name.removesuffix("_history"),
        name.removeprefix("hist_"),
    )
    return next((stem for stem in stems if stem != name and stem in columns), None)


def _epoch_unit(kind: pl.DataType, found: Summary) -> str | None:
    """The unit in which every whole number of a column is a time from 2000 to 2100."""
    if not kind.is_integer():
        return None
    return next(
        (
            unit
            for unit, per in UNITS.items()
            if found.low >= YEAR_2000 * per and found.high < YEAR_2100 * per
        ),
        None,
    )
