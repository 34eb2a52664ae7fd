"""Focal loss: well-predicted rows count less."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, one_of
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.parts.losses import TaskLoss
from automlrank.blocks.ports import Labels

HALF = 0.5  # the alpha of both classes alike; what an idle knob is set to


class FocalCrossEntropy(TaskLoss):
    """``rates``, where given, are the shares of positives: then alpha is those of negatives."""

    alpha: Tensor

    def __init__(
        self,
        gamma: float,
        alpha: float = 0.5,
        rates: Sequence[float] = (),
        parents: Sequence[int] = (),
        deviations: Sequence[float | None] = (),
        negatives: float = 1.0,
    ) -> None:
        super().__init__(parents, deviations, negatives)
        self.gamma = gamma
        shares = [1 - rate for rate in rates] or [alpha]
        self.register_buffer("alpha", torch.tensor(shares, dtype=torch.float64), persistent=False)

    def of(self, logits: Tensor, labels: Tensor) -> Tensor:
        alpha = self.alpha.to(labels.dtype)
        toward = torch.where(labels == 1, logits, -logits)  # the logit of the true class
        missed = (self.gamma * F.logsigmoid(-toward)).exp()  # (1 - p)^gamma
        return -torch.where(labels == 1, alpha, 1 - alpha) * missed * F.logsigmoid(toward)


@block("focal", family="loss")
class Focal(Loss):
    """``-mean(a (1 - p)^gamma log p)`` for each task, p that of the true class.

    ``a`` is alpha for positives and 1 - alpha for negatives; with ``prior`` alpha is the share of
    negatives among the training rows.
    """

    paper = "Lin et al., Focal Loss, ICCV 2017, https://arxiv.org/abs/1708.02002"
    module = FocalCrossEntropy
    bends = True

    gamma: float = knob(
        2.0,
        legal=floats(0.0, 5.0),
        search=floats(1.0, 3.0),
        help="strength of the down-weighting of well-predicted rows",
    )
    alpha: float = knob(
        HALF, legal=floats(0.01, 0.99), search=floats(0.25, 0.75), help="weight of positives"
    )
    prior: bool = knob(
        False,
        legal=one_of(False, True),
        search=one_of(False, True),
        help="alpha from the class shares of the training rows",
    )

    def arguments(self, labels: Labels) -> dict[str, object]:
        weights = {"rates": labels.rates} if self.prior else {"alpha": self.alpha}
        return {"gamma": self.gamma, **weights, **super().arguments(labels)}

    def canonical(self) -> Block:
        """Alpha is idle where the prior stands for it."""
        return dataclasses.replace(self, alpha=HALF) if self.prior else self
