"""LHUC: a tower whose hidden units are scaled by the context."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import block
from automlrank.blocks.parts.layers import MLP, Dense
from automlrank.blocks.shared_knobs import (
    activation_knob,
    batch_norm_knob,
    depth_knob,
    dropout_knob,
    width_knob,
)
from automlrank.blocks.tower.base import ContextTower


class AmplitudeTower(nn.Module):
    def __init__(
        self,
        dim: int,
        given: int,
        width: int,
        depth: int,
        activation: str,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        dims = [dim, *[width] * (depth - 1)]
        self.layers = nn.ModuleList(
            MLP(d, width, 1, activation, batch_norm, dropout, initialisation="xavier") for d in dims
        )
        self.amplitudes = nn.ModuleList(Dense(given, width) for _ in dims)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        given = context.flatten(1)
        for layer, amplitude in zip(self.layers, self.amplitudes, strict=True):
            x = 2.0 * amplitude(given).sigmoid() * layer(x)  # [batch, width]
        return x


@block("lhuc", family="tower")
class Lhuc(ContextTower):
    """An amplitude for every hidden unit: ``x <- 2 sigmoid(V_l c + v_l) * act(W x + b)``.

    ``c`` are the context's fields. The paper learns an amplitude per speaker and unit; those of
    an embedding's linear map are of its rank. With a hidden layer in the gate this is ``poso``.

    >>> import torch
    >>> from automlrank.blocks.ports import Context, Vector
    >>> module = Lhuc(width=32).build(Vector(10), Context(n=2, dim=4))
    >>> module(torch.randn(5, 10), torch.randn(5, 2, 4)).shape
    torch.Size([5, 32])
    """

    paper = "Swietojanski et al., LHUC, 2016, https://arxiv.org/abs/1601.02828"
    module = AmplitudeTower

    width: int = width_knob()
    depth: int = depth_knob(2, "layers")
    activation: str = activation_knob()
    batch_norm: bool | None = batch_norm_knob()
    dropout: float | None = dropout_knob()
