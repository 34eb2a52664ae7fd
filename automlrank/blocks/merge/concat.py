"""Concatenation of branches."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.parts.shapes import join
from automlrank.blocks.ports import Vector


class SideBySide(nn.Module):
    def forward(self, *branches: Tensor) -> Tensor:
        return join(*branches)  # [batch, sum of dims]


@block("concat", family="merge")
class Concat(Block):
    """``[x_1; x_2; ...]``: nothing is lost, and what follows grows with the branches.

    >>> import torch
    >>> Concat().build(Vector(3), Vector(4))(torch.randn(2, 3), torch.randn(2, 4)).shape
    torch.Size([2, 7])
    """

    paper = "Cheng et al., Wide & Deep, DLRS 2016, https://arxiv.org/abs/1606.07792"
    module = SideBySide

    def out(self, *xs: Vector) -> Vector:
        return Vector(sum(x.dim for x in xs))

    def arguments(self, *xs: Vector) -> dict[str, object]:
        return {}
