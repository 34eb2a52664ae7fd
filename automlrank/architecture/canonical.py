"""One spelling for what computes the same: folded parts, in one order."""

from __future__ import annotations

import json
from collections.abc import Mapping

from automlrank.architecture.parts import (
    CONCAT,
    NONE,
    NOTHING,
    Parallel,
    Part,
    Stack,
    gives_vector,
    part_data,
)
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Scalar
from automlrank.errors import SpaceError


def folded(part: Part, defaults: Mapping[str, Scalar]) -> Part:
    """The part with its defaults resolved, idle members dropped, branches in order."""
    match part:
        case Stack(members):
            return _fold_stack([folded(member, defaults) for member in members])
        case Parallel(branches, merge):
            kept = [folded(branch, defaults) for branch in branches if branch != NOTHING]
            return _fold_parallel(kept, merge.inherited(defaults).canonical() if merge else None)
        case Block():
            return part.inherited(defaults).canonical()


def _fold_stack(members: list[Part]) -> Part:
    flat: list[Part] = []
    for member in members:
        flat += member.members if isinstance(member, Stack) else (member,)
    kept = [member for member in flat if member != NONE]
    return kept[0] if len(kept) == 1 else Stack(tuple(kept)) if kept else NONE


def _same_level(branch: Part, merge: Block | None) -> tuple[Part, ...]:
    """A parallel of logits only, or a concat inside a concat, stands for its branches."""
    if isinstance(branch, Parallel) and (branch.merge is None or branch.merge == CONCAT == merge):
        return branch.branches
    return (branch,)


def _fold_parallel(branches: list[Part], merge: Block | None) -> Part:
    if not branches:
        raise SpaceError("a parallel needs at least one branch, but every option was left out.")
    flat: list[Part] = []
    for branch in branches:
        flat += _same_level(branch, merge)
    flat.sort(key=lambda branch: json.dumps(part_data(branch), sort_keys=True))
    if not any(gives_vector(branch) for branch in flat):
        merge = None
    if len(flat) == 1 and merge in (None, CONCAT):
        return flat[0]
    return Parallel(tuple(flat), merge)
