"""Requirements of blocks on the schema, the labels and the columns of a branch.

They check spaces, fit spaces to a schema, and check architectures before wiring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from automlrank.blocks import BLOCKS
from automlrank.blocks.accepted_ports import first_input, members_of, tensors_of
from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Scalar
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Columns, Shape
from automlrank.blocks.tasks.base import TaskStructure
from automlrank.errors import did_you_mean
from automlrank.schema import HistoryFeature, Schema

Problem = tuple[str, str]
"""A sentence and a hint, which may be empty."""
ALL_ROWS = (
    "`negatives` cannot be combined with `distillation`: the teacher's predictions are for all "
    "rows, an epoch trains on some."
)


def lacking(schema: Schema, block: str) -> str | None:
    """Return why ``schema`` cannot serve the block, or None."""
    if block == "none":
        return None
    cls = BLOCKS[block]
    methods = ("forward", "extract", "loss")
    tensors = [name for method in methods for name in tensors_of(cls, method)]
    ports = [port for hint in cls.inputs().values() for port in members_of(hint)]
    reasons = (port.absent(schema, tensors) for port in ports if issubclass(port, Shape))
    return next((reason for reason in reasons if reason), None) or _lacking_task(schema, cls)


def _lacking_task(schema: Schema, cls: type[Block]) -> str | None:
    """Return which tasks a block needs that the schema does not have, or None."""
    several = issubclass(cls, TaskStructure) or (issubclass(cls, Balance) and cls.moves)
    if several and len(schema.tasks) == 1:
        return "the schema has one task only"
    chained = issubclass(cls, Loss) and cls.on_all_rows
    if chained and all(task.of is None for task in schema.tasks):
        return "the schema has no task that exists only after another"
    return None


def untrainable(schema: Schema, settings: Mapping[str, Sequence[Scalar]]) -> Iterator[Problem]:
    """Yield settings of training that the schema cannot serve, each with why.

    ``settings`` holds the values that each may have.
    """
    first = schema.tasks[0]
    if first.kind != "binary" and set(settings["negatives"]) != {1.0}:
        problem = (
            f"`negatives` needs a binary primary task, but {first.name!r} is a {first.kind} task."
        )
        yield "negatives", problem
    if schema.scenario is None and "equal" in settings["scenarios"]:
        yield "scenarios", "`scenarios: equal` needs a scenario, but the schema names none."
    if set(settings["distillation"]) != {0.0} and any(task.of is not None for task in schema.tasks):
        yield (
            "distillation",
            "`distillation` cannot be used with a task `of` another: the parent's label must stay "
            "0 or 1.",
        )


def needs_hard_labels(cls: type[Block]) -> str | None:
    """Return why a loss or a balance cannot be trained on soft labels, or None."""
    if issubclass(cls, Loss) and not cls.soft:
        return (
            f"loss {cls.name} cannot be combined with `distillation`: it needs labels of exactly "
            "0 or 1."
        )
    if issubclass(cls, Balance) and cls.moves:
        return (
            f"balance {cls.name} cannot be combined with `distillation`: it compares loss values, "
            "and soft labels raise their minimum."
        )
    return None


def unreadable(schema: Schema, fields: Iterable[str]) -> Iterator[Problem]:
    """Yield the names among ``fields`` that no branch can read."""
    kinds = {feature.name: feature for feature in schema.features}
    columns = [name for name, feature in kinds.items() if not isinstance(feature, HistoryFeature)]
    for name in fields:
        if name not in kinds:
            yield f"the schema has no column {name!r}.", did_you_mean(name, columns)
        elif name not in columns:
            yield f"{name} is a history: no branch can read it by itself.", ""


def unserved(schema: Schema, fields: Iterable[str], blocks: Iterable[str]) -> Iterator[Problem]:
    """Yield the blocks that read raw columns and need more of them than ``fields``."""
    few = schema.only(fields)
    for block in blocks:
        reason = lacking(few, block) if Columns in first_input(BLOCKS[block]) else None
        if reason and not lacking(schema, block):
            yield f"{block} cannot be used: among fields, {reason}.", ""
