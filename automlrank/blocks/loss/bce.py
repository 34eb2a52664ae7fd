"""Binary cross-entropy, over the rows that have a label."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block


class CrossEntropy(nn.Module):
    """``[rows, tasks]`` to ``[tasks]``; a label of NaN does not count, a task without rows is 0."""

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None) -> Tensor:
        counts = (~labels.isnan()).to(labels.dtype)  # [rows, tasks]
        if weight is not None:
            counts = counts * weight.unsqueeze(1)
        losses = F.binary_cross_entropy_with_logits(
            logits.to(labels.dtype), labels.nan_to_num(0.0), reduction="none"
        )
        total = counts.sum(dim=0)
        return (losses * counts).sum(dim=0) / total.where(total > 0, 1.0)


@block("bce", family="loss")
class Bce(Block):
    """``-mean(y log p + (1 - y) log(1 - p))`` for each task, a row counting as its weight says."""

    paper = "Cox, The Regression Analysis of Binary Sequences, JRSS B 1958, https://doi.org/10.1111/j.2517-6161.1958.tb00292.x"
    module = CrossEntropy

    def arguments(self) -> dict[str, object]:
        return {}
