"""Check that every draw of a space can be wired, from the ports that its blocks declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from automlrank.blocks import BLOCKS
from automlrank.blocks.requirements import ALL_ROWS, needs_hard_labels
from automlrank.blocks.stages import STAGES, Stage
from automlrank.documents import Document, Path_
from automlrank.errors import Fault
from automlrank.space.combinators import use
from automlrank.space.flow import Flow, names_of
from automlrank.space.grammar import Expression, Leaf, leaves
from automlrank.space.scope import misplaced


def wiring_faults(stages: Mapping[str, Expression], document: Document) -> list[Fault]:
    """Return every place where some draw of the stages could not be wired."""
    flow = Flow(document)
    for name, stage in STAGES.items():
        node = stages[name]
        if stage.takes is None:
            flow.plain_choice(node, (name,))
        elif node != use("none"):
            _follow(flow, stage, node)
        for path in misplaced(node, (name,), begins=stage.scoped):
            flow.fault(
                path,
                "a branch may have `fields` or `embedding` once, where the fields of the stage "
                "interaction flow in: alone, in a parallel, some_of, choose or optional, or first "
                "in a stack.",
            )
    for path, problem in _hard_labels(stages):
        flow.fault(path, problem)
    return flow.faults


def _follow(flow: Flow, stage: Stage, node: Expression) -> None:
    """Note a fault where a port may come out that the stage does not give."""
    assert stage.takes is not None
    ports = flow.follow(node, frozenset({stage.takes}), (stage.name,))
    wrong = ports - {stage.takes, *stage.gives}  # what `none` lets through is dropped
    if wrong:
        given = names_of(stage.gives)
        problem = f"the {stage.name} stage gives {given}, but may give {names_of(wrong)}."
        flow.fault((stage.name,), problem)


def distils(stages: Mapping[str, Expression]) -> bool:
    """Return True if some draw learns from boosted trees."""
    return any(share != 0 for share in _values(stages["training"], "distillation"))


def _hard_labels(stages: Mapping[str, Expression]) -> Iterator[tuple[Path_, str]]:
    """Yield what needs labels of 0 and 1, or of all rows, where distillation softens them."""
    if not distils(stages):
        return
    for name in ("loss", "balance"):
        for leaf in leaves(stages[name]):
            if leaf.block in BLOCKS and (problem := needs_hard_labels(BLOCKS[leaf.block])):
                yield (name,), problem
    if any(share != 1 for share in _values(stages["training"], "negatives")):
        yield ("training",), ALL_ROWS


def _values(training: Expression, setting: str) -> tuple[object, ...]:
    """Return the values that a setting of training may have; none if the training is faulty."""
    assert isinstance(training, Leaf)
    return training.domains[setting].samples() if setting in training.domains else ()
