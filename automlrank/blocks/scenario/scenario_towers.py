"""A tower that all scenarios share, and one for each of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.hidden import activation_knob, dropout_knob
from automlrank.blocks.parts import MLP, Dense, Experts
from automlrank.blocks.ports import FIRST_ID, Scenario, Vector


class ScenarioMix(nn.Module):
    scenarios: Tensor

    def __init__(
        self,
        dim: int,
        scenarios: int,
        first_id: int,
        width: int,
        depth: int,
        activation: str,
        dropout: float,
        mode: str,
    ) -> None:
        super().__init__()
        self.register_buffer(
            "scenarios", torch.arange(first_id, first_id + scenarios), persistent=False
        )
        self.shared = MLP(dim, width, depth, activation, dropout=dropout)
        self.towers = Experts(scenarios, dim, width, depth, activation, dropout)
        self.gate = Dense(dim, width) if mode == "gated" else None

    def forward(self, x: Tensor, scenario_id: Tensor) -> Tensor:
        # all towers run and one is kept: no shape depends on which scenarios a batch holds
        own = (scenario_id.unsqueeze(1) == self.scenarios).unsqueeze(2)  # [batch, scenarios, 1]
        shared: Tensor = self.shared(x)  # [batch, width]
        special: Tensor = (self.towers(x) * own).sum(dim=1)
        if self.gate is None:
            return shared + special
        share: Tensor = self.gate(x).sigmoid() * own.any(dim=1)  # an unseen scenario: none
        return shared + share * (special - shared)


@block("scenario_towers", family="scenario")
class ScenarioTowers(Block):
    """A shared tower and one per scenario: ``y = shared(x) + tower_s(x)``.

    Gated: ``y = (1 - g) shared(x) + g tower_s(x)`` with ``g = sigmoid(W x + b)``.

    A scenario that training did not see has the shared part only. Shapes: ``[batch, dim]`` and
    ``scenario_id [batch]`` to ``[batch, width]``. No batch norm: a tower would see the rows of
    the others.
    """

    paper = "Sheng et al., STAR, CIKM 2021, https://arxiv.org/abs/2101.11427"
    module = ScenarioMix

    width: int = knob(64, legal=ints(4, 4096), search=one_of(32, 64, 128), help="hidden units")
    depth: int = knob(1, legal=ints(1, 8), search=one_of(1, 2), help="layers of a tower")
    mode: str = knob(
        "sum",
        legal=one_of("sum", "gated"),
        search=one_of("sum", "gated"),
        help="how the shared tower and the scenario's become one",
    )
    activation: str = activation_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, scenario: Scenario) -> Vector:
        return Vector(self.width)

    def arguments(self, x: Vector, scenario: Scenario) -> dict[str, object]:
        return {
            "dim": x.dim,
            "scenarios": scenario.size - FIRST_ID,
            "first_id": FIRST_ID,
            "width": self.width,
            "depth": self.depth,
            "activation": self.activation,
            "dropout": self.dropout,
            "mode": self.mode,
        }
