"""The absence of a block: what goes in comes out."""

from __future__ import annotations

from torch import nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.ports import Fields, Vector

FAMILIES = ("statistics", "history", "gate", "interaction", "scenario", "tasks", "tower")


@block("none", family=FAMILIES)
class NoBlock(Block):
    """The identity: the stage is left out."""

    paper = "no paper"
    module = nn.Identity

    def out(self, x: Fields | Vector) -> Fields | Vector:
        return x

    def arguments(self, x: Fields | Vector) -> dict[str, object]:
        return {}
