"""The wiring plan: named steps in order, run by the model and printed by the exporter.

A step whose inputs come from user and request columns only runs at batch 1 for a request; where
such a value meets the item's rows, it is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from automlrank.blocks.base import Block
from automlrank.blocks.parts.shapes import expand_as_rows, flatten
from automlrank.blocks.ports import Fields, Port, Vector


@dataclass(frozen=True)
class Made:
    """A module by its class and the plain arguments of its constructor."""

    cls: Callable[..., nn.Module]
    arguments: Mapping[str, Any]


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
    """Whether it runs once per request."""


@dataclass
class Plan:
    """The whole model: its modules by name, its steps in order, how its parameters are kept."""

    modules: dict[str, Made] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)
    """The embedding tables among the parameters, by name."""
    decays: dict[str, float] = field(default_factory=dict)
    """Decoupled L2 per epoch by the name of the parameter."""
    coupled_decays: dict[str, float] = field(default_factory=dict)
    """L2 inside the gradient by the name of the parameter."""
    losses: list[str] = field(default_factory=list)
    """The outputs of steps that are auxiliary losses, numbers: in training they are added."""
    optimizers: dict[str, Block] = field(default_factory=dict)
    """What trains a parameter in the place of the training's optimizer, by its name."""
    shared: tuple[str, ...] = ()
    """The parameters of the last layer that all tasks share, where the balance asks for them."""


@dataclass(frozen=True)
class Value:
    """What flows: its name in the plan, its port, and whether it exists once per request.

    ``rows`` is false for a table of weights, which is the same for every row.
    """

    name: str
    port: Port | None = None
    request: bool = False
    rows: bool = True


class PlanBuilder:
    """Adds steps to a plan, each once: the same call of the same inputs is the same value."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.cache: dict[tuple[object, ...], Value] = {}

    def flat(self, value: Value) -> Value:
        """A vector; fields are flattened once."""
        if not isinstance(value.port, Fields):
            return value
        port = Vector(value.port.n * value.port.dim)
        return self.step(flatten, [value], f"{value.name}_flat", port)

    def method(self, name: str, method: str, inputs: list[Value], output: str) -> Value:
        """What a method of a module gives that has a step of its own."""
        return self.step(f"{name}.{method}", self.same_rows(inputs), output)

    def module(
        self, name: str, made: Made, inputs: list[Value], output: str, port: Port | None = None
    ) -> Value:
        self.plan.modules[name] = made
        return self.step(name, self.same_rows(inputs), output, port)

    def same_rows(self, inputs: list[Value]) -> list[Value]:
        """Expand the request's values where they meet the item's rows."""
        item = next((value for value in inputs if not value.request), None)
        if item is None:
            return inputs
        return [
            self.step(expand_as_rows, [value, item], f"{value.name}_rows", value.port)
            if value.request and value.rows
            else value
            for value in inputs
        ]

    def step(
        self,
        call: str | Callable[..., Any],
        inputs: list[Value],
        output: str,
        port: Port | None = None,
        constants: tuple[int, ...] = (),
        request: bool | None = None,
    ) -> Value:
        names = tuple(value.name for value in inputs)
        key = (call, names, constants)
        if key not in self.cache:
            once = all(value.request for value in inputs) if request is None else request
            name = re.sub(r"\W", "_", output)
            self.cache[key] = Value(name, port, once, bool(inputs))
            self.plan.steps.append(Step(name, call, names, constants, once))
        return self.cache[key]

    def trained(self, name: str, block: Block) -> None:
        """Note what the block says of how its parameters are trained."""
        plan = self.plan
        plan.tables |= {f"{name}.{key}" for key in block.tables()}
        plan.decays |= {f"{name}.{key}": l2 for key, l2 in block.decay().items()}
        plan.coupled_decays |= {f"{name}.{key}": l2 for key, l2 in block.coupled_decay().items()}
        plan.optimizers |= {f"{name}.{key}": own for key, own in block.optimizers().items()}


def live_steps(plan: Plan) -> list[Step]:
    """The steps that the logits depend on: an encoder need not read all that a history offers."""
    return _steps_to(plan, {"logits"})


def loss_steps(plan: Plan) -> list[Step]:
    """The steps that only the auxiliary losses depend on."""
    live = live_steps(plan)
    return [step for step in _steps_to(plan, set(plan.losses)) if step not in live]


def _steps_to(plan: Plan, wanted: set[str]) -> list[Step]:
    kept = []
    for step in reversed(plan.steps):
        if step.output in wanted:
            wanted = wanted - {step.output} | set(step.inputs)
            kept.append(step)
    return kept[::-1]


def last_matrix(plan: Plan, value: Value) -> tuple[str, ...]:
    """The last matrix that a value is made with: the last of the last module that has any.

    What reads the batch itself has vectors for a column each: it counts only where there is
    nothing else, neither a layer nor a table.
    """
    wanted = {value.name}
    of_columns: tuple[str, ...] = ()
    for step in reversed(plan.steps):
        if step.output not in wanted:
            continue
        wanted |= set(step.inputs)
        if isinstance(step.call, str):
            made = plan.modules[step.call]
            with torch.device("meta"):
                parameters = made.cls(**made.arguments).named_parameters()
            matrices = [name for name, parameter in parameters if parameter.dim() > 1]
            if matrices and not any(map(is_batch_key, step.inputs)):
                return (f"{step.call}.{matrices[-1]}",)
            if matrices:
                of_columns = of_columns or (f"{step.call}.{matrices[0]}",)
    return of_columns


def read_keys(plan: Plan) -> list[str]:
    """The keys of a batch that the logits depend on, in the order of their use."""
    used = (name for step in live_steps(plan) for name in step.inputs)
    return list(dict.fromkeys(filter(is_batch_key, used)))


def is_batch_key(name: str) -> bool:
    """Whether a step's input is of the batch: a value's name has no colon."""
    return ":" in name


def fields_of(value: Value) -> Fields:
    """The value's port, which must be Fields."""
    assert isinstance(value.port, Fields), value
    return value.port


def vector_of(value: Value) -> Vector:
    """The value's port, which must be a Vector."""
    assert isinstance(value.port, Vector), value
    return value.port


def identifier(name: str, index: int) -> str:
    """A name that may stand in source code for a column's or a task's, whatever it contains."""
    plain = name.isascii() and name.isidentifier() and len(name) <= 40
    return name if plain and not name.startswith("number_") else f"number_{index}"
