"""Scenario towers: one shared tower, and one for each scenario or group of scenarios."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.experts import Experts, side_by_side, xavier
from automlrank.blocks.parts.layers import ACTIVATIONS, MLP, Dense, Dropout
from automlrank.blocks.ports import FIRST_ID, Scenario, Vector
from automlrank.blocks.shared_knobs import activation_knob, depth_knob, dropout_knob, width_knob


class ScenarioMix(nn.Module):
    """All towers run and one is kept: no shape depends on which scenarios a batch holds."""

    def __init__(
        self,
        dim: int,
        towers: int,
        first_id: int,
        mode: str,
        width: int,
        depth: int,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()
        self.first_id, self.last = first_id, towers - 1
        self.star = mode == "star"
        if self.star:
            self.towers: nn.Module = StarTowers(towers, dim, width, depth, activation, dropout)
        else:
            self.shared = MLP(
                dim, width, depth, activation, dropout=dropout, initialisation="xavier"
            )
            self.towers = Experts(towers, dim, width, depth, activation, dropout)
        self.gate = Dense(dim, width) if mode == "gated" else None

    def forward(self, x: Tensor, scenario_id: Tensor) -> Tensor:
        known = (scenario_id >= self.first_id).unsqueeze(1)  # [batch, 1]
        place = (scenario_id.long() - self.first_id).clamp(0, self.last)
        towers: Tensor = self.towers(x)  # [batch, towers, width], of a star the shared one first
        if self.star:
            place = (place + 1) * known.squeeze(1)
        index = place.view(-1, 1, 1).expand(-1, 1, towers.shape[2])
        special = towers.gather(1, index).squeeze(1)  # [batch, width]
        if self.star:
            return special
        shared: Tensor = self.shared(x)  # [batch, width]
        if self.gate is None:
            return shared + special * known
        share: Tensor = self.gate(x).sigmoid() * known
        return shared + share * (special - shared)


class StarTowers(nn.Module):
    """The shared tower, then each own one: ``act((W * W_s) x + b + b_s)``, elementwise."""

    def __init__(
        self, n: int, dim: int, width: int, depth: int, activation: str, dropout: float
    ) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        self.own_weights, self.own_biases = nn.ParameterList(), nn.ParameterList()
        for _ in range(depth):
            self.weights.append(xavier(1, dim, width))
            self.biases.append(torch.zeros(1, 1, width))
            self.own_weights.append(torch.ones(n, dim, width))
            self.own_biases.append(torch.zeros(n, 1, width))
            dim = width
        self.activation = ACTIVATIONS[activation]()
        self.dropout = Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        layers = zip(self.weights, self.biases, self.own_weights, self.own_biases, strict=True)
        for weight, bias, own_weight, own_bias in layers:
            weights = torch.cat([weight, weight * own_weight])  # [1 + n, dim, width]
            biases = torch.cat([bias, bias + own_bias])
            x = self.dropout(self.activation(side_by_side(x, weights) + biases))
        return x.transpose(0, 1)  # [batch, 1 + n, width]


@block("scenario_towers", family="scenario")
class ScenarioTowers(Block):
    """A shared tower and one per scenario: ``y = shared(x) + tower_s(x)``.

    Gated: ``y = (1 - g) shared(x) + g tower_s(x)`` with ``g = sigmoid(W x + b)``. Star: one tower
    whose layers are ``act((W * W_s) x + b + b_s)``, shared weights times own ones, elementwise.

    With ``groups`` the rare scenarios share a tower: the most frequent ones have their own. For
    other groups, name a column that holds them as the schema's scenario. A scenario that training
    did not see has the shared part only, of a star the tower of ``W`` and ``b``. Shapes: ``[batch,
    dim]`` and ``scenario_id [batch]`` to ``[batch, width]``. No batch norm: a tower would see the
    rows of the others.

    >>> module = ScenarioTowers(width=32).build(Vector(10), Scenario(size=6, dim=4))
    >>> module(torch.randn(2, 10), torch.tensor([3, 5])).shape
    torch.Size([2, 32])
    """

    paper = "Sheng et al., STAR, CIKM 2021, https://arxiv.org/abs/2101.11427"
    module = ScenarioMix

    mode: str = knob(
        "sum",
        legal=one_of("sum", "gated", "star"),
        search=one_of("sum", "gated", "star"),
        help="combination of the shared tower and the scenario's",
    )
    groups: int = knob(
        0,
        legal=ints(0, 256),
        help="towers at most: one for each of the most frequent scenarios, the last for all "
        "others; 0: one each",
    )
    width: int = width_knob()
    depth: int = depth_knob(1, "layers of a tower")
    activation: str = activation_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, scenario: Scenario) -> Vector:
        return Vector(self.width)

    def arguments(self, x: Vector, scenario: Scenario) -> dict[str, object]:
        scenarios = max(1, scenario.size - FIRST_ID)
        settings = self.settings()
        del settings["groups"]
        towers = min(self.groups or scenarios, scenarios)
        return {"dim": x.dim, "towers": towers, "first_id": FIRST_ID, **settings}
