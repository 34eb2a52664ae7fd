"""The parts of an architecture: blocks, one after the other or side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.ports import Columns, Logit


@dataclass(frozen=True)
class StackPart:
    """Parts one after the other."""

    members: tuple[Part, ...]


@dataclass(frozen=True)
class ParallelPart:
    """Parts side by side; ``merge`` is None where no branch gives a vector."""

    branches: tuple[Part, ...]
    merge: Block | None


@dataclass(frozen=True)
class ScopedPart:
    """The body on some columns only (``fields``), on a table of its own (``own``), or both."""

    body: Part
    fields: tuple[str, ...] | None
    own: bool


Part = Block | StackPart | ParallelPart | ScopedPart
NAME = re.compile(r"\w{1,24}", re.ASCII)  # a column's that may stand in a summary
NONE = BLOCKS["none"]()
CONCAT = BLOCKS["concat"]()


NOTHING = StackPart(())
"""What an ``optional`` that was not taken leaves: no branch, no member."""


def gives_vector(part: Part) -> bool:
    """Whether fields or a vector come out, not only logits."""
    match part:
        case StackPart(members):
            return gives_vector(members[-1])
        case ParallelPart(branches):
            return any(gives_vector(branch) for branch in branches)
        case ScopedPart(body):
            return gives_vector(body)
        case Block():
            return type(part).gives() is not Logit


def readers(part: Part) -> Iterator[Block | ScopedPart]:
    """What the fields flow into: blocks, and branches that read them in a way of their own."""
    match part:
        case StackPart(members):
            yield from readers(members[0])
        case ParallelPart(branches):
            for branch in branches:
                yield from readers(branch)
        case ScopedPart(body):
            if any(readers(body)):
                yield part
        case Block():
            if Columns not in type(part).inputs().values():
                yield part


def readings(part: Part) -> Iterator[ScopedPart]:
    """Every branch that says what it reads."""
    match part:
        case StackPart(inner) | ParallelPart(inner):
            for member in inner:
                yield from readings(member)
        case ScopedPart(body):
            yield part
            yield from readings(body)
        case Block():
            pass


def blocks_of(part: Part) -> Iterator[Block]:
    """Every block inside."""
    match part:
        case StackPart(inner) | ParallelPart(inner):
            for member in inner:
                yield from blocks_of(member)
            if isinstance(part, ParallelPart) and part.merge:
                yield part.merge
        case ScopedPart(body):
            yield from blocks_of(body)
        case Block():
            yield part


def part_data(part: Part) -> object:
    """A part as plain data in the DSL's words."""
    match part:
        case StackPart(members):
            return {"stack": [part_data(member) for member in members]}
        case ParallelPart(branches, merge):
            data = [part_data(branch) for branch in branches]
            return {"parallel": data, "merge": part_data(merge)} if merge else {"parallel": data}
        case ScopedPart(body, fields, own):
            inner = part_data(body)
            said: dict[str, object] = inner if isinstance(inner, dict) else {str(inner): {}}
            said |= {"fields": list(fields)} if fields else {}
            return said | ({"embedding": "own"} if own else {})
        case Block():
            settings = part.settings()
            return {part.name: settings} if settings else part.name


def phrase_of(part: Part) -> str:
    """A part in a summary's line."""
    match part:
        case StackPart(members):
            return " > ".join(phrase_of(member) for member in members)
        case ParallelPart(branches, merge):
            inner = ", ".join(phrase_of(branch) for branch in branches)
            return f"[{inner}]" + (f" {merge.name}" if merge not in (None, CONCAT) else "")
        case ScopedPart(body, fields, own):
            table = " on its own table" if own else ""
            return phrase_of(body) + (f" on {_names(fields)}" if fields else "") + table
        case Block():
            return part.phrase()


def _names(fields: tuple[str, ...]) -> str:
    """A few plain names, or how many there are."""
    plain = all(NAME.fullmatch(name) for name in fields)
    return "+".join(fields) if plain and len(fields) <= 4 else f"{len(fields)} fields"
