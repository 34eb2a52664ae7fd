"""Every block of the registry is held to the laws that ``automlrank.testing`` ships."""

from __future__ import annotations

from automlrank.blocks import BLOCKS
from automlrank.testing import BlockConformance


class TestConformance(BlockConformance):
    blocks = tuple(BLOCKS.values())
