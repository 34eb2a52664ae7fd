"""The parts of an architecture: blocks, one after the other or side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.ports import Columns, Logit


@dataclass(frozen=True)
class Stack:
    """Parts one after the other."""

    members: tuple[Part, ...]


@dataclass(frozen=True)
class Parallel:
    """Parts side by side; ``merge`` is None where no branch gives a vector."""

    branches: tuple[Part, ...]
    merge: Block | None


Part = Block | Stack | Parallel
NONE = BLOCKS["none"]()
CONCAT = BLOCKS["concat"]()


NOTHING = Stack(())
"""What an ``optional`` that was not taken leaves: no branch, no member."""


def gives_vector(part: Part) -> bool:
    """Whether fields or a vector come out, not only logits."""
    match part:
        case Stack(members):
            return gives_vector(members[-1])
        case Parallel(branches):
            return any(gives_vector(branch) for branch in branches)
        case Block():
            return type(part).gives() is not Logit


def reads_fields(part: Part) -> bool:
    """Whether the embedding's fields flow into some block."""
    match part:
        case Stack(members):
            return reads_fields(members[0])
        case Parallel(branches):
            return any(reads_fields(branch) for branch in branches)
        case Block():
            return Columns not in type(part).inputs().values()


def blocks_of(part: Part) -> Iterator[Block]:
    """Every block inside."""
    match part:
        case Stack(inner) | Parallel(inner):
            for member in inner:
                yield from blocks_of(member)
            if isinstance(part, Parallel) and part.merge:
                yield part.merge
        case Block():
            yield part


def part_data(part: Part) -> object:
    """A part as plain data in the DSL's words."""
    match part:
        case Stack(members):
            return {"stack": [part_data(member) for member in members]}
        case Parallel(branches, merge):
            data = [part_data(branch) for branch in branches]
            return {"parallel": data, "merge": part_data(merge)} if merge else {"parallel": data}
        case Block():
            settings = part.settings()
            return {part.name: settings} if settings else part.name


def phrase_of(part: Part) -> str:
    """A part in a summary's line."""
    match part:
        case Stack(members):
            return " > ".join(phrase_of(member) for member in members)
        case Parallel(branches, merge):
            inner = ", ".join(phrase_of(branch) for branch in branches)
            return f"[{inner}]" + (f" {merge.name}" if merge not in (None, CONCAT) else "")
        case Block():
            return part.phrase()
