"""Mean squared error of the prediction."""

from __future__ import annotations

from torch import Tensor

from automlrank.blocks.base import block
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.parts.losses import TaskLoss


class SquaredError(TaskLoss):
    def of(self, logits: Tensor, labels: Tensor) -> Tensor:
        errors = logits.sigmoid() - labels
        return errors * errors


@block("mse", family="loss")
class Mse(Loss):
    """``mean((y - p)^2)``: of a binary task's probability (Brier), of a regression task's value.

    A regression task has it under every loss, in units of its label's variance.
    """

    paper = "Gneiting and Raftery, Strictly Proper Scoring Rules, JASA 2007, https://doi.org/10.1198/016214506000001437"
    module = SquaredError
    soft = True
