"""A schema against its table: every absent column and every wrong type, all at once."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from automlrank.errors import Fault, SchemaError, did_you_mean
from automlrank.schema import Categorical, Feature, History, Multi, Numeric, Schema


def check(schema: Schema, frame: pl.DataFrame) -> None:
    """Raises SchemaError with every column that is absent or of a type that its role excludes."""
    faults = [*_absent(schema, frame), *_wrong(schema, frame)]
    if faults:
        raise SchemaError(faults)


def is_list(kind: pl.DataType) -> bool:
    """Whether a column holds lists."""
    return isinstance(kind, pl.List | pl.Array)


def is_number(kind: pl.DataType) -> bool:
    """Whether a column holds numbers, or truth values as 0 and 1; so does one of nulls."""
    return kind.is_numeric() or kind in (pl.Boolean, pl.Null)


def columns_named(schema: Schema) -> Iterator[tuple[str, str]]:
    """Every place of a schema that names a column, and the column."""
    yield from ((f"tasks.{task.name}", task.name) for task in schema.tasks)
    for feature in schema.features:
        yield f"features.{feature.name}", feature.name
        if isinstance(feature, History) and feature.time:
            yield f"features.{feature.name}.time", feature.time
    for place in ("scenario", "group", "weight", "time"):
        if name := getattr(schema, place):
            yield place, name
    if schema.split.by in ("time", "column") and schema.split.column:
        yield "split.column", schema.split.column
    yield from (("ignore", name) for name in schema.ignore)


def _absent(schema: Schema, frame: pl.DataFrame) -> Iterator[Fault]:
    for place, name in columns_named(schema):
        if name not in frame.columns:
            yield Fault(
                f"the table has no column {name!r}.", place, did_you_mean(name, frame.columns)
            )


def _wrong(schema: Schema, frame: pl.DataFrame) -> Iterator[Fault]:
    for task in schema.tasks:
        if task.name in frame.columns and not is_number(frame.schema[task.name]):
            yield Fault(
                f"a label must be {_but(frame[task.name], 'numeric')}", f"tasks.{task.name}"
            )
    for feature in schema.features:
        if feature.name in frame.columns:
            yield from _wrong_feature(feature, frame[feature.name])
    if schema.weight in frame.columns and not is_number(frame.schema[schema.weight]):
        yield Fault(f"weights must be {_but(frame[schema.weight], 'numeric')}", "weight")
    if schema.group in frame.columns and is_list(frame.schema[schema.group]):
        yield Fault("a group must be one value per row, but the column holds lists.", "group")


def _wrong_feature(feature: Feature, column: pl.Series) -> Iterator[Fault]:
    place, kind = f"features.{feature.name}", column.dtype
    if isinstance(feature, Numeric) and not is_number(kind):
        yield Fault(
            f"a numeric column must be {_but(column, 'numeric')}",
            place,
            "Make it categorical, or mend the values.",
        )
    if isinstance(feature, Categorical) and (kind.is_nested() or kind in (pl.Binary, pl.Object)):
        yield Fault(
            f"a categorical column must hold one value per row, but is {kind}.",
            place,
            "Make it multi or a history." if is_list(kind) else "",
        )
    if isinstance(feature, Multi | History):
        if is_list(kind) and getattr(kind, "inner", pl.String).is_nested():
            yield Fault(f"a list must hold plain values, but the column is {kind}.", place)
        if not is_list(kind) and feature.separator is None and kind != pl.Null:
            yield Fault(
                f"a {feature.kind} column must hold lists, but is {kind}.",
                place,
                'Give the separator of its text, as separator: ",".',
            )


def _but(column: pl.Series, wanted: str) -> str:
    """What a column should be and is, with one of its values."""
    text = f"{wanted}, but is {column.dtype}"
    known = column.drop_nulls()
    return f"{text}, such as {known[0]!r}." if len(known) else f"{text}."
