"""M2M: meta networks generate the weights of expert attention and towers from the scenario."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.experts import Experts, xavier
from automlrank.blocks.parts.layers import ACTIVATIONS, seen
from automlrank.blocks.ports import FIRST_ID, Scenario, Targets, Tasks, Vector
from automlrank.blocks.shared_knobs import depth_knob, dropout_knob, experts_knob
from automlrank.blocks.tasks.base import MixedExperts


class MetaLayer(nn.Module):
    """A layer whose weights are linear in s: ``W, b = reshape(V s + v)``, for ``inputs`` vectors.

    Of several inputs ``act(W [x_1; x_2] + b)`` is ``act(W_1 x_1 + W_2 x_2 + b)``: their leading
    axes broadcast. ``v`` starts as a layer's weights and biases do.
    """

    def __init__(self, knowledge: int, inputs: int, width: int, activation: str) -> None:
        super().__init__()
        start = xavier(1, inputs * width, width).flatten()
        self.shared = nn.Parameter(torch.cat([start, torch.zeros(width)]))
        self.special = nn.Parameter(xavier(1, knowledge, len(self.shared))[0])
        self.width, self.rows = width, inputs * width + 1
        self.activation = ACTIVATIONS[activation]()

    def forward(self, s: Tensor, *inputs: Tensor) -> Tensor:
        made = (s @ self.special + self.shared).view(-1, self.rows, self.width)
        y = made[:, -1].reshape(-1, *[1] * (inputs[0].dim() - 2), self.width)
        for i, x in enumerate(inputs):
            weights = made[:, i * self.width : (i + 1) * self.width]
            flat = x.expand(s.shape[0], *x.shape[1:]).flatten(1, -2)
            y = y + torch.bmm(flat, weights).view(-1, *x.shape[1:])
        out: Tensor = self.activation(y)  # [batch, ..., width]
        return out


class MetaNetwork(nn.Module):
    def __init__(
        self,
        dim: int,
        tasks: int,
        knowledge: int,
        first_id: int,
        experts: int,
        width: int,
        depth: int,
        meta_depth: int,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()
        self.first_id = first_id
        self.experts = Experts(experts, dim, width, depth, activation, dropout)
        self.tasks = nn.Parameter(xavier(1, tasks, width).unsqueeze(2))
        self.attend = MetaLayer(knowledge, 2, width, activation)
        self.score = nn.Parameter(xavier(1, width, 1)[0])
        self.tower = nn.ModuleList(
            MetaLayer(knowledge, 1, width, activation) for _ in range(meta_depth)
        )
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor, scenario: Tensor, scenario_id: Tensor) -> Tensor:
        s = seen(scenario, scenario_id, self.first_id)
        experts: Tensor = self.experts(x)  # [batch, experts, width]
        met = self.attend(s, experts.unsqueeze(1), self.tasks)
        shares = (met @ self.score).squeeze(3).softmax(dim=2)  # [batch, tasks, experts]
        state: Tensor = shares @ experts  # [batch, tasks, width]
        for layer in self.tower:
            state = self.activation(layer(s, state) + state)
        return state


@block("m2m", family="tasks")
class MetaTasks(MixedExperts):
    """Attention over experts, then a residual tower, with weights that the scenario makes.

    ``Meta(x) = act(W x + b)`` with ``W, b = reshape(V s + v)``, s the scenario's embedding. Task t,
    of embedding ``T_t``, mixes the experts by ``softmax_i v^T Meta([E_i; T_t])``; the tower is
    ``L <- act(Meta(L) + L)``, ``meta_depth`` times, each with a V and v of its own, shared by the
    tasks. It brings the tasks' towers: the stage tower may be none. A scenario that training did
    not see has ``s = 0``: the weights ``v``, which are what all scenarios share.
    """

    paper = "Zhang et al., M2M, WSDM 2022, https://arxiv.org/abs/2201.06814"
    module = MetaNetwork

    experts: int = experts_knob()
    width: int = knob(
        32,
        legal=ints(4, 32),
        search=one_of(16, 32),
        help="hidden units: a row's scenario makes width x width weights a layer",
    )
    depth: int = depth_knob(1, "layers of an expert")
    meta_depth: int = depth_knob(2, "layers of the tower")
    activation: str = knob(
        "relu",
        legal=one_of(*(name for name in ACTIVATIONS if name != "identity")),
        help="after each layer; without one, the tasks' embeddings would cancel in the softmax",
    )
    dropout: float | None = dropout_knob("share of the experts' units dropped in training")

    def out(self, x: Vector, targets: Targets, scenario: Scenario) -> Tasks:
        return Tasks(targets.n, self.width)

    def arguments(self, x: Vector, targets: Targets, scenario: Scenario) -> dict[str, object]:
        return {
            "dim": x.dim,
            "tasks": targets.n,
            "knowledge": scenario.dim,
            "first_id": FIRST_ID,
            **self.settings(),
        }
