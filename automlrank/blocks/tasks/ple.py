"""Progressive layered extraction: levels of shared experts and of each task's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.experts import Experts, MixtureGates
from automlrank.blocks.ports import Targets, Tasks, Vector
from automlrank.blocks.shared_knobs import (
    activation_knob,
    depth_knob,
    dropout_knob,
    gate_width_knob,
    width_knob,
)
from automlrank.blocks.tasks.base import TaskStructure


class Extraction(nn.Module):
    """One level: a task's gate sees the shared experts and its own, the shared gate sees all.

    It reads ``[batch, dim]`` for all, or what the level below gave, ``[batch, 1 + tasks, dim]``
    with the shared state first, and gives the like; the ``last`` level has no shared gate and
    gives ``[batch, tasks, width]``.
    """

    of_owner: Tensor

    def __init__(
        self,
        dim: int,
        tasks: int,
        shared: int,
        own: int,
        width: int,
        depth: int,
        gate_width: int,
        activation: str,
        dropout: float,
        last: bool,
    ) -> None:
        super().__init__()
        self.sizes = [shared, own]
        self.shared = Experts(shared, dim, width, depth, activation, dropout)
        self.own = Experts(tasks * own, dim, width, depth, activation, dropout)
        self.gates = MixtureGates(tasks, dim, shared + own, gate_width)
        self.shared_gate = None if last else MixtureGates(1, dim, shared + tasks * own, gate_width)
        self.register_buffer("of_owner", torch.eye(tasks).unsqueeze(2), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        first = x.dim() == 2
        of_all, of_tasks = (x, x) if first else (x[:, 0], x[:, 1:].transpose(0, 1))
        experts = torch.cat([self.shared(of_all), self.own(of_tasks)], dim=1)
        shared, own = self.gates(of_tasks).split(self.sizes, dim=2)
        # one product for all tasks, a task's shares of the others' experts zero: forward and
        # backward of 1000 rows, 3 x 4 experts of 128 take 1.4 ms, a product each 5.8 ms
        spread = (own.unsqueeze(2) * self.of_owner).flatten(2)  # [batch, tasks, tasks * own]
        gates = torch.cat([shared, spread], dim=2)
        if self.shared_gate is not None:
            gates = torch.cat([self.shared_gate(of_all), gates], dim=1)
        mixed: Tensor = gates @ experts  # [batch, (1 +) tasks, width]
        return mixed


class ProgressiveExtraction(nn.Module):
    def __init__(
        self,
        dim: int,
        tasks: int,
        levels: int,
        shared: int,
        own: int,
        width: int,
        depth: int,
        gate_width: int,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()
        self.levels = nn.Sequential(
            *(
                Extraction(width if level else dim, tasks, shared, own, width, depth, gate_width,
                           activation, dropout, last=level == levels - 1)
                for level in range(levels)
            )
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.levels(x)  # [batch, tasks, width]
        return mixed


@block("ple", family="tasks")
class Ple(TaskStructure):
    """Levels of ``cgc``; between them a shared gate mixes all experts for the next shared ones.

    Level j reads ``h_t``, what level j - 1 gave task t, and the shared ``h``; the first reads x:
    ``h_t' = sum_e softmax(W_t h_t)_e expert_e`` over the shared experts (of h) and the task's own
    (of ``h_t``), ``h' = sum_e softmax(W h)_e expert_e`` over all. With a ``gate_width``, each gate
    has a hidden layer of its own: ``softmax(W relu(V h + b))``. Through the shared experts of
    upper levels a task reaches those of the others in the levels below.
    """

    paper = "Tang et al., PLE, RecSys 2020, https://doi.org/10.1145/3383313.3412236"
    module = ProgressiveExtraction

    levels: int = knob(2, legal=ints(2, 8), search=one_of(2, 3), help="stacked; cgc is one level")
    shared: int = knob(2, legal=ints(1, 32), search=one_of(1, 2, 4), help="shared experts a level")
    own: int = knob(2, legal=ints(1, 32), search=one_of(1, 2, 4), help="experts a task and level")
    width: int = width_knob(1024)
    depth: int = depth_knob(1, "layers of an expert")
    gate_width: int = gate_width_knob()
    activation: str = activation_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, targets: Targets) -> Tasks:
        return Tasks(targets.n, self.width)

    def arguments(self, x: Vector, targets: Targets) -> dict[str, object]:
        return {"dim": x.dim, "tasks": targets.n, **self.settings()}

    def last_layer(self) -> tuple[str, ...]:
        return (f"levels.{self.levels - 1}.shared.weights.{self.depth - 1}",)
