"""Branches that read less, or have a table of their own: where they may stand, what they name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from automlrank.documents import Path_
from automlrank.errors import did_you_mean
from automlrank.schema import HistoryFeature, Schema
from automlrank.space.grammar import (
    Choose,
    Expression,
    FieldScope,
    Leaf,
    Optional,
    Parallel,
    Repeat,
    SomeOf,
    Stack,
)


def inside(node: Expression, path: Path_) -> list[tuple[Path_, Expression]]:
    """The expressions directly inside, with their places in a document."""
    match node:
        case Leaf():
            return []
        case Choose(members) | SomeOf(members) | Stack(members):
            return [((*path, node.label, i), member) for i, member in enumerate(members)]
        case Parallel(branches, merge):
            places = [((*path, "parallel", i), branch) for i, branch in enumerate(branches)]
            return [*places, ((*path, "merge"), merge)]
        case Repeat(body) | Optional(body):
            return [((*path, node.label), body)]
        case FieldScope(body):
            return [(path, body)]


def places(node: Expression, path: Path_) -> Iterator[tuple[Path_, Expression]]:
    """The expression and all that is inside, with their places in a document."""
    yield path, node
    for place, child in inside(node, path):
        yield from places(child, place)


def misplaced(node: Expression, path: Path_, *, begins: bool) -> Iterator[Path_]:
    """Where a branch that says what it reads may not stand.

    ``begins``: whether the fields flow in that the stage interaction begins with.
    """
    if isinstance(node, FieldScope) and not begins:
        yield (*path, "fields" if node.fields else "embedding")
    passes = begins and not isinstance(node, Repeat | FieldScope)
    for i, (place, child) in enumerate(inside(node, path)):
        flows = passes and not (isinstance(node, Stack) and i > 0)
        yield from misplaced(child, place, begins=flows and place[-1] != "merge")


def unreadable(schema: Schema, fields: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with names of columns, each with a hint."""
    kinds = {feature.name: feature for feature in schema.features}
    columns = [name for name, feature in kinds.items() if not isinstance(feature, HistoryFeature)]
    for name in fields:
        if name not in kinds:
            yield f"the schema has no column {name!r}.", did_you_mean(name, columns)
        elif name not in columns:
            yield f"{name} is a history, which no branch reads by itself.", ""


def restricted(schema: Schema, fields: Iterable[str] | None) -> Schema:
    """The schema with these columns only, and the crosses among them: what a branch reads."""
    if fields is None:
        return schema
    names = set(fields)
    return dataclasses.replace(
        schema,
        features=tuple(feature for feature in schema.features if feature.name in names),
        crosses=tuple(pair for pair in schema.crosses if set(pair) <= names),
        statistics=None,
    )
