"""Stages of a model: the one table from which spaces, architectures, checks and exports derive.

A new stage is a field of ``Stages`` with a family of blocks; ``model/wiring`` holds any wiring of
its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, dataclass_transform

from automlrank.blocks.ports import (
    Fields,
    History,
    Logit,
    Port,
    Statistics,
    Tasks,
    Vector,
)


@dataclass(frozen=True)
class Stage:
    """Declaration of one stage."""

    name: str
    families: tuple[str, ...]
    """Families of the blocks that may stand here."""
    default: str | None
    """Block of a space that does not name the stage; None where every space names it."""
    takes: type[Port] | None
    """Port that flows in; None for a stage beside the flow, which holds one block."""
    gives: tuple[type[Port], ...]
    """Ports that may come out."""
    scoped: bool
    """True if a branch may say which columns it reads."""
    steps: str
    """Beginning of the names of its steps in a plan."""
    comment: str
    """Comment above its steps in an exported model."""


def stage(
    *,
    families: tuple[str, ...],
    default: str | None = None,
    takes: type[Port] | None = None,
    gives: tuple[type[Port], ...] = (),
    scoped: bool = False,
    steps: str = "",
    comment: str = "",
) -> Any:
    """Declare a stage; without ``default`` it must be given."""
    declared = {
        "families": families,
        "default": default,
        "takes": takes,
        "gives": gives,
        "scoped": scoped,
        "steps": steps,
        "comment": comment,
    }
    if default is None:
        return dataclasses.field(metadata=declared)
    return dataclasses.field(default=None, metadata=declared)  # filled in by __post_init__


PartT = TypeVar("PartT")
LossT = TypeVar("LossT")
BalanceT = TypeVar("BalanceT")
Table = TypeVar("Table", bound=type[Any])


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(stage,))
def _table(cls: Table) -> Table:
    """Make a class a frozen dataclass of keywords whose fields are stages."""
    dataclass(frozen=True, kw_only=True)(cls)
    return cls


@_table
class Stages(Generic[PartT, LossT, BalanceT]):
    """A value for each stage, in the order in which a model is drawn and wired.

    The value is an expression in a space, a part in an architecture.
    """

    statistics: PartT = stage(
        families=("statistics",), default="none", takes=Statistics, gives=(Fields, Logit)
    )
    """Target rates and counts become fields or logits."""
    history: PartT = stage(
        families=("history",),
        default="none",
        takes=History,
        gives=(Vector, Fields),
        steps="history_",
        comment="histories",
    )
    """Each sequence of behaviours becomes a vector, which joins the fields."""
    gate: PartT = stage(
        families=("gate",),
        default="none",
        takes=Fields,
        gives=(Fields,),
        steps="gate_",
        comment="gate",
    )
    """Fields become fields, reweighted."""
    interaction: PartT = stage(
        families=("interaction", "gate"),
        takes=Fields,
        gives=(Fields, Vector, Logit),
        scoped=True,
        steps="interaction_",
        comment="interaction",
    )
    """Fields become a vector, logits, or both."""
    scenario: PartT = stage(
        families=("scenario",),
        default="none",
        takes=Vector,
        gives=(Vector,),
        steps="scenario_stage_",
        comment="scenario",
    )
    """The vector becomes one that depends on where a candidate is shown."""
    tasks: PartT = stage(
        families=("tasks",),
        default="none",
        takes=Vector,
        gives=(Tasks, Vector),
        steps="tasks_stage_",
        comment="tasks",
    )
    """The vector becomes one per task."""
    tower: PartT = stage(
        families=("tower",),
        default="none",
        takes=Vector,
        gives=(Vector,),
        steps="task_",
        comment="a tower and a head for each task",
    )
    """A vector becomes a vector, with weights of its own for each task."""
    loss: LossT = stage(families=("loss",), default="bce")
    """Logits and labels become a loss per task."""
    balance: BalanceT = stage(families=("balance",), default="fixed")
    """The losses of the tasks become one."""

    def __post_init__(self) -> None:
        for name, declared in STAGES.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, self.value_of(str(declared.default)))

    @staticmethod
    def value_of(block: str) -> Any:
        """Return the value of a stage that holds the block of this name."""
        raise NotImplementedError

    def by_stage(self) -> dict[str, PartT | LossT | BalanceT]:
        """Return the value of each stage by its name, in order."""
        return {name: getattr(self, name) for name in STAGES}


STAGES: Mapping[str, Stage] = {
    field.name: Stage(field.name, **field.metadata) for field in dataclasses.fields(Stages)
}
"""Every stage by name, in order."""
