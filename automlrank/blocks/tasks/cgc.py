"""Customized gate control: shared experts, and each task's own."""

from __future__ import annotations

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.ports import Targets, Tasks, Vector
from automlrank.blocks.shared_knobs import (
    activation_knob,
    depth_knob,
    dropout_knob,
    gate_width_knob,
    width_knob,
)
from automlrank.blocks.tasks.base import TaskStructure
from automlrank.blocks.tasks.ple import ProgressiveExtraction


@block("cgc", family="tasks")
class Cgc(TaskStructure):
    """For task t: ``sum_e softmax(W_t x)_e expert_e(x)`` over the shared experts and its own.

    No gradient of another task reaches a task's own experts. With a ``gate_width``, each gate has
    a hidden layer of its own: ``softmax(W_t relu(V_t x + b_t))``. ``ple`` stacks such levels.
    """

    paper = "Tang et al., PLE, RecSys 2020, https://doi.org/10.1145/3383313.3412236"
    module = ProgressiveExtraction

    shared: int = knob(2, legal=ints(1, 32), search=one_of(1, 2, 4), help="shared experts")
    own: int = knob(2, legal=ints(1, 32), search=one_of(1, 2, 4), help="experts of each task")
    width: int = width_knob(1024)
    depth: int = depth_knob(1, "layers of an expert")
    gate_width: int = gate_width_knob()
    activation: str = activation_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Vector, targets: Targets) -> Tasks:
        return Tasks(targets.n, self.width)

    def arguments(self, x: Vector, targets: Targets) -> dict[str, object]:
        return {"dim": x.dim, "tasks": targets.n, "levels": 1, **self.settings()}

    def last_layer(self) -> tuple[str, ...]:
        return (f"levels.0.shared.weights.{self.depth - 1}",)
