"""Is every draw of a space wired? Decided from the ports that blocks declare."""

from __future__ import annotations

from automlrank.blocks.ports import Fields, History, Logit, Statistics, Tasks, Vector
from automlrank.documents import Document
from automlrank.errors import Fault, SpaceError
from automlrank.space.combinators import use
from automlrank.space.flow import Flow, names_of
from automlrank.space.grammar import Expression
from automlrank.space.reading import misplaced
from automlrank.space.value import STAGES, Space

ENTRY: dict[str, type] = {
    "statistics": Statistics,
    "history": History,
    "gate": Fields,
    "interaction": Fields,
    "scenario": Vector,
    "tasks": Vector,
    "tower": Vector,
}
EXIT: dict[str, tuple[type, ...]] = {
    "statistics": (Fields, Logit),
    "history": (Vector, Fields),
    "gate": (Fields,),
    "interaction": (Fields, Vector, Logit),
    "scenario": (Vector,),
    "tasks": (Tasks, Vector),
    "tower": (Vector,),
}


def check_space(space: Space, document: Document | None = None) -> None:
    """Raise SpaceError with every place where some draw could not be wired."""
    faults = wiring_faults(space, document or Document(None))
    if faults:
        raise SpaceError(faults)


def wiring_faults(space: Space, document: Document) -> list[Fault]:
    """Every place where some draw of the space could not be wired."""
    flow = Flow(document)
    for stage in STAGES:
        node = getattr(space, stage)
        if stage not in ENTRY:
            flow.plain_choice(node, (stage,))
        elif node != use("none"):
            _follow_stage(flow, stage, node)
        for path in misplaced(node, (stage,), begins=stage == "interaction"):
            flow.fault(
                path,
                "a branch says once what it reads, where the interaction's fields flow in: alone, "
                "in a parallel, some_of, choose or optional, or first in a stack.",
            )
    return flow.faults


def _follow_stage(flow: Flow, stage: str, node: Expression) -> None:
    """Note a fault where something may come out that the stage does not give."""
    ports = flow.follow(node, frozenset({ENTRY[stage]}), (stage,))
    if stage in ("statistics", "history"):
        ports -= {ENTRY[stage]}  # only `none` lets it through: nothing is made of it
    wrong = ports - set(EXIT[stage])
    if wrong:
        flow.fault(
            (stage,),
            f"the {stage} stage gives {names_of(EXIT[stage])}, but may give {names_of(wrong)}.",
        )
