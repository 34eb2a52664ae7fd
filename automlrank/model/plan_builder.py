"""Build a frozen plan step by step."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from automlrank.blocks.base import Block
from automlrank.blocks.parts.shapes import expand_as_rows, flatten
from automlrank.blocks.ports import Fields, Port, Vector
from automlrank.model.plan import ModuleSpec, Plan, Step, is_batch_key


@dataclass(frozen=True)
class Value:
    """A value that flows: its name in the plan and its port."""

    name: str
    port: Port | None = None
    request: bool = False
    """True if it exists once per request."""
    rows: bool = True
    """False for a table of weights, which is the same for every row."""


class PlanBuilder:
    """Collects steps, each once: the same call of the same inputs is the same value."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleSpec] = {}
        self._steps: list[Step] = []
        self._values: dict[tuple[object, ...], Value] = {}
        self._tables: set[str] = set()
        self._decays: dict[str, float] = {}
        self._coupled_decays: dict[str, float] = {}
        self._optimizers: dict[str, Block] = {}
        self._losses: list[str] = []

    def done(self, shared: tuple[str, ...] = ()) -> Plan:
        """Return the plan; ``shared`` are the parameters of the last layer that all tasks share."""
        return Plan(
            modules=dict(self._modules),
            steps=tuple(self._steps),
            tables=frozenset(self._tables),
            decays=dict(self._decays),
            coupled_decays=dict(self._coupled_decays),
            losses=tuple(self._losses),
            optimizers=dict(self._optimizers),
            shared=shared,
        )

    def step(
        self,
        call: str | Callable[..., Any],
        inputs: Sequence[Value],
        output: str,
        port: Port | None = None,
        constants: tuple[int, ...] = (),
        request: bool | None = None,
    ) -> Value:
        """Return the output of a step, added unless an equal one exists.

        It runs once per request if all inputs do, unless ``request`` says otherwise.
        """
        names = tuple(value.name for value in inputs)
        key = (call, names, constants)
        if key not in self._values:
            once = all(value.request for value in inputs) if request is None else request
            name = re.sub(r"\W", "_", output)
            self._values[key] = Value(name, port, once, bool(inputs))
            self._steps.append(Step(name, call, names, constants, once))
        return self._values[key]

    def module(
        self,
        name: str,
        spec: ModuleSpec,
        inputs: Sequence[Value],
        output: str,
        port: Port | None = None,
    ) -> Value:
        """Return the output of a module, added under ``name``, on rows of one kind."""
        self._modules[name] = spec
        return self.step(name, self._same_rows(inputs), output, port)

    def method(self, name: str, method: str, inputs: Sequence[Value], output: str) -> Value:
        """Return the output of another method of the module ``name`` than ``forward``."""
        return self.step(f"{name}.{method}", self._same_rows(inputs), output)

    def flat(self, value: Value) -> Value:
        """Return a vector: fields are flattened, once."""
        if not isinstance(value.port, Fields):
            return value
        port = Vector(value.port.n * value.port.dim)
        return self.step(flatten, [value], f"{value.name}_flat", port)

    def _same_rows(self, inputs: Sequence[Value]) -> Sequence[Value]:
        """Expand the values of a request where they meet rows of candidates."""
        item = next((value for value in inputs if not value.request), None)
        if item is None:
            return inputs
        return [
            self.step(expand_as_rows, [value, item], f"{value.name}_rows", value.port)
            if value.request and value.rows
            else value
            for value in inputs
        ]

    def add_loss(self, value: Value) -> None:
        """Make a value, a number, one of the auxiliary losses."""
        self._losses.append(value.name)

    def add_training_rules(self, name: str, block: Block) -> None:
        """Note how the block wants the parameters of its module ``name`` trained."""
        self._tables |= {f"{name}.{key}" for key in block.tables()}
        self._decays |= {f"{name}.{key}": l2 for key, l2 in block.decay().items()}
        self._coupled_decays |= {f"{name}.{key}": l2 for key, l2 in block.coupled_decay().items()}
        self._optimizers |= {f"{name}.{key}": own for key, own in block.optimizers().items()}

    def last_matrix(self, value: Value) -> tuple[str, ...]:
        """Return the last matrix that a value depends on: the last one of the last module with any.

        Modules that read the batch itself hold vectors by column: they count only where there is
        nothing else, neither a layer nor a table.
        """
        wanted = {value.name}
        of_columns: tuple[str, ...] = ()
        for step in reversed(self._steps):
            if step.output not in wanted:
                continue
            wanted |= set(step.inputs)
            if isinstance(step.call, str) and (matrices := self._matrices(step.call)):
                if not any(map(is_batch_key, step.inputs)):
                    return (f"{step.call}.{matrices[-1]}",)
                of_columns = of_columns or (f"{step.call}.{matrices[0]}",)
        return of_columns

    def _matrices(self, name: str) -> list[str]:
        """Return the matrices among a module's parameters; ``name`` may be one of its methods."""
        with torch.device("meta"):
            parameters = self._modules[name.partition(".")[0]].build().named_parameters()
        return [key for key, parameter in parameters if parameter.dim() > 1]


def fields_of(value: Value) -> Fields:
    """Return the port of a value that must hold fields."""
    assert isinstance(value.port, Fields), value
    return value.port


def vector_of(value: Value) -> Vector:
    """Return the port of a value that must be a vector."""
    assert isinstance(value.port, Vector), value
    return value.port


def identifier(name: str, index: int) -> str:
    """Return a name for a column or a task that may stand in source code, whatever it contains."""
    plain = name.isascii() and name.isidentifier() and len(name) <= 40
    return name if plain and not name.startswith("number_") else f"number_{index}"
