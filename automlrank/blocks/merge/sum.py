"""Branches projected to one width and added."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import block
from automlrank.blocks.merge.base import ProjectingMerge
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.shapes import add


class ProjectedSum(nn.Module):
    def __init__(self, dims: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList(Dense(dim, width, bias=False) for dim in dims)

    def forward(self, *branches: Tensor) -> Tensor:
        parts = zip(self.projections, branches, strict=True)
        return add(*(projection(branch) for projection, branch in parts))  # [batch, width]


@block("sum", family="merge")
class Sum(ProjectingMerge):
    """``sum_i W_i x_i``: what follows stays of one width, however many the branches."""

    paper = "Zhang et al., NASRec, WWW 2023, https://arxiv.org/abs/2207.07187"
    module = ProjectedSum
