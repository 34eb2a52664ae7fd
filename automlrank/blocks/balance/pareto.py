"""Pareto weights: the step raises no task's loss to first order."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import floats
from automlrank.blocks.parts.losses import task_gradients


class ParetoWeights(nn.Module):
    """``least`` is the smallest weight of a task, as a share of ``1 / tasks``."""

    weights: Tensor

    def __init__(self, tasks: int, least: float) -> None:
        super().__init__()
        self.least = least / tasks
        self.register_buffer("weights", torch.full((tasks,), 1 / tasks))
        self.layer: list[Tensor] = []

    def watch(self, layer: Iterable[Tensor]) -> None:
        """These are the parameters of the last layer that all tasks share."""
        self.layer = list(layer)

    def forward(self, losses: Tensor) -> Tensor:
        if losses.requires_grad:
            gradients = task_gradients(losses, self.layer).double()
            gram = gradients @ gradients.T
            met = gram.diagonal() > 0  # a batch may hold no row of a task
            if met.any():
                self.weights.zero_()[met] = least_norm(gram[met][:, met], self.least).float()
        return (self.weights.clone() * losses).sum()


def least_norm(gram: Tensor, least: float, steps: int = 200) -> Tensor:
    """``w`` of ``min w' gram w`` with ``sum w = 1`` and ``w >= least``, ``[tasks]``.

    Frank-Wolfe by pairs: weight goes from the task with the steepest slope, of those that have
    some to give, to the one with the least, by an exact line search (Lacoste-Julien and Jaggi,
    NeurIPS 2015, https://arxiv.org/abs/1511.05932). With two tasks the first step is the closed
    form.
    """
    n = len(gram)
    weights = torch.full((n,), 1 / n, dtype=gram.dtype, device=gram.device)
    for _ in range(steps):
        slope = gram @ weights
        spare = weights - least
        to = int(slope.argmin())
        giver = int(slope.masked_fill(spare <= 1e-12, -torch.inf).argmax())
        gap = slope[giver] - slope[to]
        if gap <= 1e-9 * gram.diagonal().max():
            break
        curvature = gram[to, to] + gram[giver, giver] - 2 * gram[to, giver]
        moved = torch.minimum(gap / curvature, spare[giver])
        weights[to] += moved
        weights[giver] -= moved
    return weights


@block("pareto", family="balance")
class Pareto(Balance):
    """``sum_t w_t L_t`` with the w of ``min ||sum_t w_t grad_W L_t||``, summing to 1, at each step.

    W is the last layer that all tasks share. Without a least weight the step raises no task's
    loss to first order, as far as W goes. ``w_t >= least / tasks``; at 1 all weights are equal.
    A task without a gradient in a batch weighs nothing there.
    """

    paper = "Lin et al., Pareto-Efficient Multiple Objective Optimization, RecSys 2019, https://doi.org/10.1145/3298689.3346998"
    module = ParetoWeights
    reads_gradients = True

    least: float = knob(
        0.0,
        legal=floats(0.0, 1.0),
        search=floats(0.0, 0.8),
        help="smallest weight, as a share of an equal one",
    )
