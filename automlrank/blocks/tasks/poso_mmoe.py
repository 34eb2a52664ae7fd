"""POSO over a mixture of experts: the context scales each expert."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import floats
from automlrank.blocks.parts.experts import Experts, MixtureGates
from automlrank.blocks.parts.layers import Gate
from automlrank.blocks.ports import Context, Targets, Tasks, Vector
from automlrank.blocks.shared_knobs import (
    activation_knob,
    context_gate_knob,
    depth_knob,
    dropout_knob,
    experts_knob,
    width_knob,
)
from automlrank.blocks.tasks.base import MixedExperts


class PersonalizedExperts(nn.Module):
    def __init__(
        self,
        dim: int,
        given: int,
        tasks: int,
        experts: int,
        width: int,
        depth: int,
        mask_width: int,
        scale: float,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()
        self.experts = Experts(experts, dim, width, depth, activation, dropout)
        self.gates = MixtureGates(tasks, dim, experts, hidden=0)
        self.mask = Gate(given, mask_width, experts, scale)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        masks = self.mask(context.flatten(1)).unsqueeze(1)  # [batch, 1, experts]
        mixed: Tensor = (self.gates(x) * masks) @ self.experts(x)  # [batch, tasks, width]
        return mixed


@block("poso_mmoe", family="tasks")
class PosoMmoe(MixedExperts):
    """For task t: ``sum_k g_tk(x) C g_k(c) expert_k(x)`` with ``g_t(x) = softmax(W_t x)``.

    The masks ``g(c) = sigmoid(W' relu(W c + b) + b')`` of the context's fields are the same for
    all tasks and are not a softmax: a context may close several experts, or none.
    """

    paper = "Dai et al., POSO, 2021, https://arxiv.org/abs/2108.04690"
    module = PersonalizedExperts

    experts: int = experts_knob()
    width: int = width_knob()
    depth: int = depth_knob(1, "layers of an expert")
    mask_width: int = context_gate_knob("hidden units of the masks' gate")
    scale: float = knob(2.0, legal=floats(0.1, 10.0), help="C: 2 leaves experts as they are at 0.5")
    activation: str = activation_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, targets: Targets, context: Context) -> Tasks:
        return Tasks(targets.n, self.width)

    def arguments(self, x: Vector, targets: Targets, context: Context) -> dict[str, object]:
        given = context.n * context.dim
        return {"dim": x.dim, "given": given, "tasks": targets.n, **self.settings()}
