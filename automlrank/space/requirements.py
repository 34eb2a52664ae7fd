"""What a space needs of a schema: blocks that it cannot serve are faults, or are left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

from automlrank.blocks import BLOCKS
from automlrank.blocks.accepted_ports import first_input, members_of, tensors_of
from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Scalar, one_of
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Columns, Context, Crosses, History, Scenario, Statistics
from automlrank.blocks.training import Training
from automlrank.documents import Document
from automlrank.errors import SpaceError
from automlrank.schema import Schema
from automlrank.space.combinators import use
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
    leaves,
)
from automlrank.space.scope import places, restricted, unreadable
from automlrank.space.space import STAGES, Space

PLAIN = {"loss": "bce", "balance": "fixed"}  # what every schema can serve, where none is no choice


def lacking(schema: Schema, block: str) -> str | None:
    """Why ``schema`` cannot serve the block, or None."""
    ports = {port for hint in BLOCKS[block].inputs().values() for port in members_of(hint)}
    if block == "none":
        return None
    if History in ports and (reason := _lacks_history(schema, BLOCKS[block])):
        return reason
    if Statistics in ports and not schema.rated:
        return "the schema has no statistics"
    if Crosses in ports and len(schema.of_role("ids")) < 2:
        return "the schema has no two categorical columns"
    if Context in ports and not any(getattr(f, "context", False) for f in schema.features):
        return "the schema marks no column as context"
    if Scenario in ports and schema.scenario is None:
        return "the schema names no scenario"
    if len(schema.tasks) == 1 and _needs_tasks(BLOCKS[block]):
        return "the schema has one task only"
    if _on_all_rows(BLOCKS[block]) and all(task.of is None for task in schema.tasks):
        return "the schema has no task that exists only after another"
    return None


def untrainable(
    schema: Schema, settings: Mapping[str, Sequence[Scalar]]
) -> Iterator[tuple[str, str]]:
    """The settings of training, by the values that they may have, which the schema cannot serve."""
    first = schema.tasks[0]
    if first.kind != "binary" and set(settings["negatives"]) != {1.0}:
        problem = f"only a binary task has negatives to leave out, but {first.name!r} comes first."
        yield "negatives", problem
    if schema.scenario is None and "equal" in settings["scenarios"]:
        yield "scenarios", "the schema names no scenario that could count as much as another."
    if set(settings["distillation"]) != {0.0} and any(task.of is not None for task in schema.tasks):
        problem = "distillation would soften a parent's label, which says where its child counts."
        yield "distillation", problem


def _lacks_history(schema: Schema, cls: type[Block]) -> str | None:
    if not schema.sequences:
        return "the schema has no history column"
    if _reads(cls, "age", "session") and (untimed := _untimed(schema)):
        return f"the histories of {', '.join(untimed)} have no time"
    if _reads(cls, "key_ids") and (bags := _of_bags(schema)):
        return f"the first history of {', '.join(bags)} is of a multi feature, so it has no one id"
    return None


def _untimed(schema: Schema) -> list[str]:
    """The sequences whose behaviours have no ages and no sessions."""
    return [name for name in schema.sequences if not schema.timed(name)]


def _of_bags(schema: Schema) -> list[str]:
    """The sequences whose first column is of a multi feature: no one id stands for a behaviour."""
    first = {name: schema.feature(columns[0].of) for name, columns in schema.sequences.items()}
    return [name for name, feature in first.items() if feature.role != "ids"]


def _reads(cls: type[Block], *names: str) -> bool:
    """Whether a history block's module names one of these tensors."""
    methods = ("forward", "extract", "loss")
    return any(name in tensors_of(cls, method) for method in methods for name in names)


def _needs_tasks(cls: type[Block]) -> bool:
    return "tasks" in cls.families or (issubclass(cls, Balance) and cls.moves)


def _on_all_rows(cls: type[Block]) -> bool:
    return issubclass(cls, Loss) and cls.on_all_rows


def needs_met(space: Space, schema: Schema, document: Document | None = None) -> None:
    """Raise SpaceError for every block of the space that the schema cannot serve."""
    document = document or Document(None)
    faults = [
        document.fault((*path, "fields") if isinstance(inner, FieldScope) else path, problem, hint)
        for stage, node in space.stages()
        for path, inner in places(node, (stage,))
        for problem, hint in _unmet(inner, schema)
    ]
    if faults:
        raise SpaceError(faults)


def _unmet(node: Expression, schema: Schema) -> Iterator[tuple[str, str]]:
    """What the schema lacks for one node of an expression, each with a hint."""
    if isinstance(node, Leaf) and (reason := lacking(schema, node.block)):
        yield f"{node.block} cannot be used: {reason}.", ""
    if isinstance(node, Leaf) and node.block == "training":
        values = {name: domain.samples() for name, domain in node.domains.items()}
        yield from ((problem, "") for _, problem in untrainable(schema, values))
    if isinstance(node, FieldScope) and node.fields:
        yield from unreadable(schema, node.fields)
        yield from unserved(schema, node.fields, (leaf.block for leaf in leaves(node)))


def unserved(
    schema: Schema, fields: Iterable[str], blocks: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The blocks that read raw columns for which these are too few, each with a hint."""
    few = restricted(schema, fields)
    for block in blocks:
        reason = lacking(few, block) if Columns in first_input(BLOCKS[block]) else None
        if reason and not lacking(schema, block):
            yield f"{block} cannot be used: among fields, {reason}.", ""


def fit_to(space: Space, schema: Schema, fixed: Iterable[str] = ()) -> Space:
    """The space without the blocks that the schema cannot serve: what a default space becomes.

    Settings of training that it cannot serve, and those ``fixed``, are what they are by default.
    """
    stages: dict[str, Expression] = {}
    for stage in STAGES:
        kept = _without(getattr(space, stage), schema)
        stages[stage] = kept if kept is not None else use(PLAIN.get(stage, "none"))
    training = _with_defaults(space.training, schema, fixed)
    return dataclasses.replace(space, training=training, **stages)  # type: ignore[arg-type]


def _with_defaults(training: Leaf, schema: Schema, fixed: Iterable[str]) -> Leaf:
    """The settings of training, with those that cannot be served, or are ``fixed``, as usual."""
    values = {name: domain.samples() for name, domain in training.domains.items()}
    names = {*fixed, *(name for name, _ in untrainable(schema, values))}
    usual = {n: one_of(value) for n, value in Training().settings().items() if n in names}
    return Leaf(training.block, {**training.domains, **usual})


def _without(node: Expression, schema: Schema) -> Expression | None:
    """The expression without what the schema cannot serve; None where nothing is left."""

    def each(nodes: tuple[Expression, ...]) -> tuple[Expression, ...]:
        return tuple(kept for n in nodes if (kept := _without(n, schema)) is not None)

    match node:
        case Leaf():
            return None if lacking(schema, node.block) else node
        case Choose(options):
            kept = each(options)
            return Choose(kept) if len(kept) > 1 else kept[0] if kept else None
        case SomeOf(options, low, high):
            kept = each(options)
            return SomeOf(kept, min(low, len(kept)), min(high, len(kept))) if kept else None
        case Stack(members):
            kept = each(members)
            return Stack(kept) if kept else None
        case Parallel(branches, merge):
            kept = each(branches)
            return Parallel(kept, merge) if kept else None
        case Repeat(body, times):
            inner = _without(body, schema)
            return Repeat(inner, times) if inner else None
        case Optional(body):
            inner = _without(body, schema)
            return Optional(inner) if inner else None
        case FieldScope(body, fields, own):
            inner = _without(body, schema)
            columns = {feature.name for feature in schema.features}
            known = None if fields is None else tuple(f for f in fields if f in columns)
            return FieldScope(inner, known, own) if inner and known != () else None
