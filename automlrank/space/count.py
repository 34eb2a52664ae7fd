"""How large a space is: the draws of its choices, exactly, and its continuous knobs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from automlrank.blocks.domains import Domain
from automlrank.space.grammar import (
    Choose,
    Expression,
    FieldScope,
    Leaf,
    Optional,
    Parallel,
    Repeat,
    SomeOf,
    Stack,
    leaves,
)
from automlrank.space.space import Space


@dataclass(frozen=True)
class Size:
    """``draws``: combinations of all choices; ``continuous``: the knobs with float ranges."""

    draws: int
    continuous: tuple[str, ...]


def count(space: Space) -> Size:
    """The size of a space; float ranges count as one each and are listed."""
    draws = math.prod(_draws(node) for _, node in space.stages())
    continuous = (
        f"{leaf.block}.{name}"
        for _, node in space.stages()
        for leaf in leaves(node)
        for name, domain in leaf.domains.items()
        if domain.count() == math.inf
    )
    return Size(draws, tuple(dict.fromkeys(continuous)))


def _draws(node: Expression) -> int:
    match node:
        case Leaf(_, domains):
            return math.prod(_discrete(domain) for domain in domains.values())
        case Choose(options):
            return sum(_draws(option) for option in options)
        case SomeOf(options, low, high):
            return sum(_subset_draws([_draws(option) for option in options])[low : high + 1])
        case Stack(members):
            return math.prod(_draws(member) for member in members)
        case Parallel(branches, merge):
            return math.prod(_draws(branch) for branch in branches) * _draws(merge)
        case Repeat(body, times):
            return _draws(body) * _discrete(times)
        case Optional(body):
            return 1 + _draws(body)
        case FieldScope(body):
            return _draws(body)


def _discrete(domain: Domain) -> int:
    return 1 if domain.count() == math.inf else int(domain.count())


def _subset_draws(each: list[int]) -> list[int]:
    """Draws by the size of the subset: the coefficients of ``prod(1 + draws_i x)``."""
    sums = [1]
    for draws in each:
        sums = [a + draws * b for a, b in zip([*sums, 0], [0, *sums], strict=True)]
    return sums
