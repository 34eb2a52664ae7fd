"""PPNet: a tower whose every layer is gated by the context."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import block
from automlrank.blocks.parts.layers import MLP, Gate
from automlrank.blocks.ports import Context, Vector
from automlrank.blocks.shared_knobs import (
    activation_knob,
    batch_norm_knob,
    context_gate_knob,
    depth_knob,
    dropout_knob,
    width_knob,
)
from automlrank.blocks.tower.base import ContextTower


class PersonalizedTower(nn.Module):
    def __init__(
        self,
        dim: int,
        given: int,
        gate_width: int,
        width: int,
        depth: int,
        activation: str,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        dims = [dim, *[width] * (depth - 1)]
        self.gates = nn.ModuleList(Gate(given, gate_width, d) for d in dims)
        self.layers = nn.ModuleList(
            MLP(d, width, 1, activation, batch_norm, dropout, initialisation="xavier") for d in dims
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        given = torch.cat([context.flatten(1), x.detach()], dim=1)
        for gate, layer in zip(self.gates, self.layers, strict=True):
            x = layer(x * gate(given))  # [batch, width]
        return x


@block("ppnet", family="tower")
class PpNet(ContextTower):
    """A gate per layer on that layer's input: ``x <- act(W (x * g_l(c)) + b)``.

    ``g_l(c) = 2 sigmoid(W' relu(W c + b) + b')``, where ``c`` is the context's fields and a copy
    of the vector that flows in, through which no gradient flows. Behind ``epnet`` that vector is
    the gated fields, which makes PEPNet.
    """

    paper = "Chang et al., PEPNet, KDD 2023, https://arxiv.org/abs/2302.01115"
    module = PersonalizedTower

    width: int = width_knob()
    depth: int = depth_knob(2, "gated layers")
    gate_width: int = context_gate_knob()
    activation: str = activation_knob()
    batch_norm: bool | None = batch_norm_knob()
    dropout: float | None = dropout_knob()

    def arguments(self, x: Vector, context: Context) -> dict[str, object]:
        given = context.n * context.dim + x.dim
        return {**super().arguments(x, context), "given": given}
