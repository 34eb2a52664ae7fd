"""Binary cross-entropy, over the rows that have a label."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from automlrank.blocks.base import block
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.parts.losses import TaskLoss


class CrossEntropy(TaskLoss):
    def of(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")


@block("bce", family="loss")
class Bce(Loss):
    """``-mean(y log p + (1 - y) log(1 - p))`` for each task, a row counting as its weight says.

    >>> import torch
    >>> from automlrank.blocks.ports import Labels
    >>> module = Bce().build(Labels((-1, -1), (0.5, 0.5), (None, None), (1.0, 1.0)))
    >>> module(torch.zeros(4, 2), torch.ones(4, 2), None)  # log 2 for each task
    tensor([0.6931, 0.6931])
    """

    paper = "Cox, The Regression Analysis of Binary Sequences, JRSS B 1958, https://doi.org/10.1111/j.2517-6161.1958.tb00292.x"
    module = CrossEntropy
    soft = True
