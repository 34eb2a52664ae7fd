"""POSO: a tower whose hidden units are masked by the context."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import floats
from automlrank.blocks.parts.layers import MLP, Gate
from automlrank.blocks.shared_knobs import (
    activation_knob,
    batch_norm_knob,
    context_gate_knob,
    depth_knob,
    dropout_knob,
    width_knob,
)
from automlrank.blocks.tower.base import ContextTower


class MaskedTower(nn.Module):
    def __init__(
        self,
        dim: int,
        given: int,
        gate_width: int,
        scale: float,
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
        self.gates = nn.ModuleList(Gate(given, gate_width, width, scale) for _ in dims)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        given = context.flatten(1)
        for layer, gate in zip(self.layers, self.gates, strict=True):
            x = gate(given) * layer(x)  # [batch, width]
        return x


@block("poso", family="tower")
class Poso(ContextTower):
    """A mask on every layer's units: ``x <- C g_l(c) * act(W x + b)``.

    ``g_l(c) = sigmoid(W' relu(W c + b) + b')`` of the context's fields; not a softmax: a unit's
    mask does not depend on the others'.
    """

    paper = "Dai et al., POSO, 2021, https://arxiv.org/abs/2108.04690"
    module = MaskedTower

    width: int = width_knob()
    depth: int = depth_knob(2, "masked layers")
    gate_width: int = context_gate_knob()
    scale: float = knob(2.0, legal=floats(0.1, 10.0), help="C: 2 leaves units as they are at 0.5")
    activation: str = activation_knob()
    batch_norm: bool | None = batch_norm_knob()
    dropout: float | None = dropout_knob()
