"""Base class of merges that project branches to one width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automlrank.blocks.base import Block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.ports import Vector


@dataclass(frozen=True, kw_only=True)
class ProjectingMerge(Block):
    """A merge whose result has the same ``width``, however many the branches."""

    width: int = knob(
        128, legal=ints(1, 4096), search=one_of(64, 128, 256), help="width of every branch"
    )

    def out(self, *xs: Vector) -> Vector:
        return Vector(self.width)

    def arguments(self, *xs: Vector) -> dict[str, Any]:
        return {"dims": tuple(x.dim for x in xs), **self.settings()}
