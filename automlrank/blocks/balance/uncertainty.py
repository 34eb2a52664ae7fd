"""Weights by learned uncertainty."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import block
from automlrank.blocks.objectives import Balance


class Uncertainty(nn.Module):
    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.log_variances = nn.Parameter(torch.zeros(tasks))

    @property
    def weights(self) -> Tensor:
        return (-self.log_variances.detach()).exp()

    def forward(self, losses: Tensor) -> Tensor:
        s = self.log_variances
        return (losses * (-s).exp() + 0.5 * s).sum()


@block("uncertainty", family="balance")
class UncertaintyWeights(Balance):
    """``sum_t L_t exp(-s_t) + s_t / 2`` with ``s_t = log sigma_t^2`` learned, 0 at the start.

    The paper's constants for a classified task; a regression task, for which it has
    ``L / (2 sigma^2)``, has the same here, its loss being in units of the label's variance.
    """

    paper = "Kendall et al., Multi-Task Learning Using Uncertainty, CVPR 2018, https://arxiv.org/abs/1705.07115"
    module = Uncertainty
