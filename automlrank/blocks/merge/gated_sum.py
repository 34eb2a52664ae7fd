"""Branches projected to one width, gated and added."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import block
from automlrank.blocks.merge.base import ProjectingMerge
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.shapes import add


class GatedProjections(nn.Module):
    def __init__(self, dims: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList(Dense(dim, 2 * width) for dim in dims)

    def forward(self, *branches: Tensor) -> Tensor:
        parts = zip(self.projections, branches, strict=True)
        return add(*(F.glu(projection(branch)) for projection, branch in parts))  # [batch, width]


@block("gated_sum", family="merge")
class GatedSum(ProjectingMerge):
    """``sum_i (W_i x_i + b_i) * sigmoid(G_i x_i + c_i)``: a row may close a unit."""

    paper = "Dauphin et al., Gated Dense Units, ICML 2017, https://arxiv.org/abs/1612.08083"
    module = GatedProjections
