"""Our task structures beside torch-rechub's models of several tasks, with weights copied.

Theirs end in probabilities; the towers, which a plan has apart from the structure, are left out of
both, so what is compared is one vector a task.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.multi_task import MMOE, PLE, SharedBottom

from automlrank.blocks import BLOCKS
from automlrank.blocks.ports import Targets
from benchmarks.parity.parts import FLAT, PORTS, WIDTH, Pair, drawn, put, put_linears
from benchmarks.parity.peers import without_batch_norm

Both = tuple[nn.Module, nn.Module]
TASKS, EXPERTS, DEPTH = 3, 4, 2
SHARED, OWN, LEVELS = 2, 2, 2
NORMS = "its batch norms, which have no switch, taken out"
BIASES = "its gates have biases, the paper's none: set to 0"
GATES = f"{NORMS}, the gates' too; {BIASES}"


class Vectors(nn.Module):
    """In the place of a model's embedding: a vector as it is."""

    def forward(self, x: Tensor, features: Any, squeeze_dim: bool) -> Tensor:
        return x


class Logits(nn.Module):
    """In the place of a model's towers and predictions: what the structure gave a task."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def ours(name: str, **knobs: Any) -> Any:
    block = BLOCKS[name](width=WIDTH, depth=DEPTH, **knobs)
    return drawn(block.build(PORTS["vector"], Targets(TASKS)))


def theirs(cls: Any, *structure: Any) -> Any:
    """A model of theirs whose towers are the identity."""
    kinds, towers = ["classification"] * TASKS, [{"dims": [1]} for _ in range(TASKS)]
    model: Any = without_batch_norm(
        cls([SparseFeature("a", 2, FLAT)], kinds, *structure, {"dims": [WIDTH] * DEPTH}, towers)
    )
    model.embedding = Vectors()
    model.towers = nn.ModuleList(Logits() for _ in range(TASKS))
    model.predict_layers = nn.ModuleList(Logits() for _ in range(TASKS))
    return drawn(model)


def linears(module: nn.Module) -> list[nn.Linear]:
    return [part for part in module.modules() if isinstance(part, nn.Linear)]


def put_experts(mine: Any, experts: list[nn.Module]) -> None:
    """Copy networks of one shape into those side by side."""
    for layer, (weights, biases) in enumerate(zip(mine.weights, mine.biases, strict=True)):
        of_layer = [linears(expert)[layer] for expert in experts]
        put(weights, torch.stack([linear.weight.t() for linear in of_layer]))
        put(biases, torch.stack([linear.bias[None] for linear in of_layer]))


def put_gates(mine: Any, gates: list[nn.Module]) -> None:
    """Copy linear gates; their biases are set to 0."""
    of_gates = [linears(gate)[0] for gate in gates]
    put(mine.weight, torch.stack([linear.weight.t() for linear in of_gates]))
    for linear in of_gates:
        put(linear.bias, 0.0)


def shared_bottom() -> Both:
    mine, other = ours("shared_bottom"), theirs(SharedBottom)
    put_linears(mine.bottom, other.bottom_mlp)
    return mine, other


def mmoe() -> Both:
    mine, other = ours("mmoe", experts=EXPERTS), theirs(MMOE, EXPERTS)
    put_experts(mine.experts, list(other.experts))
    put_gates(mine.gates, list(other.gates))
    return mine, other


def extraction(levels: int) -> Both:
    sizes = {"shared": SHARED, "own": OWN}
    mine = ours("ple", levels=levels, **sizes) if levels > 1 else ours("cgc", **sizes)
    other = theirs(PLE, levels, OWN, SHARED)
    for level, layer in zip(mine.levels, other.cgc_layers, strict=True):
        put_experts(level.shared, list(layer.experts_shared))
        put_experts(level.own, list(layer.experts_specific))
        put_gates(level.gates, [shared_first(gate) for gate in layer.gates_specific])
        if level.shared_gate is not None:
            put_gates(level.shared_gate, [shared_first(layer.gate_shared, TASKS)])
    return mine, other


def shared_first(gate: nn.Module, tasks: int = 1) -> nn.Linear:
    """A gate's layer with the shared experts' rows before the tasks', as ours has them.

    The gate's own biases are set to 0.
    """
    linear = linears(gate)[0]
    put(linear.bias, 0.0)
    moved = nn.Linear(linear.in_features, linear.out_features)
    specific, shared = linear.weight.split([tasks * OWN, SHARED])
    put(moved.weight, torch.cat([shared, specific]))
    return moved


PAIRS = [
    Pair("shared_bottom", "SharedBottom", "vector", shared_bottom, NORMS),
    Pair("mmoe", "MMOE", "vector", mmoe, GATES),
    Pair("cgc", "PLE, one level", "vector", lambda: extraction(1), GATES),
    Pair("ple", "PLE, two levels", "vector", lambda: extraction(LEVELS), GATES),
]
