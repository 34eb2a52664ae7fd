"""One-gate mixture of experts: shared experts, one gate for all tasks."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import block
from automlrank.blocks.parts.experts import Experts, MixtureGates
from automlrank.blocks.ports import Targets, Tasks, Vector
from automlrank.blocks.shared_knobs import (
    activation_knob,
    depth_knob,
    dropout_knob,
    experts_knob,
    width_knob,
)
from automlrank.blocks.tasks.base import MixedExperts


class OneGateExperts(nn.Module):
    def __init__(
        self,
        dim: int,
        tasks: int,
        experts: int,
        width: int,
        depth: int,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()
        self.tasks = tasks
        self.experts = Experts(experts, dim, width, depth, activation, dropout)
        self.gate = MixtureGates(1, dim, experts, hidden=0)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.gate(x) @ self.experts(x)  # [batch, 1, width]
        return mixed.expand(-1, self.tasks, -1)


@block("omoe", family="tasks")
class Omoe(MixedExperts):
    """``sum_e softmax(W x)_e expert_e(x)``, the same for every task."""

    paper = "Jacobs et al., Adaptive Mixtures of Local Experts, Neural Computation 1991, https://doi.org/10.1162/neco.1991.3.1.79"
    module = OneGateExperts

    experts: int = experts_knob()
    width: int = width_knob()
    depth: int = depth_knob(1, "layers of an expert")
    activation: str = activation_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, targets: Targets) -> Tasks:
        return Tasks(targets.n, self.width)

    def arguments(self, x: Vector, targets: Targets) -> dict[str, object]:
        return {"dim": x.dim, "tasks": targets.n, **self.settings()}
