"""Base class of balances: it declares if weights change and if they depend on gradients."""

from __future__ import annotations

from typing import ClassVar

from automlrank.blocks.base import Block
from automlrank.blocks.ports import Labels


class Balance(Block):
    """The tasks' losses as one; a module whose weights change has those of its last step.

    They are its ``weights [tasks]``.
    """

    moves: ClassVar[bool] = True
    """True if its weights change in training; then it needs several tasks."""
    reads_gradients: ClassVar[bool] = False
    """True if its module has a method ``watch`` for the last layer that all tasks share."""

    def arguments(self, labels: Labels) -> dict[str, object]:
        """Return the number of tasks and the knobs."""
        return {"tasks": labels.n, **self.settings()}
