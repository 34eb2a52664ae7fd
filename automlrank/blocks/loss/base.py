"""Base class of losses: their arguments, and their treatment of parent tasks and soft labels."""

from __future__ import annotations

from typing import ClassVar

from automlrank.blocks.base import Block
from automlrank.blocks.ports import Labels


class Loss(Block):
    """One loss per task; its module takes logits, labels ``[rows, tasks]`` and row weights."""

    on_all_rows: ClassVar[bool] = False
    """True if a task with a parent is trained on every row, by the product of probabilities."""
    bends: ClassVar[bool] = False
    """True if the loss is not a proper scoring rule: its minimum is not at the true
    probabilities."""
    soft: ClassVar[bool] = False
    """True if labels may be probabilities: the loss is linear in the label."""

    def arguments(self, labels: Labels) -> dict[str, object]:
        """Return the parents, the regression tasks and the share of negatives, where there are."""
        given: dict[str, object] = {}
        if max(labels.parents) >= 0 and not self.on_all_rows:
            given["parents"] = labels.parents
        if any(deviation is not None for deviation in labels.deviations):
            given["deviations"] = labels.deviations
        if labels.negatives < 1:
            given["negatives"] = labels.negatives
        return given
