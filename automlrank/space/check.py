"""Is every draw of a space wired? Decided from the ports that blocks declare."""

from __future__ import annotations

from automlrank.blocks import BLOCKS
from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import Block
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Fields, History, Logit, Statistics, Tasks, Vector
from automlrank.documents import Document
from automlrank.errors import Fault, SpaceError
from automlrank.space.combinators import use
from automlrank.space.flow import Flow, names_of
from automlrank.space.grammar import Expression, leaves
from automlrank.space.scope import misplaced
from automlrank.space.space import STAGES, Space

NEEDS_NEGATIVES = "negatives and distillation: trees speak of all rows, an epoch holds a part."
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
    _check_labels(flow, space)
    return flow.faults


def _check_labels(flow: Flow, space: Space) -> None:
    """Note what needs labels of 0 and 1, or of all rows, where distillation softens them."""
    if not space.distils:
        return
    problems = [
        ((stage,), problem)
        for stage in ("loss", "balance")
        for leaf in leaves(getattr(space, stage))
        if leaf.block in BLOCKS and (problem := needs_labels(BLOCKS[leaf.block]))
    ]
    if any(share != 1.0 for share in space.training.domains["negatives"].samples()):
        problems.append((("training",), NEEDS_NEGATIVES))
    for path, problem in problems:
        flow.fault(path, problem)


def needs_labels(block: type[Block]) -> str | None:
    """Why a loss or a balance cannot do with soft labels, or None."""
    if issubclass(block, Loss) and not block.soft:
        return f"{block.name} and distillation: it tells labels of 1 from those of 0."
    if issubclass(block, Balance) and block.moves:
        return f"{block.name} and distillation: it weighs losses, whose least soft labels move."
    return None


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
