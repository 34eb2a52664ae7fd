"""Check a schema against its table: report all absent columns and wrong types at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeGuard

import polars as pl

from automlrank.data.exact import column
from automlrank.data.table import Table
from automlrank.data.union import item_of
from automlrank.data.values import as_text
from automlrank.documents import Path_
from automlrank.errors import Fault, SchemaError, did_you_mean
from automlrank.schema import (
    CategoricalFeature,
    Feature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    VectorFeature,
)
from automlrank.schema.cross_checks import faults_together

AMOUNT = "A duration is a number of seconds: make it numeric."
OPAQUE = (pl.Binary, pl.Object)  # neither compared nor shown


def check(schema: Schema, table: Table) -> None:
    """Raise SchemaError with every fault of a schema beside its table.

    Faults are names that lead nowhere, and columns that are absent or of a type that their role
    excludes.
    """
    faults = [
        *faults_together(schema),  # a schema made in Python was not read
        *_absent(schema, table),
        *_wrong_roles(schema, table),
    ]
    for feature in schema.features:
        if feature.source in table.schema:
            faults += _wrong_feature(schema, feature, table)
    if faults:
        raise SchemaError(faults)


def is_list(kind: pl.DataType) -> TypeGuard[pl.List | pl.Array]:
    """Return True if a column holds lists."""
    return isinstance(kind, pl.List | pl.Array)


def is_number(kind: pl.DataType) -> bool:
    """Return True if a column holds numbers, truth values (0 and 1) or nulls only."""
    return kind.is_numeric() or kind in (pl.Boolean, pl.Null)


def is_amount(kind: pl.DataType) -> bool:
    """Return True if a column holds numbers, or lengths of time and times of day: seconds."""
    return is_number(kind) or kind == pl.Time or isinstance(kind, pl.Duration)


def is_plain(kind: pl.DataType) -> bool:
    """Return True if a column holds one comparable value per row."""
    return not kind.is_nested() and kind not in OPAQUE


def is_id(kind: pl.DataType) -> bool:
    """Return True if values tell rows apart; durations are amounts, and have no text."""
    return is_plain(kind) and not isinstance(kind, pl.Duration)


def columns_named(schema: Schema) -> Iterator[tuple[Path_, str]]:
    """Every place of a schema that names a column, and the column."""
    yield from ((("tasks", task.name), task.name) for task in schema.tasks)
    for feature in schema.features:
        yield _place(feature), feature.source
        if isinstance(feature, HistoryFeature) and feature.time:
            yield ("features", feature.name, "time"), feature.time
    if schema.scenario:
        yield ("scenario",), schema.source(schema.scenario)
    for place in ("group", "weight", "incumbent", "time"):
        if name := getattr(schema, place):
            yield (place,), name
    if schema.split.by in ("time", "column", "group") and schema.split.column:
        yield ("split", "column"), schema.split.column
    yield from ((("ignore", i), name) for i, name in enumerate(schema.ignore))


def _place(feature: Feature) -> Path_:
    """Return the place in a schema that names a feature's column."""
    path = ("features", feature.name)
    return path if feature.column is None else (*path, "column")


def _absent(schema: Schema, table: Table) -> Iterator[Fault]:
    for path, name in columns_named(schema):
        if name not in table.schema:
            yield schema.fault(
                path, f"the table has no column {name!r}.", did_you_mean(name, table.schema)
            )


def _wrong_roles(schema: Schema, table: Table) -> Iterator[Fault]:
    kinds = table.schema
    numbers: list[tuple[Path_, str, str]] = [
        (("tasks", task.name), task.name, "a label") for task in schema.tasks
    ]
    if schema.weight:
        numbers.append((("weight",), schema.weight, "a weight"))
    if name := schema.incumbent:
        numbers.append((("incumbent",), name, f"the incumbent's score {name!r}"))
    for path, name, noun in numbers:
        if name in kinds and not _is_numeric(table, name):
            problem = f"{noun} must be {_but(table, name, 'numeric')}"
            yield schema.fault(path, problem, "Store it as numbers.")
    scenario = schema.scenario and schema.source(schema.scenario)
    plain: list[tuple[Path_, str | None, str]] = [
        (("scenario",), scenario, "a scenario"),
        (("group",), schema.group, "a group"),
        (("time",), schema.time, "a time"),
    ]
    if schema.split.by in ("time", "column", "group"):
        plain.append((("split", "column"), schema.split.column, "the column of a split"))
    times: list[tuple[Path_, str | None]] = [(("time",), schema.time)]
    if schema.split.by == "time":
        times.append((("split", "column"), schema.split.column))
    for path, given, noun in plain:
        fits = is_plain if (path, given) in times else is_id  # a duration is no time: see below
        if given in kinds and not fits(kinds[given]):
            problem = f"{noun} must be one value per row, but column {given!r} is {kinds[given]}."
            hint = AMOUNT if is_plain(kinds[given]) else ""
            yield schema.fault(path, problem, hint)
    for path, given in times:
        if given in kinds and is_plain(kinds[given]) and not _is_time(kinds[given]):
            problem = f"a time must be a number or a date, but column {given!r} is {kinds[given]}."
            yield schema.fault(path, problem, "Make it seconds since 1970, or a date's type.")


def _wrong_feature(schema: Schema, feature: Feature, table: Table) -> Iterator[Fault]:
    path, name = _place(feature), feature.source
    kind = table.schema[name]
    if isinstance(feature, NumericFeature) and not _is_numeric(table, name):
        yield schema.fault(
            path,
            f"a numeric column must be {_but(table, name, 'numeric')}",
            "Make it categorical, or name its spellings of null, as nulls: {add: [...]}.",
        )
    if isinstance(feature, CategoricalFeature) and not is_id(kind):
        hint = AMOUNT if is_plain(kind) else ""
        yield schema.fault(
            path,
            f"a categorical column must hold one value per row, but is {kind}.",
            "Make it multi or a history." if is_list(kind) else hint,
        )
    if isinstance(feature, MultiFeature | HistoryFeature):
        wrong = _wrong_list(f"a {feature.kind}", kind, feature.separator, "plain values", is_id)
        yield from (schema.fault(path, *fault) for fault in wrong)
    if isinstance(feature, VectorFeature):
        wrong = _wrong_list("a vector", kind, feature.separator, "numbers", is_number)
        yield from (schema.fault(path, *fault) for fault in wrong)
    if isinstance(feature, HistoryFeature) and feature.time in table.schema:
        kind = table.schema[feature.time]
        wrong = _wrong_list("the time", kind, feature.separator, "numbers or times", _is_time)
        place = ("features", feature.name, "time")
        yield from (schema.fault(place, *fault) for fault in wrong)


def _is_numeric(table: Table, name: str) -> bool:
    """Return True if a column holds numbers, or nothing: an empty column of CSV is text."""
    kind = table.schema[name]
    is_empty = kind == pl.String and not table.select(column(name).count()).item()
    return is_empty or is_amount(kind)


def _is_time(kind: pl.DataType) -> bool:
    """Numbers, dates, text that may be either; a time of day or a duration is no moment."""
    return is_number(kind) or kind == pl.String or isinstance(kind, pl.Date | pl.Datetime)


def _wrong_list(
    noun: str,
    kind: pl.DataType,
    separator: str | None,
    items: str,
    fits: Callable[[pl.DataType], bool],
) -> Iterator[tuple[str, str]]:
    """The problem, and the hint, with a column that must hold lists of what fits, or text."""
    if is_list(kind):
        if not fits(item_of(kind)):
            yield f"{noun} column must hold lists of {items}, but is {kind}.", ""
    elif not is_id(kind):
        yield f"{noun} column must hold lists or text, but is {kind}.", ""
    elif separator is None and kind != pl.Null:
        hint = 'Give the separator of its text, as separator: ",".'
        yield f"{noun} column must hold lists, but is {kind}.", hint


def _but(table: Table, name: str, wanted: str) -> str:
    """Return what a column should be and is; of text, its first value that is no number."""
    kind = table.schema[name]
    if kind != pl.String:
        return f"{wanted}, but is {kind}."
    values = table.select(column(name)).to_series()
    odd = values.is_not_null() & as_text(values).cast(pl.Float64, strict=False).is_null()
    row = odd.arg_max()
    assert row is not None
    return f"{wanted}, but is {kind}, such as {values[row]!r:.100} in row {row + 1:,}."
