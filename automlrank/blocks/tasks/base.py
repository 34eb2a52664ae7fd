"""Base classes of task structures, with and without experts that all tasks mix."""

from __future__ import annotations

from automlrank.blocks.base import Block


class TaskStructure(Block):
    """A block of the family ``tasks``: a vector becomes one of ``width`` for each task."""

    width: int
    depth: int

    def last_layer(self) -> tuple[str, ...]:
        """Return the module's parameters in the last layer that all tasks share.

        Empty where that is the last matrix of the module.
        """
        return ()


class MixedExperts(TaskStructure):
    """A task structure whose module holds the experts of all tasks as ``experts``."""

    def last_layer(self) -> tuple[str, ...]:
        return (f"experts.weights.{self.depth - 1}",)
