"""Check a space against a schema, or leave out the blocks that the schema cannot serve."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from automlrank.blocks.domains import one_of
from automlrank.blocks.requirements import Problem, lacking, unreadable, unserved, untrainable
from automlrank.blocks.stages import STAGES
from automlrank.blocks.training import Training
from automlrank.documents import Document
from automlrank.errors import SpaceError
from automlrank.schema import Schema
from automlrank.space.combinators import use
from automlrank.space.grammar import Expression, FieldScope, Leaf, leaves, rewritten, walk
from automlrank.space.space import Space


def needs_met(space: Space, schema: Schema, document: Document | None = None) -> None:
    """Raise SpaceError for every block of the space that the schema cannot serve."""
    document = document or Document(None)
    faults = [
        document.fault((*path, "fields") if isinstance(inner, FieldScope) else path, problem, hint)
        for stage, node in space.stages()
        for path, inner in walk(node, (stage,))
        for problem, hint in _unmet(inner, schema)
    ]
    if faults:
        raise SpaceError(faults)


def _unmet(node: Expression, schema: Schema) -> Iterator[Problem]:
    """Yield what the schema lacks for one node of an expression."""
    if isinstance(node, Leaf) and (reason := lacking(schema, node.block)):
        yield f"{node.block} cannot be used: {reason}.", ""
    if isinstance(node, Leaf) and node.block == "training":
        values = {name: domain.samples() for name, domain in node.domains.items()}
        yield from ((problem, "") for _, problem in untrainable(schema, values))
    if isinstance(node, FieldScope) and node.fields:
        yield from unreadable(schema, node.fields)
        yield from unserved(schema, node.fields, (leaf.block for leaf in leaves(node)))


def fit_to(space: Space, schema: Schema, fixed: Iterable[str] = ()) -> Space:
    """Return the space without the blocks that the schema cannot serve.

    Settings of training that it cannot serve, and those ``fixed``, take their defaults.
    """

    def served(node: Expression) -> Expression | None:
        if isinstance(node, Leaf):
            return None if lacking(schema, node.block) else node
        return _with_known_fields(node, schema) if isinstance(node, FieldScope) else node

    stages: dict[str, Any] = {
        name: rewritten(node, served) or use(STAGES[name].default or "none")
        for name, node in space.by_stage().items()
    }
    training = _with_defaults(space.training, schema, fixed)
    return dataclasses.replace(space, training=training, **stages)


def _with_known_fields(node: FieldScope, schema: Schema) -> FieldScope | None:
    """Return the branch on those of its columns that the schema has; None without any."""
    if node.fields is None:
        return node
    columns = {feature.name for feature in schema.features}
    known = tuple(name for name in node.fields if name in columns)
    return dataclasses.replace(node, fields=known) if known else None


def _with_defaults(training: Leaf, schema: Schema, fixed: Iterable[str]) -> Leaf:
    """Return the settings of training with defaults for those ``fixed`` or not served."""
    values = {name: domain.samples() for name, domain in training.domains.items()}
    names = {*fixed, *(name for name, _ in untrainable(schema, values))}
    usual = {n: one_of(value) for n, value in Training().settings().items() if n in names}
    return Leaf(training.block, {**training.domains, **usual})
