"""The block ``none``: the identity, for a stage that is left out."""

from __future__ import annotations

from torch import nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.ports import Fields, Vector
from automlrank.blocks.stages import STAGES

FLOWS = [family for stage in STAGES.values() if stage.takes for family in stage.families]


@block("none", family=tuple(dict.fromkeys(FLOWS)))
class NoBlock(Block):
    """The identity: the stage is left out."""

    paper = "no paper"
    module = nn.Identity

    def out(self, x: Fields | Vector) -> Fields | Vector:
        return x

    def arguments(self, x: Fields | Vector) -> dict[str, object]:
        return {}
