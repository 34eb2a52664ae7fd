"""The base of blocks that read target rates and counts."""

from __future__ import annotations

from automlrank.blocks.base import Block


class StatisticsBlock(Block):
    """A block of the family ``statistics``."""

    def replaces_ids(self) -> bool:
        """Return True if no block but this one reads the ids of columns that have a rate."""
        return False
