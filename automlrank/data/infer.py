"""Infer a schema from a table, with a reason for each column."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from automlrank.data.check import check, columns_named
from automlrank.data.choose_rates import choose_statistics
from automlrank.data.inference.columns import ColumnKinds
from automlrank.data.inference.outcomes import with_outcomes
from automlrank.data.inference.view import View
from automlrank.data.inference.when import Times, split_by, when
from automlrank.data.split import assign
from automlrank.data.summary import Summary, distinct_values, plain, summarize
from automlrank.data.table import Table
from automlrank.data.wishes import Wish
from automlrank.errors import DataError, Fault, SchemaError, did_you_mean
from automlrank.schema import CategoricalFeature, Nulls, Schema

AMOUNT_SHARE = 0.01  # of a label's values, that are neither 0 nor 1: fewer are mistakes


@dataclass(frozen=True)
class Inferred:
    """A schema, the reason for each column's kind, and the 0/1 columns that were set aside."""

    schema: Schema
    reasons: Mapping[str, str]
    set_aside: tuple[str, ...] = ()
    read_as: tuple[str, ...] = ()
    """Sentences on how values were read, and on what was decided about the rows."""


def featureless(inferred: Inferred) -> Fault | None:
    """The fault of a table without a column that can be a feature, with the first reasons."""
    if any(feature.kind != "history" for feature in inferred.schema.features):
        return None
    reasons = "; ".join(f"{name}: {why}" for name, why in list(inferred.reasons.items())[:10])
    return Fault("the table has no column that can be a feature.", hint=reasons and f"{reasons}.")


def complete(
    schema: Schema,
    table: Table,
    summaries: Mapping[str, Summary] | None = None,
    *,
    outcomes: bool = False,
) -> Inferred:
    """The schema with kinds, features and statistics, where it names none, checked with its table.

    A label alone has its time, its split and, with ``outcomes``, other tasks inferred, too.
    ``summaries`` are those of all columns, where they are known already. Raises SchemaError with
    every column that is absent or of the wrong type.
    """
    is_alone = schema.tasks[0].kind == "inferred"
    if is_alone:
        _check_label(schema.tasks[0].name, table)
    check(schema, table)
    schema = _with_kinds(schema, table)
    if schema.features:
        known = _with_statistics(schema, table, summaries or {})
        return Inferred(known, {}, read_as=table.notes)
    view = View(table, summaries or summarize(table, table.schema), schema.nulls)
    return _inferred(schema, view, is_alone=is_alone, outcomes=is_alone and outcomes)


def _inferred(schema: Schema, view: View, *, is_alone: bool, outcomes: bool) -> Inferred:
    """The schema with features, and of a label alone with its time and split."""
    table, reader = view.table, ColumnKinds(schema, view)
    reader.look_at(name for name in table.schema if name not in reader.taken)
    times = when(view, list(reader.times), reader.plain_ids, schema.tasks[0])
    schema, notes = _with_time(schema, reader, times) if is_alone else (schema, ())
    reader.reasons |= _reasons_of_times(reader.times, times, schema, table)
    reader.look_at_histories(schema.time)
    places = {name: place for place, name in enumerate(table.schema)}
    found = sorted(reader.features.values(), key=lambda feature: places[feature.source])
    schema = dataclasses.replace(schema, features=tuple(found))
    schema = _with_outcomes(schema, view, reader) if outcomes else schema
    result = _with_nulls(_with_statistics(schema, table, view.summaries), table)
    check(result, table)
    tasks = {task.name for task in result.tasks}
    set_aside = tuple(name for name in reader.set_aside if name not in tasks)
    said = (*table.notes, *notes, *_notes_of_epochs(reader, times, result, table))
    return Inferred(result, reader.reasons, set_aside, said)


def _check_label(label: str, table: Table) -> None:
    if label not in table.schema:
        hint = did_you_mean(label, table.schema)
        raise SchemaError(Fault(f"the table has no column {label!r}.", "label", hint))


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


def _with_time(schema: Schema, reader: ColumnKinds, times: Times) -> tuple[Schema, tuple[str, ...]]:
    """The schema with its time and a split by it, and a sentence on what was decided."""
    if times.column is None:
        if not times.candidates:
            return schema, ()
        names = " and ".join(map(repr, times.candidates))
        sentence = (
            f"{names} may each tell when a row happened, so the split is random. "
            "Name one under time and split."
        )
        return schema, (sentence,)
    split, problem = split_by(reader.table, times.column, schema)
    found = f"{times.column!r} tells when a row happened"
    if epochs := reader.epochs.get(times.column):
        found += f" ({epochs}, as {epochs.reason})"
    sentence = (
        f"{found}, but the split is random, as {problem}."
        if problem
        else f"{found}: the split goes by it."
    )
    return dataclasses.replace(schema, time=times.column, split=split), (sentence,)


def _reasons_of_times(
    kinds: Mapping[str, str], times: Times, schema: Schema, table: Table
) -> dict[str, str]:
    """Why each column of times is no feature."""
    reasons = {name: f"left out: {reason}" for name, reason in times.others.items()}
    several = ", one of several of the row" if times.candidates else ""
    for name in (*times.candidates, *((times.column,) if times.column else ())):
        advice = "" if schema.time else f"; {_advice(name, schema, table)}"
        reasons[name] = f"left out: {kinds[name]}{several}{advice}"
    if times.column and times.column == schema.time:
        reasons[times.column] = kinds[times.column].replace("a time", "no feature: the time", 1)
    return reasons


def _notes_of_epochs(
    reader: ColumnKinds, times: Times, schema: Schema, table: Table
) -> Iterator[str]:
    """A sentence on each column of numbers that only by their values may be times.

    That of the row, or of several that may be it, is named elsewhere.
    """
    for name, found in reader.epochs.items():
        reason = reader.reasons[name]
        if not found.are_times:
            advice = "" if schema.time else f" If it is one, {_advice(name, schema, table)}."
            yield (
                f"{name!r} may be {found}, but is not taken for a time, as {found.reason} "
                f"({reason}).{advice}"
            )
        elif name in times.others:
            yield f"{name!r} is taken for {found}, as {found.reason}. It is {reason}."


def _advice(name: str, schema: Schema, table: Table) -> str:
    """What a schema can make of a time: rows are split only by one that they all have."""
    problem = split_by(table, name, schema)[1]
    return "name it under time" if problem else "name it under time and split"


def _with_outcomes(schema: Schema, view: View, reader: ColumnKinds) -> Schema:
    try:
        is_train = assign(view.table, schema) == 0
    except DataError:  # too few rows, as is told where they are split
        return schema
    found = with_outcomes(schema, view, reader.set_aside, reader.plain_ids, is_train)
    label = found.tasks[0]
    for task in found.tasks:
        if task.of:
            reader.reasons[task.name] = f"a task: 1 only where {task.of!r} is"
        elif task != label:
            reader.reasons[task.name] = f"a task: 1 wherever {label.name!r} is"
    return found


def _with_nulls(schema: Schema, table: Table) -> Schema:
    """The schema with the values that were read as null though they are no usual spellings of it.

    A schema that names a column has it read as it says: an odd price is no null by itself.
    """
    features = []
    for feature in schema.features:
        words = _odd_nulls(feature.source, schema, table)
        nulls = _added(schema.nulls, words) if words else feature.nulls
        features.append(dataclasses.replace(feature, nulls=nulls))
    used = {name for _, name in columns_named(schema)} - {f.source for f in features}
    others = [word for name in sorted(used) for word in _odd_nulls(name, schema, table)]
    nulls = _added(schema.nulls, others) if others else schema.nulls
    return dataclasses.replace(schema, features=tuple(features), nulls=nulls)


def _odd_nulls(name: str, schema: Schema, table: Table) -> tuple[str, ...]:
    form = table.forms.get(name)
    if form is None:
        return ()
    usual = Wish(nulls=schema.nulls).nulls_of("number")  # codes with zeros in front have them, too
    return tuple(word for word in form.nulls if word not in usual)


def _added(nulls: Nulls | None, words: Sequence[str]) -> Nulls:
    return Nulls(tuple(dict.fromkeys((*(nulls.words if nulls else ()), *words))), adds=True)


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
