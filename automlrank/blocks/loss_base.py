"""What losses and balances declare beyond a block: how their modules are built and read."""

from __future__ import annotations

from typing import ClassVar

from automlrank.blocks.base import Block
from automlrank.blocks.ports import Labels


class Loss(Block):
    """One loss per task; its module takes logits, labels ``[rows, tasks]`` and row weights."""

    on_all_rows: ClassVar[bool] = False
    """Whether a task with a parent is trained on every row, by the product of probabilities."""
    bends: ClassVar[bool] = False
    """Whether its least value lies at other logits than those of the true probabilities."""
    soft: ClassVar[bool] = False
    """Whether a label may be a probability: its gradient is then that of both, so weighted."""

    def arguments(self, labels: Labels) -> dict[str, object]:
        """Which tasks have a parent or are regression, what negatives are kept; else nothing."""
        given: dict[str, object] = {}
        if max(labels.parents) >= 0 and not self.on_all_rows:
            given["parents"] = labels.parents
        if any(deviation is not None for deviation in labels.deviations):
            given["deviations"] = labels.deviations
        if labels.negatives < 1:
            given["negatives"] = labels.negatives
        return given


class Balance(Block):
    """The tasks' losses as one; what moves has the ``weights`` of its last step."""

    moves: ClassVar[bool] = True
    """Whether its weights change while it trains; then it needs several tasks."""
    reads_gradients: ClassVar[bool] = False
    """Whether its module is told the last layer that all tasks share, by ``watch``."""

    def arguments(self, labels: Labels) -> dict[str, object]:
        """How many tasks there are, and the knobs."""
        return {"tasks": labels.n, **self.settings()}
