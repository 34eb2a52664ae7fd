"""Weights under which all tasks train at a similar pace."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import floats, logs
from automlrank.blocks.parts.losses import task_gradients


class GradNorm(nn.Module):
    """Learns from the norms of the tasks' gradients in one layer, which ``watch`` names."""

    first: Tensor
    weights: Tensor

    def __init__(self, tasks: int, alpha: float, rate: float) -> None:
        super().__init__()
        self.alpha, self.rate = alpha, rate
        self.register_buffer("first", torch.zeros(tasks))  # each task's first loss
        self.register_buffer("weights", torch.ones(tasks))
        self.layer: list[Tensor] = []

    def watch(self, layer: Iterable[Tensor]) -> None:
        """These are the parameters of the last layer that all tasks share."""
        self.layer = list(layer)

    def forward(self, losses: Tensor) -> Tensor:
        total = (self.weights.clone() * losses).sum()
        if losses.requires_grad:
            norms = task_gradients(losses, self.layer).norm(dim=1)
            self.learn(losses.detach(), norms)
        return total

    def learn(self, losses: Tensor, norms: Tensor) -> None:
        """One step down ``sum_i |w_i n_i - mean(w n) r_i^alpha|``, the target held fixed.

        The gradient, ``sign(...) n_i``, is taken in units of the mean norm, so that a rate means
        the same whatever the losses' scale. Means are those of the tasks that the batch has rows
        of; the others' weights rest.
        """
        met = losses > 0
        self.first.copy_(torch.where(self.first > 0, self.first, losses))
        left = torch.where(met, losses / self.first, 0.0)
        pace = left / mean_of(left, met)
        sizes = self.weights * norms
        target = mean_of(sizes, met) * pace**self.alpha
        slope = met * (sizes - target).sign() * norms / mean_of(norms, met)
        weights = (self.weights - self.rate * slope).clamp(min=1e-3)  # none is turned round
        self.weights.copy_(len(weights) * weights / weights.sum())


def mean_of(values: Tensor, met: Tensor) -> Tensor:
    """The mean of some of the values, ``[]``, never 0: what is divided by it is 0 then, too."""
    return ((values * met).sum() / met.sum().clamp(min=1)).clamp(min=1e-12)


@block("gradnorm", family="balance")
class GradientNorm(Balance):
    """``sum_t w_t L_t``; ``w_t`` moves until ``w_t ||grad_W L_t||`` is ``mean(G) r_t^alpha``.

    W is the last layer that all tasks share; ``r_t`` is the task's loss over its first one,
    relative to the tasks' mean. The weights sum to the number of tasks.
    """

    paper = "Chen et al., GradNorm, ICML 2018, https://arxiv.org/abs/1711.02257"
    module = GradNorm
    reads_gradients = True

    alpha: float = knob(
        1.5, legal=floats(0.0, 10.0), search=floats(0.0, 2.0), help="pull toward an equal pace"
    )
    rate: float = knob(
        0.025, legal=logs(1e-6, 1.0), search=logs(1e-3, 1e-1), help="learning rate of the weights"
    )
