"""Every task's loss in units of its own running mean."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import ints, one_of


class LossScale(nn.Module):
    mean: Tensor
    steps: Tensor
    weights: Tensor

    def __init__(self, tasks: int, memory: int) -> None:
        super().__init__()
        self.memory = memory
        self.register_buffer("mean", torch.zeros(tasks))
        self.register_buffer("steps", torch.zeros(tasks))  # that a task has had rows in
        self.register_buffer("weights", torch.ones(tasks))

    def forward(self, losses: Tensor) -> Tensor:
        found = losses.detach()
        known = found > 0  # a batch may hold no row of a task
        self.steps += known
        share = 1 / self.steps.clamp(min=1, max=self.memory)
        self.mean += torch.where(known, share * (found - self.mean), 0.0)
        inverse = torch.where(self.mean > 0, 1 / self.mean, 0.0)
        total = inverse.sum()
        if total > 0:
            self.weights.copy_(len(losses) * inverse / total)
        return (self.weights * losses).sum()


@block("loss_scale", family="balance")
class RunningScale(Balance):
    """``sum_t w_t L_t``, ``w_t`` proportional to ``1 / mean(L_t)``; they sum to the tasks' number.

    The mean is that of all steps until there are ``memory``, then a running one over as many.
    A task's gradient is then that of its loss's logarithm: 10 % of it counts alike for all.
    """

    paper = "Chennupati et al., MultiNet++ (geometric loss), CVPRW 2019, https://arxiv.org/abs/1904.08492"
    module = LossScale

    memory: int = knob(
        100, legal=ints(1, 100_000), search=one_of(100, 1000), help="steps of the running mean"
    )
