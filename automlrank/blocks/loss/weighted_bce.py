"""Binary cross-entropy with class weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import logs, one_of
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.loss.bce import Bce
from automlrank.blocks.parts.losses import TaskLoss
from automlrank.blocks.ports import Labels


class WeightedCrossEntropy(TaskLoss):
    """``rates``, where given, are the shares of positives that the classes are evened out by."""

    positive: Tensor
    negative: Tensor

    def __init__(
        self,
        w1: float,
        w0: float,
        rates: Sequence[float] = (),
        parents: Sequence[int] = (),
        deviations: Sequence[float | None] = (),
        negatives: float = 1.0,
    ) -> None:
        super().__init__(parents, deviations, negatives)
        share = torch.tensor(rates or [0.5], dtype=torch.float64)
        self.register_buffer("positive", w1 * 0.5 / share, persistent=False)
        self.register_buffer("negative", w0 * 0.5 / (1 - share), persistent=False)

    def of(self, logits: Tensor, labels: Tensor) -> Tensor:
        ones, zeros = self.positive.to(labels.dtype), self.negative.to(labels.dtype)
        losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        return losses * torch.where(labels == 1, ones, zeros)


@block("weighted_bce", family="loss")
class WeightedBce(Loss):
    """``-mean(w1 y log p + w0 (1 - y) log(1 - p))`` for each task.

    With ``prior`` w1 and w0 are also divided by twice the share of their class among the training
    rows, so that both classes weigh the same and a row weighs 1 on average. Logits are then those
    of other probabilities: ``w1 / w0`` times the odds.
    """

    paper = "King and Zeng, Logistic Regression in Rare Events Data, Political Analysis 2001, https://doi.org/10.1093/oxfordjournals.pan.a004868"
    module = WeightedCrossEntropy
    bends = True

    w1: float = knob(1.0, legal=logs(1e-3, 1e3), search=logs(0.5, 8.0), help="weight of positives")
    w0: float = knob(1.0, legal=logs(1e-3, 1e3), help="weight of negatives")
    prior: bool = knob(
        True,
        legal=one_of(False, True),
        search=one_of(False, True),
        help="balance the classes by their shares of the training rows",
    )

    def arguments(self, labels: Labels) -> dict[str, object]:
        rates = {"rates": labels.rates} if self.prior else {}
        return {"w1": self.w1, "w0": self.w0, **rates, **super().arguments(labels)}

    def canonical(self) -> Block:
        """Without weights it is ``bce``."""
        return Bce() if self.w1 == self.w0 == 1.0 and not self.prior else self
