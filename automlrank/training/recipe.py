"""The recipe of a training: all its settings as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def optional(default: Any, module: str) -> Any:
    """Return a field whose setting, where it is not the default, needs a module of its own."""
    return field(default=default, metadata={"module": module})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the training loop: everything besides the model, its losses and its rows."""

    learning_rate: float
    """The rate of the first step."""
    schedule: str
    """``plateau``: it drops after an epoch without a gain; ``linear``: it falls to 0."""
    plateau: float
    """The factor on the rate after an epoch without a gain."""
    epochs: int
    """The largest number of epochs."""
    patience: int
    """Epochs without a gain before training stops."""
    batch_size: int
    optimizer: str
    gradient_clip: float
    """The largest norm of a step's gradient."""
    bf16: str | bool
    """Products in bfloat16; ``auto``: where the device is fast at them."""

    negatives: float = optional(1.0, "negatives")
    """Share of the first task's negatives in an epoch."""
    scenarios: str = optional("rows", "scenarios")
    """``equal``: in the loss every scenario counts the same."""
    distillation: float = optional(0.0, "teacher")
    """Share of boosted trees' prediction in a training row's label."""

    decays: Mapping[str, float] = field(default_factory=dict)
    """Decoupled L2: over an epoch a resting row of a parameter shrinks by exp(-value)."""
    coupled_decays: Mapping[str, float] = field(default_factory=dict)
    """L2 inside the gradient, by parameter."""
    optimizers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings of the parameters that have an optimizer of their own; ``name`` is its name."""
    shared: tuple[str, ...] = ()
    """The parameters of the last layer that all tasks share, where the balance watches them."""
    balance_moves: bool = False
    """True if the weights of the balance change in training, and are reported."""
    auxiliary_losses: bool = False
    """True if the model has losses of its own."""

    def modules(self) -> list[str]:
        """Return the modules that settings other than the defaults need."""
        fields = [item for item in dataclasses.fields(self) if "module" in item.metadata]
        return [f.metadata["module"] for f in fields if getattr(self, f.name) != f.default]
