"""Multi-gate mixture of experts: shared experts, one gate per task."""

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
    gate_width_knob,
    width_knob,
)
from automlrank.blocks.tasks.base import MixedExperts


class MultiGateExperts(nn.Module):
    def __init__(
        self,
        dim: int,
        tasks: int,
        experts: int,
        width: int,
        depth: int,
        gate_width: int,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()
        self.experts = Experts(experts, dim, width, depth, activation, dropout)
        self.gates = MixtureGates(tasks, dim, experts, gate_width)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.gates(x) @ self.experts(x)  # [batch, tasks, width]
        return mixed


@block("mmoe", family="tasks")
class Mmoe(MixedExperts):
    """For task t: ``sum_e softmax(W_t x)_e expert_e(x)``, the experts shared by all tasks.

    With a ``gate_width``, each gate has a hidden layer of its own:
    ``softmax(W_t relu(V_t x + b_t))``.

    >>> import torch
    >>> module = Mmoe(width=32).build(Vector(10), Targets(2))
    >>> module(torch.randn(5, 10)).shape
    torch.Size([5, 2, 32])
    """

    paper = "Ma et al., MMoE, KDD 2018, https://doi.org/10.1145/3219819.3220007"
    module = MultiGateExperts

    experts: int = experts_knob()
    width: int = width_knob()
    depth: int = depth_knob(1, "layers of an expert")
    gate_width: int = gate_width_knob()
    activation: str = activation_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, targets: Targets) -> Tasks:
        return Tasks(targets.n, self.width)

    def arguments(self, x: Vector, targets: Targets) -> dict[str, object]:
        return {"dim": x.dim, "tasks": targets.n, **self.settings()}
