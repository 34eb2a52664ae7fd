"""Branches projected to one width, gated and added."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.shapes import add
from automlrank.blocks.ports import Vector


class GatedProjections(nn.Module):
    def __init__(self, dims: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList(Dense(dim, 2 * width) for dim in dims)

    def forward(self, *branches: Tensor) -> Tensor:
        parts = zip(self.projections, branches, strict=True)
        return add(*(F.glu(projection(branch)) for projection, branch in parts))  # [batch, width]


@block("gated_sum", family="merge")
class GatedSum(Block):
    """``sum_i (W_i x_i + b_i) * sigmoid(G_i x_i + c_i)``: a row may close a unit."""

    paper = "Dauphin et al., Gated Dense Units, ICML 2017, https://arxiv.org/abs/1612.08083"
    module = GatedProjections

    width: int = knob(
        128, legal=ints(1, 4096), search=one_of(64, 128, 256), help="width of every branch"
    )

    def out(self, *xs: Vector) -> Vector:
        return Vector(self.width)

    def arguments(self, *xs: Vector) -> dict[str, object]:
        return {"dims": tuple(x.dim for x in xs), "width": self.width}
