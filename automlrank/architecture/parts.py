"""The parts of an architecture: blocks, one after the other or side by side."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.ports import Columns, Logit
from automlrank.space.grammar import scope_data
from automlrank.space.write import scoped


@dataclass(frozen=True)
class StackPart:
    """Parts one after the other."""

    members: tuple[Part, ...]

    def inside(self) -> tuple[Part, ...]:
        """Return the parts directly inside."""
        return self.members

    def entries(self) -> tuple[Part, ...]:
        """Return the parts that are given what flows in; they come first in ``inside``."""
        return self.members[:1]

    def rebuilt(self, inside: Sequence[Part]) -> StackPart:
        """Return the part with these inside."""
        return StackPart(tuple(inside))


@dataclass(frozen=True)
class ParallelPart:
    """Parts side by side; ``merge`` is None where no branch gives a vector."""

    branches: tuple[Part, ...]
    merge: Block | None

    def inside(self) -> tuple[Part, ...]:
        """Return the branches, then the merge if there is one."""
        return (*self.branches, self.merge) if self.merge else self.branches

    def entries(self) -> tuple[Part, ...]:
        """Return the branches."""
        return self.branches

    def rebuilt(self, inside: Sequence[Part]) -> ParallelPart:
        """Return the part with these branches and the merge, if it has one."""
        return ParallelPart(tuple(inside[: len(self.branches)]), self.merge)


@dataclass(frozen=True)
class ScopedPart:
    """A part that reads only some columns (``fields``), has its own table (``own``), or both."""

    body: Part
    fields: tuple[str, ...] | None
    own: bool

    def inside(self) -> tuple[Part, ...]:
        """Return the body."""
        return (self.body,)

    def entries(self) -> tuple[Part, ...]:
        """Return the body."""
        return (self.body,)

    def rebuilt(self, inside: Sequence[Part]) -> ScopedPart:
        """Return the part with another body."""
        return dataclasses.replace(self, body=inside[0])


Part = Block | StackPart | ParallelPart | ScopedPart
NAME = re.compile(r"\w{1,24}", re.ASCII)  # a column's name that may stand in a summary
NONE = BLOCKS["none"]()
CONCAT = BLOCKS["concat"]()


NOTHING = StackPart(())
"""Result of an ``optional`` that was not taken: no branch, no member."""


def walk(part: Part) -> Iterator[Part]:
    """Yield the part and all that is inside."""
    yield part
    if not isinstance(part, Block):
        for inner in part.inside():
            yield from walk(inner)


def rewritten(part: Part, change: Callable[[Part], Part]) -> Part:
    """Return the part changed from its blocks upwards, merges left as they are."""
    if isinstance(part, Block):
        return change(part)
    return change(part.rebuilt([rewritten(inner, change) for inner in part.inside()]))


def blocks_of(part: Part) -> Iterator[Block]:
    """Yield every block inside."""
    return (inner for inner in walk(part) if isinstance(inner, Block))


def readings(part: Part) -> Iterator[ScopedPart]:
    """Yield every branch that says what it reads."""
    return (inner for inner in walk(part) if isinstance(inner, ScopedPart))


def readers(part: Part) -> Iterator[Block | ScopedPart]:
    """Yield the blocks that the fields flow into, and the branches that read them in their way."""
    if isinstance(part, Block):
        if Columns not in type(part).inputs().values():
            yield part
        return
    found = (reader for entry in part.entries() for reader in readers(entry))
    if not isinstance(part, ScopedPart):
        yield from found
    elif any(found):
        yield part


def gives_vector(part: Part) -> bool:
    """Return True if fields or a vector come out, not only logits."""
    match part:
        case StackPart(members):
            return gives_vector(members[-1])
        case ParallelPart(branches):
            return any(gives_vector(branch) for branch in branches)
        case ScopedPart(body):
            return gives_vector(body)
        case Block():
            return type(part).gives() is not Logit


def part_data(part: Part) -> object:
    """Return a part as plain data in the DSL's words."""
    match part:
        case StackPart(members):
            return {"stack": [part_data(member) for member in members]}
        case ParallelPart(branches, merge):
            data = [part_data(branch) for branch in branches]
            return {"parallel": data, "merge": part_data(merge)} if merge else {"parallel": data}
        case ScopedPart(body, fields, own):
            return scoped(part_data(body), scope_data(fields, own))
        case Block():
            settings = part.settings()
            return {part.name: settings} if settings else part.name


def phrase_of(part: Part) -> str:
    """Return a part as it stands in a summary's line."""
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
    """Return a few plain names, or how many there are."""
    plain = all(NAME.fullmatch(name) for name in fields)
    return "+".join(fields) if plain and len(fields) <= 4 else f"{len(fields)} fields"
