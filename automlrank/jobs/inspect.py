"""Inspection of a table: its columns, the predictive value of each, and warnings."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path

import numpy as np
import polars as pl

from automlrank.audit import ALONE, column_figure, labels_of, suspicions, with_lists
from automlrank.data.check import columns_named
from automlrank.data.infer import Inferred, complete, featureless
from automlrank.data.labels import label_faults, label_rates
from automlrank.data.read import Join, is_sample, only_item, open_table, sample_schema
from automlrank.data.sampled import every_kth
from automlrank.data.split import NAMES, Labels, assign, parts_of
from automlrank.data.summary import Summary, binary_columns, summarize
from automlrank.data.table import Table
from automlrank.data.values import LARGEST, as_lists, as_text, flatten, within
from automlrank.data.wishes import list_forms
from automlrank.errors import DataError, SchemaError
from automlrank.jobs.options import InspectOptions
from automlrank.options.call import takes
from automlrank.schema import Schema, Split, Task, read_schema

SAMPLED_ROWS = 1_000_000  # in a larger table every k-th row is inspected


@dataclass(frozen=True)
class Column:
    """A column and its figures."""

    name: str
    reason: str
    """Reason for its kind or role."""
    distinct: int
    """Number of distinct values."""
    nulls: float
    """Share of nulls."""
    auc: float | None = None
    """AUC of the column alone for a binary primary task, None if it is not defined."""
    correlation: float | None = None
    """Rank correlation of the column alone with a regression task's label."""


@dataclass(frozen=True)
class Inspection:
    """A table's schema, splits and columns in the table's order, with warnings."""

    rows: int
    schema: Schema
    columns: Mapping[str, Column]
    suspicions: tuple[str, ...]
    split_rows: Mapping[str, int] = field(default_factory=dict)
    """Rows by split; empty if the rows of a table without a schema could not be split."""
    label_rates: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """Mean label by split, then task."""
    step: int = 1
    """Columns' figures and suspicions are those of every ``step``-th row."""
    read_as: tuple[str, ...] = ()
    """Sentences on how values were read, and on what was decided about the rows."""

    @property
    def unused(self) -> dict[str, Column]:
        """Columns that the schema ignores or does not name."""
        ignored = set(self.schema.ignore)
        named = {name for _, name in columns_named(self.schema)} - ignored
        return {name: column for name, column in self.columns.items() if name not in named}


@takes(InspectOptions)
def inspect(options: InspectOptions) -> Inspection:
    """Look at a table: return its schema, a figure for every column, and suspicions.

    Without a schema and a label the only column of 0 and 1 is the task. A sample brings its
    schema. Raises UsageError for wrong input; a table without a schema whose rows cannot be split
    is shown nevertheless.
    """
    data, schema = only_item(options.data), options.schema
    if schema is None and isinstance(data, str | Path) and is_sample(str(data)):
        schema = sample_schema(str(data))
    given = schema if schema is None or isinstance(schema, Schema) else read_schema(schema)
    sides = [Join.parse(join) for join in options.joins]
    source = parts_of(data, given.split if given else Split())
    alone = Schema((Task(options.label, "inferred"),)) if options.label else None
    with open_table(source, sides, given or alone, all_columns=True) as table:
        return _inspected(table, given, options)


def _inspected(table: Table, given: Schema | None, options: InspectOptions) -> Inspection:
    """Return what a table is found to be; raise DataError if a given schema cannot split it."""
    wanted = _wanted(table, given, options.label)
    summaries = summarize(table, table.schema)
    inferred = complete(wanted, table, summaries, outcomes=True)
    forms, notes = list_forms(table, inferred.schema)
    table = table.read_as(forms)
    inferred = dataclasses.replace(inferred, read_as=(*inferred.read_as, *notes))
    summaries = summaries | dict(_summaries_of_lists(table, inferred.schema, summaries))
    try:
        splits = assign(table, inferred.schema)
    except DataError as error:
        if given is not None:
            raise
        told = (*map(str, error.faults), *_faults(inferred, summaries))
        columns = _columns(table, inferred, summaries, {})
        return Inspection(table.rows, inferred.schema, columns, told, read_as=inferred.read_as)
    return _split_inspection(table, inferred, summaries, splits, options.max_unknown)


def _split_inspection(
    table: Table,
    inferred: Inferred,
    summaries: Mapping[str, Summary],
    splits: Labels,
    max_unknown: float,
) -> Inspection:
    schema, step = inferred.schema, -(-table.rows // SAMPLED_ROWS)
    frame, some = every_kth(table, step), splits[::step]
    labels = table.select(*(task.name for task in schema.tasks))
    faults = label_faults(labels, schema, splits == 0)
    figures = {} if schema.tasks[0].name in faults else _figures(frame, schema, some)
    ask = functools.partial(suspicions, frame, schema, some, step=step, max_unknown=max_unknown)
    found = ask(set_aside=inferred.set_aside, figures=figures, refused=faults)
    rows = np.bincount(splits, minlength=len(NAMES))
    arrays = np.stack([labels_of(labels, name) for name in labels.columns], axis=1)
    return Inspection(
        table.rows,
        schema,
        _columns(table, inferred, summaries, figures),
        (*map(str, faults.values()), *_faults(inferred, summaries), *found),
        {name: int(size) for name, size in zip(NAMES, rows, strict=True)},
        label_rates(arrays, schema, splits),
        step,
        inferred.read_as,
    )


def _faults(inferred: Inferred, summaries: Mapping[str, Summary]) -> Iterator[str]:
    """Yield the faults of features that a search would refuse: there is none, or one overflows."""
    if fault := featureless(inferred):
        yield str(fault)
    for feature in inferred.schema.of_role("numbers"):
        found = summaries[feature.source]
        for end in (found.low, found.high):
            if isinstance(end, Real) and abs(number := float(end)) > LARGEST:
                yield f"column {feature.source!r} must be {within(number)}, but is {number}."


def _wanted(table: Table, given: Schema | None, label: str | None) -> Schema:
    """Return the given schema, or one of the label, or of the only column of 0 and 1."""
    if given is not None:
        return given if label is None else given.with_primary(label)
    if label is None:
        known = binary_columns(table)
        if len(known) != 1:
            columns = ", ".join(known) or "none"
            raise SchemaError(
                "neither a label nor a schema was given.",
                f"Give --label; columns of only 0 and 1: {columns}.",
            )
        label = known[0]
    return Schema((Task(label, "inferred"),))


def _figures(frame: pl.DataFrame, schema: Schema, splits: Labels) -> dict[str, float | None]:
    """Return the predictive value of each column alone for the primary task."""
    task = schema.tasks[0]
    label, alone = labels_of(frame, task.name), ALONE[task.kind]
    lists = with_lists(frame, schema)
    return {
        name: column_figure(lists[name], label, alone, splits)
        for name in frame.columns
        if name != task.name
    }


def _summaries_of_lists(
    table: Table, schema: Schema, summaries: Mapping[str, Summary]
) -> Iterator[tuple[str, Summary]]:
    """Yield the summaries of text that is read as lists, whose values are those inside."""
    for feature in schema.features:
        if separator := getattr(feature, "separator", None):
            name = feature.source
            items, _ = flatten(as_lists(table.column(name), separator))
            distinct = as_text(items).drop_nulls().n_unique()
            yield name, dataclasses.replace(summaries[name], distinct=distinct)


def _columns(
    table: Table,
    inferred: Inferred,
    summaries: Mapping[str, Summary],
    figures: Mapping[str, float | None],
) -> dict[str, Column]:
    reasons = {**_roles(inferred.schema), **inferred.reasons}
    key = "auc" if inferred.schema.tasks[0].kind == "binary" else "correlation"
    return {
        name: Column(
            name,
            reasons.get(name, "not in the schema"),
            summaries[name].distinct,
            summaries[name].nulls / table.rows,
            **{key: figures.get(name)},
        )
        for name in table.schema
    }


def _roles(schema: Schema) -> dict[str, str]:
    """Return the reason for which a schema names each column; features win over roles."""
    nouns = {"tasks": "a task", "features": "named in the schema", "ignore": "ignored"}
    roles: dict[str, str] = {}
    for path, name in columns_named(schema):
        is_time = path[-1] == "time" and len(path) > 1
        noun = "the times of a history" if is_time else nouns.get(str(path[0]), f"the {path[0]}")
        roles.setdefault(name, noun)
    return roles
