"""Size of a space: the exact number of draws, and the number of continuous knobs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from automlrank.space.grammar import Expression, leaves
from automlrank.space.space import Space


@dataclass(frozen=True)
class Size:
    """Size of a space."""

    draws: int
    """Number of combinations of all choices."""
    continuous: tuple[str, ...]
    """Names of the knobs with float ranges."""

    @property
    def is_open(self) -> bool:
        """True if something is left to choose."""
        return self.draws > 1 or bool(self.continuous)


def count(space: Space) -> Size:
    """Return the size of a space; float ranges count as one draw each and are listed."""
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
    return node.draws([_draws(inner) for _, inner in node.inside()])
