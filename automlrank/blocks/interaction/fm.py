"""Factorization machines: every pair of fields, in linear time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.parts.fields import sum_of_pairs
from automlrank.blocks.ports import Fields, Logit, Targets


class FactorizationMachine(nn.Module):
    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(tasks))

    def forward(self, fields: Tensor) -> Tensor:
        pairs = sum_of_pairs(fields).sum(dim=1, keepdim=True)  # [batch, 1]
        return pairs * self.scale  # [batch, tasks]


@block("fm", family="interaction")
class Fm(Block):
    """All pairs at once: ``0.5 * sum_d((sum_i v_i)^2 - sum_i v_i^2)``, times a scale per task.

    >>> Fm().build(Fields(6, 4), Targets(2))(torch.randn(5, 6, 4)).shape
    torch.Size([5, 2])
    """

    paper = "Rendle, Factorization Machines, ICDM 2010, https://doi.org/10.1109/ICDM.2010.127"
    module = FactorizationMachine

    def out(self, x: Fields, targets: Targets) -> Logit:
        return Logit(targets.n)

    def arguments(self, x: Fields, targets: Targets) -> dict[str, object]:
        return {"tasks": targets.n}
