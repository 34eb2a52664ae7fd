"""What an architecture needs of a schema: its blocks, and the columns that its branches name."""

from __future__ import annotations

from collections.abc import Iterator

from automlrank.architecture import NONE, Architecture, ScopedPart, blocks_of, readings
from automlrank.blocks.accepted_ports import first_input
from automlrank.blocks.ports import Columns, Crosses
from automlrank.blocks.statistics.base import StatisticsBlock
from automlrank.errors import Fault
from automlrank.schema import Schema
from automlrank.space.check import NEEDS_NEGATIVES, needs_labels
from automlrank.space.requirements import lacking, unserved, untrainable
from automlrank.space.scope import restricted, unreadable


def unserved_parts(architecture: Architecture, schema: Schema) -> list[Fault]:
    """The blocks and the branches' columns that the schema cannot serve."""
    faults = [
        Fault(f"{block.name} cannot be used: {reason}.", path=stage)
        for stage, block in architecture.blocks()
        if (reason := lacking(schema, block.name))
    ]
    settings = {name: (value,) for name, value in architecture.training.settings().items()}
    faults += [
        Fault(problem, path=f"training.{name}") for name, problem in untrainable(schema, settings)
    ]
    faults += [Fault(problem, path="training.distillation") for problem in _hard(architecture)]
    read = read_columns(architecture, schema)
    faults += [
        Fault(
            f"{block.name} cannot be used: without the ids that rates replace, {reason}.",
            path=stage,
        )
        for stage, block in architecture.blocks()
        if Columns in first_input(type(block))
        and not lacking(schema, block.name)
        and (reason := lacking(read, block.name))
    ]
    return faults + [
        Fault(problem, path="interaction", hint=hint)
        for part in readings(architecture.interaction)
        for problem, hint in _unread(part, schema)
    ]


def _hard(architecture: Architecture) -> Iterator[str]:
    """What needs the table's own labels, where distillation softens them."""
    if not architecture.training.distillation:
        return
    for block in (architecture.loss, architecture.balance):
        if problem := needs_labels(type(block)):
            yield problem
    if architecture.training.negatives < 1:
        yield NEEDS_NEGATIVES


def read_columns(architecture: Architecture, schema: Schema) -> Schema:
    """The schema with the columns that the model reads: all, or without those that rates replace.

    What is asked for by name stays: targets of histories, scenario, context, a branch's fields, and
    crosses where a block reads them.
    """
    found = (b for b in blocks_of(architecture.statistics) if isinstance(b, StatisticsBlock))
    if not any(block.replaces_ids() for block in found):
        return schema
    replaced = {columns[0] for columns in schema.rated if len(columns) == 1}
    named = {schema.scenario, *(f.name for f in schema.features if getattr(f, "context", False))}
    if architecture.history != NONE:
        named |= {history.of for history in schema.of_role("history")}
    for part in readings(architecture.interaction):
        named.update(part.fields or ())
    if any(Crosses in type(block).inputs().values() for _, block in architecture.blocks()):
        named.update(name for pair in schema.crosses for name in pair)
    kept = (f.name for f in schema.features if f.name not in replaced or f.name in named)
    return restricted(schema, kept)


def _unread(part: ScopedPart, schema: Schema) -> list[tuple[str, str]]:
    """What is wrong with the columns that a branch names, each with a hint."""
    fields = part.fields or ()
    blocks = [block.name for block in blocks_of(part)] if fields else []
    return [*unreadable(schema, fields), *unserved(schema, fields, blocks)]
