"""Shared bottom: one network below all tasks."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import MLP
from automlrank.blocks.ports import Targets, Tasks, Vector
from automlrank.blocks.shared_knobs import (
    activation_knob,
    batch_norm_knob,
    depth_knob,
    dropout_knob,
)
from automlrank.blocks.tasks.base import TaskStructure


class Bottom(nn.Module):
    def __init__(
        self,
        dim: int,
        tasks: int,
        width: int,
        depth: int,
        activation: str,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.tasks = tasks
        self.bottom = MLP(
            dim, width, depth, activation, batch_norm, dropout, initialisation="xavier"
        )

    def forward(self, x: Tensor) -> Tensor:
        shared: Tensor = self.bottom(x)  # [batch, width]
        return shared.unsqueeze(1).expand(-1, self.tasks, -1)  # [batch, tasks, width]


@block("shared_bottom", family="tasks")
class SharedBottom(TaskStructure):
    """``h = MLP(x)``, the same for every task; the towers learn the differences."""

    paper = "Caruana, Multitask Learning, Machine Learning 1997, https://doi.org/10.1023/A:1007379606734"
    module = Bottom

    width: int = knob(128, legal=ints(4, 4096), search=one_of(64, 128, 256), help="hidden units")
    depth: int = depth_knob(1, "layers")
    activation: str = activation_knob()
    batch_norm: bool | None = batch_norm_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, targets: Targets) -> Tasks:
        return Tasks(targets.n, self.width)

    def arguments(self, x: Vector, targets: Targets) -> dict[str, object]:
        return {"dim": x.dim, "tasks": targets.n, **self.settings()}
