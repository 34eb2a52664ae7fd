"""Uncertainty weighting: each task's weight follows from a learned variance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import logs


class Uncertainty(nn.Module):
    def __init__(self, tasks: int, pace: float) -> None:
        super().__init__()
        self.pace = pace
        self.learned = nn.Parameter(torch.zeros(tasks))

    @property
    def weights(self) -> Tensor:
        return (-self.pace * self.learned.detach()).exp()

    def forward(self, losses: Tensor) -> Tensor:
        s = self.pace * self.learned
        met = losses.detach() > 0  # a batch may hold no row of a task: its s rests
        return (losses * (-s).exp() + 0.5 * s * met).sum()


@block("uncertainty", family="balance")
class UncertaintyWeights(Balance):
    """``sum_t L_t exp(-s_t) + s_t / 2`` with ``s_t = log sigma_t^2`` learned, 0 at the start.

    ``s`` is learned at ``pace`` times the learning rate: Adam's step of 1e-3 moves it by 1 in a
    thousand steps. The paper's constants for a classified task; a regression task, for which it has
    ``L / (2 sigma^2)``, has the same here, its loss being in units of the label's variance.
    """

    paper = "Kendall et al., Multi-Task Learning Using Uncertainty, CVPR 2018, https://arxiv.org/abs/1705.07115"
    module = Uncertainty

    pace: float = knob(
        10.0, legal=logs(0.1, 1e3), search=logs(1.0, 1e2), help="learning rate, in the model's"
    )
