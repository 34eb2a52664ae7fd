"""Canonical form: parts that compute the same function become equal values."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from automlrank.architecture.parts import (
    CONCAT,
    NONE,
    ParallelPart,
    Part,
    ScopedPart,
    StackPart,
    blocks_of,
    gives_vector,
    part_data,
    readers,
)
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Scalar
from automlrank.blocks.ports import Columns, Fields
from automlrank.errors import SpaceError


def folded(part: Part, defaults: Mapping[str, Scalar]) -> Part:
    """Return the part with defaults resolved, idle members dropped, branches in order."""
    match part:
        case StackPart(members):
            return _fold_stack([folded(member, defaults) for member in members])
        case ParallelPart(branches, merge):
            kept = [folded(branch, defaults) for branch in branches if not _is_nothing(branch)]
            return _fold_parallel(kept, merge.inherited(defaults).canonical() if merge else None)
        case ScopedPart(body):
            return _read(dataclasses.replace(part, body=folded(body, defaults)))
        case Block():
            return part.inherited(defaults).canonical()


def _is_nothing(part: Part) -> bool:
    """Return True for the rest of an option that was not taken, which is no branch."""
    match part:
        case ScopedPart(body):
            return _is_nothing(body)
        case StackPart(inner) | ParallelPart(inner):
            return not inner
        case Block():
            return False


def _fold_stack(members: list[Part]) -> Part:
    flat: list[Part] = []
    for member in members:
        flat += member.members if isinstance(member, StackPart) else (member,)
    kept = [member for member in flat if member != NONE]
    if len(kept) < 2:
        return kept[0] if kept else NONE
    first, rest = kept[0], kept[1:]
    if isinstance(first, ScopedPart) and first.body == NONE and not _reads_roots(rest):
        return _read(dataclasses.replace(first, body=_fold_stack(rest)))
    return StackPart(tuple(kept))


def _same_level(branch: Part, merge: Block | None) -> tuple[Part, ...]:
    """Return the branches of a parallel of logits only, or of a concat inside a concat."""
    if isinstance(branch, ParallelPart) and (
        branch.merge is None or branch.merge == CONCAT == merge
    ):
        return branch.branches
    return (branch,)


def _fold_parallel(branches: list[Part], merge: Block | None) -> Part:
    if not branches:
        raise SpaceError("a parallel needs one branch or more, but every option was left out.")
    flat: list[Part] = []
    for branch in branches:
        flat += _same_level(branch, merge)
    flat.sort(key=lambda branch: json.dumps(part_data(branch), sort_keys=True))
    if not any(gives_vector(branch) for branch in flat):
        merge = None
    if len(flat) == 1 and merge in (None, CONCAT):
        return flat[0]
    return ParallelPart(tuple(flat), merge)


# ---- columns that a branch reads --------------------------------------------------------------


def _read(part: ScopedPart) -> Part:
    """Return a folded branch whose scope stands at the blocks that it makes a difference to."""
    body = part.body
    if isinstance(body, StackPart) and not _reads_roots(list(body.members[1:])):
        first = _read(dataclasses.replace(part, body=body.members[0]))
        return _fold_stack([first, *body.members[1:]])
    if isinstance(body, ParallelPart):
        return _read_side_by_side(part, body)
    if not any(readers(body)):  # raw columns have no table, and may be chosen still
        return ScopedPart(body, part.fields, False) if part.fields else body
    return part


def _read_side_by_side(part: ScopedPart, body: ParallelPart) -> Part:
    """Return each branch with the scope, unless several share a table of their own."""
    sharing = [branch for branch in body.branches if any(readers(branch))]
    if not part.own or sum(1 for _ in readers(body)) < 2:
        branches = [_read(dataclasses.replace(part, body=b)) for b in body.branches]
        return _fold_parallel(branches, body.merge)
    others = [_read(dataclasses.replace(part, body=b)) for b in body.branches if b not in sharing]
    if not others or any(gives_vector(other) for other in others):
        return part
    inner = _fold_parallel(sharing, body.merge)
    return _fold_parallel([_read(dataclasses.replace(part, body=inner)), *others], CONCAT)


def shared_once(part: Part) -> Part:
    """Return the part with the first of several tables of the same columns as the shared one.

    It is that only where nothing else reads the shared table: then it makes no difference which of
    two branches has the table of its own.
    """
    apart = _all_own(part)
    found = list(readers(apart))
    if not all(isinstance(reader, ScopedPart) and reader.own for reader in found):
        return part  # something else reads the shared table
    first = next((r for r in found if isinstance(r, ScopedPart) and not r.fields), None)
    return _replaced(apart, first, first.body) if isinstance(first, ScopedPart) else part


def _all_own(part: Part) -> Part:
    """Return the branches that read the shared table as one with a table of its own."""
    if isinstance(part, StackPart):
        return StackPart((_all_own(part.members[0]), *part.members[1:]))
    if not isinstance(part, ParallelPart):
        return part
    plain = [b for b in part.branches if any(isinstance(r, Block) for r in readers(b))]
    mixed = any(isinstance(reader, ScopedPart) for b in plain for reader in readers(b))
    if mixed or not plain or (len(plain) > 1 and part.merge not in (None, CONCAT)):
        return part
    body = plain[0] if len(plain) == 1 else ParallelPart(tuple(plain), part.merge)
    others = [branch for branch in part.branches if branch not in plain]
    return _fold_parallel([_read(ScopedPart(body, None, True)), *others], part.merge)


def _replaced(part: Part, old: Part, new: Part) -> Part:
    """Return ``part`` with ``old`` replaced by ``new``, where the fields flow in."""
    if part is old:
        return new
    if isinstance(part, Block):
        return part
    inside, n = part.inside(), len(part.entries())
    entries = [_replaced(entry, old, new) for entry in inside[:n]]
    return part.rebuilt([*entries, *inside[n:]])


def _reads_roots(parts: list[Part]) -> bool:
    """Return True if a block asks for the fields or columns of its branch by name."""
    ports = (
        port
        for part in parts
        for block in blocks_of(part)
        for i, port in enumerate(type(block).inputs().values())
        if i or port is Columns
    )
    return not {Fields, Columns}.isdisjoint(ports)
