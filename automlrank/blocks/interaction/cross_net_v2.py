"""Cross networks: explicit feature crosses of bounded degree."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.ports import Vector


class MatrixCross(nn.Module):
    def __init__(self, dim: int, layers: int, rank: int) -> None:
        super().__init__()
        self.crosses = nn.ModuleList(
            nn.Sequential(Dense(dim, rank, bias=False), Dense(rank, dim))
            if rank
            else Dense(dim, dim)
            for _ in range(layers)
        )

    def forward(self, x0: Tensor) -> Tensor:
        x = x0
        for cross in self.crosses:
            x = x0 * cross(x) + x  # [batch, dim]
        return x


@block("cross_net_v2", family="interaction")
class CrossNetV2(Block):
    """Crosses of degree up to ``layers + 1``: ``x <- x0 * (W x + b) + x``, repeated."""

    paper = "Wang et al., DCN V2, WWW 2021, https://arxiv.org/abs/2008.13535"
    module = MatrixCross

    layers: int = knob(2, legal=ints(1, 8), search=one_of(1, 2, 3), help="cross layers")
    rank: int = knob(
        0, legal=ints(0, 1024), search=one_of(0, 32, 64), help="rank of W; 0 is full rank"
    )

    def out(self, x: Vector) -> Vector:
        return x

    def arguments(self, x: Vector) -> dict[str, object]:
        return {"dim": x.dim, "layers": self.layers, "rank": self.rank}
