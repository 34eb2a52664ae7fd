"""The plan of a model: named steps in order, run by the network and printed by exports.

A step whose inputs come from user and request columns only runs at batch 1 for a request; where
its value meets the rows of the candidates, it is expanded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

from automlrank.blocks.base import Block


@dataclass(frozen=True)
class ModuleSpec:
    """A module without weights: its class and the plain arguments of its constructor."""

    cls: Callable[..., nn.Module]
    arguments: Mapping[str, Any]

    def build(self) -> nn.Module:
        """Return the module, with weights of its own."""
        return self.cls(**self.arguments)


@dataclass(frozen=True)
class Step:
    """``output = call(*inputs, *constants)``; ``call`` is a module's name or a function.

    ``name.method`` is a method of a module.
    """

    output: str
    call: str | Callable[..., Any]
    inputs: tuple[str, ...]
    constants: tuple[int, ...] = ()
    request: bool = False
    """True if it runs once per request."""


@dataclass(frozen=True)
class Plan:
    """A whole model without weights; ``wire`` makes it and nothing changes it."""

    modules: Mapping[str, ModuleSpec]
    """Modules by name, in the order in which their weights are drawn."""
    steps: tuple[Step, ...]
    tables: frozenset[str]
    """Parameters that are embedding tables."""
    decays: Mapping[str, float]
    """Decoupled L2 per epoch by parameter."""
    coupled_decays: Mapping[str, float]
    """L2 inside the gradient by parameter."""
    losses: tuple[str, ...]
    """Outputs of the steps that are auxiliary losses: numbers, added to the loss in training."""
    optimizers: Mapping[str, Block]
    """Optimizer by parameter, for parameters that the training's optimizer leaves out."""
    shared: tuple[str, ...]
    """Parameters of the last layer that all tasks share; empty unless the balance reads them."""

    @cached_property
    def live_steps(self) -> tuple[Step, ...]:
        """Steps that the logits depend on: an encoder need not read all that a history offers."""
        return self._steps_to({"logits"})

    @cached_property
    def loss_steps(self) -> tuple[Step, ...]:
        """Steps that only the auxiliary losses depend on."""
        return tuple(s for s in self._steps_to(set(self.losses)) if s not in self.live_steps)

    @property
    def batch_keys(self) -> list[str]:
        """Keys of a batch that the logits depend on, in the order of their first use."""
        used = (name for step in self.live_steps for name in step.inputs)
        return list(dict.fromkeys(filter(is_batch_key, used)))

    def _steps_to(self, wanted: set[str]) -> tuple[Step, ...]:
        kept = []
        for step in reversed(self.steps):
            if step.output in wanted:
                wanted = wanted - {step.output} | set(step.inputs)
                kept.append(step)
        return tuple(kept[::-1])


def is_batch_key(name: str) -> bool:
    """Return True if a step's input is a tensor of the batch: a value's name has no colon."""
    return ":" in name
