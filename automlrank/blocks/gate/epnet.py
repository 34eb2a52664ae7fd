"""EPNet: the scenario reweights every entry of the fields."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.parts.layers import Gate, seen
from automlrank.blocks.ports import FIRST_ID, Fields, Scenario
from automlrank.blocks.shared_knobs import context_gate_knob


class EmbeddingPersonalization(nn.Module):
    def __init__(self, fields: int, dim: int, scenario: int, first_id: int, width: int) -> None:
        super().__init__()
        self.first_id = first_id
        self.gate = Gate(scenario + fields * dim, width, fields * dim)

    def forward(self, x: Tensor, scenario: Tensor, scenario_id: Tensor) -> Tensor:
        s = seen(scenario, scenario_id, self.first_id)
        factors = self.gate(torch.cat([s, x.detach().flatten(1)], dim=1))
        gated: Tensor = x * factors.view_as(x)  # [batch, fields, dim]
        return gated


@block("epnet", family="gate")
class EpNet(Block):
    """A factor per entry of the fields: ``v * 2 sigmoid(W' relu(W [s; v'] + b) + b')``.

    ``s`` is the scenario's embedding and ``v'`` a copy of the fields through which no gradient
    flows. A scenario that training did not see has ``s = 0``: the gate that the fields alone
    make. Shapes: fields ``[batch, n, dim]`` to fields of the same shape.
    """

    paper = "Chang et al., PEPNet, KDD 2023, https://arxiv.org/abs/2302.01115"
    module = EmbeddingPersonalization

    width: int = context_gate_knob("hidden units of the gate")

    def out(self, x: Fields, scenario: Scenario) -> Fields:
        return x

    def arguments(self, x: Fields, scenario: Scenario) -> dict[str, object]:
        return {
            "fields": x.n,
            "dim": x.dim,
            "scenario": scenario.dim,
            "first_id": FIRST_ID,
            "width": self.width,
        }
