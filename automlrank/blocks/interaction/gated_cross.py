"""The gated cross network: a gate filters the crosses of every order."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.ports import Vector


class GatedCross(nn.Module):
    def __init__(self, dim: int, layers: int) -> None:
        super().__init__()
        self.crosses = nn.ModuleList(Dense(dim, dim) for _ in range(layers))
        self.gates = nn.ModuleList(Dense(dim, dim, bias=False) for _ in range(layers))

    def forward(self, x0: Tensor) -> Tensor:
        x = x0
        for cross, gate in zip(self.crosses, self.gates, strict=True):
            x = x0 * cross(x) * gate(x).sigmoid() + x  # [batch, dim]
        return x


@block("gated_cross", family="interaction")
class GatedCrossNet(Block):
    """Crosses filtered by a gate: ``x <- x0 * (W x + b) * sigmoid(W_g x) + x``.

    Shapes: ``[batch, dim]`` to ``[batch, dim]``; ``W`` and ``W_g`` are full matrices of a layer.
    """

    paper = "Wang et al., GDCN, CIKM 2023, https://arxiv.org/abs/2311.04635"
    module = GatedCross

    layers: int = knob(3, legal=ints(1, 16), search=one_of(1, 2, 3), help="cross layers")

    def out(self, x: Vector) -> Vector:
        return x

    def arguments(self, x: Vector) -> dict[str, object]:
        return {"dim": x.dim, "layers": self.layers}
