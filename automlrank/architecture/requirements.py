"""Checks of an architecture against a schema: its blocks, settings and columns of branches."""

from __future__ import annotations

from collections.abc import Iterator

from automlrank.architecture import NONE, Architecture, ScopedPart, blocks_of, readings
from automlrank.blocks.accepted_ports import first_input
from automlrank.blocks.ports import Columns, Crosses
from automlrank.blocks.requirements import (
    ALL_ROWS,
    Problem,
    lacking,
    needs_hard_labels,
    unreadable,
    unserved,
    untrainable,
)
from automlrank.blocks.statistics.base import StatisticsBlock
from automlrank.errors import Fault
from automlrank.schema import Schema


def unserved_parts(architecture: Architecture, schema: Schema) -> list[Fault]:
    """Return the blocks, settings and columns of branches that the schema cannot serve."""
    return [
        *_unserved_blocks(architecture, schema),
        *_unserved_settings(architecture, schema),
        *_unserved_branches(architecture, schema),
    ]


def _unserved_blocks(architecture: Architecture, schema: Schema) -> Iterator[Fault]:
    for stage, block in architecture.blocks():
        if reason := lacking(schema, block.name):
            yield Fault(f"{block.name} cannot be used: {reason}.", path=stage)


def _unserved_settings(architecture: Architecture, schema: Schema) -> Iterator[Fault]:
    settings = {name: (value,) for name, value in architecture.training.settings().items()}
    for name, problem in untrainable(schema, settings):
        yield Fault(problem, path=f"training.{name}")
    for problem in _hard(architecture):
        yield Fault(problem, path="training.distillation")


def _unserved_branches(architecture: Architecture, schema: Schema) -> Iterator[Fault]:
    """Yield blocks for which the ids that rates leave, or a branch's columns, are too few."""
    read = read_columns(architecture, schema)
    for stage, block in architecture.blocks():
        served = Columns in first_input(type(block)) and not lacking(schema, block.name)
        if served and (reason := lacking(read, block.name)):
            problem = f"without the ids that rates replace, {reason}"
            yield Fault(f"{block.name} cannot be used: {problem}.", path=stage)
    for part in readings(architecture.interaction):
        for problem, hint in _unread(part, schema):
            yield Fault(problem, path="interaction", hint=hint)


def _hard(architecture: Architecture) -> Iterator[str]:
    """Yield what needs the table's own labels, where distillation softens them."""
    if not architecture.training.distillation:
        return
    for block in (architecture.loss, architecture.balance):
        if problem := needs_hard_labels(type(block)):
            yield problem
    if architecture.training.negatives < 1:
        yield ALL_ROWS


def read_columns(architecture: Architecture, schema: Schema) -> Schema:
    """Return the schema with the columns that the model reads: those that rates replace are not.

    Columns that are requested by name keep their ids: targets of histories, scenario, context, a
    branch's fields, and crosses where a block reads them.
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
    return schema.only(kept)


def _unread(part: ScopedPart, schema: Schema) -> list[Problem]:
    """Return the faults of the columns that a branch names."""
    fields = part.fields or ()
    blocks = [block.name for block in blocks_of(part)] if fields else []
    return [*unreadable(schema, fields), *unserved(schema, fields, blocks)]
