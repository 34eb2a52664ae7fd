"""Test cases of the laws: example tensors of every port, and settings of a block."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.blocks.accepted_ports import tensors_of
from automlrank.blocks.base import Block
from automlrank.blocks.ports import (
    AGES,
    FIRST_ID,
    Columns,
    Context,
    Crosses,
    Fields,
    History,
    Logit,
    Scenario,
    Statistics,
    Targets,
    Tasks,
    Vector,
)

PORTS: dict[type, Any] = {
    Fields: Fields(6, 4),
    Vector: Vector(10),
    Tasks: Tasks(3, 10),
    Columns: Columns((7, 9), 2, (8, 5), ("mean", "sum"), (3, 2)),
    Crosses: Crosses(((0, 1), (1, 0))),
    Context: Context(2, 4),
    Statistics: Statistics(8, 4),
    Scenario: Scenario(FIRST_ID + 3, 4),
    History: History(8, 5, FIRST_ID + 4),
    Targets: Targets(3),
}
FLOWS = Fields | Vector | Tasks | Statistics
BRANCHES = (Vector(10), Vector(7), Vector(1))
DEFAULTS = {"dropout": 0.0, "batch_norm": False}


def tensors(rows: int, seed: int = 0, port: Any = None) -> dict[str, Any]:
    """Return every root input: all scenarios, nulls, and lists of every length, 0 included.

    ``port`` is the history's, where it is another than that of ``PORTS``.
    """
    draw = torch.Generator().manual_seed(seed)
    columns, history, scenario = PORTS[Columns], port or PORTS[History], PORTS[Scenario]
    place = torch.arange(rows).unsqueeze(1)
    numbers = torch.randn(rows, columns.numbers, generator=draw)
    bags = [torch.randint(1, size, (rows, 4), generator=draw) for size in columns.bags]
    vectors = [torch.randn(rows, size, generator=draw) for size in columns.vectors]
    mask = torch.arange(history.length) < (place + 3) % (history.length + 1)
    age = torch.randint(1, AGES + 1, mask.shape, generator=draw)
    return {
        "fields": torch.randn(rows, 6, 4, generator=draw),
        "context": torch.randn(rows, 2, 4, generator=draw),
        "scenario_id": torch.arange(rows) % scenario.size,
        "scenario": torch.randn(rows, scenario.dim, generator=draw),
        "ids": torch.stack(
            [torch.randint(n, (rows,), generator=draw) for n in columns.sizes], dim=1
        ),
        "numbers": numbers.masked_fill((place + torch.arange(columns.numbers)) % 3 == 1, torch.nan),
        "bags": [bag.masked_fill(torch.arange(4) >= place % 5, 0) for bag in bags],
        "vectors": [vector.masked_fill(place % 3 == 1, torch.nan) for vector in vectors],
        "keys": torch.randn(rows, history.length, history.dim, generator=draw),
        "target": torch.randn(rows, history.dim, generator=draw),
        "mask": mask,
        "age": age * mask,
        "session": (torch.arange(history.length) // 2 + 1) * mask,
        "key_ids": torch.randint(1, history.ids, mask.shape, generator=draw) * mask,
        "target_id": torch.randint(1, history.ids, (rows,), generator=draw),
    }


def map_tensors(value: Any, change: Any) -> Any:
    """Return the same nest of dicts and lists with every tensor changed."""
    if isinstance(value, dict):
        return {key: map_tensors(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_tensors(item, change) for item in value]
    return change(value)


@dataclass(frozen=True)
class Case:
    """A block with settings, and the ports that it is tried with.

    >>> from automlrank import BLOCKS
    >>> from automlrank.blocks.ports import Fields
    >>> case = Case(BLOCKS["senet"](), (Fields(6, 4),), "senet")
    >>> case.run(case.build(), case.inputs(rows=3)).shape
    torch.Size([3, 6, 4])
    """

    block: Block
    ports: tuple[Any, ...]
    label: str

    def build(self, seed: int = 0) -> Any:
        """Return the module as it starts."""
        torch.manual_seed(seed)
        return self.block.inherited(DEFAULTS).build(*self.ports)

    def trained(self, seed: int = 0) -> Any:
        """Return the module with every parameter moved: nothing is exactly 0 or 1."""
        module = self.build(seed)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        return module

    def inputs(self, rows: int, seed: int = 0) -> dict[str, Any]:
        """Return the root tensors by name, and under ``flow`` the tensors that flow in."""
        draw = torch.Generator().manual_seed(seed + 1)
        flow = [torch.randn(rows, *shape(port), generator=draw) for port in self.flow]
        return {**tensors(rows, seed), "flow": flow}

    @property
    def flow(self) -> tuple[Any, ...]:
        """Ports that flow in, as opposed to root inputs."""
        if not has_var_positional(type(self.block)):
            return self.ports[:1] if isinstance(self.ports[0], FLOWS) else ()
        return self.ports

    def arguments(self, module: nn.Module, inputs: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of ``forward``: the flow by position, then named roots."""
        names = list(inspect.signature(module.forward).parameters)[len(self.flow) :]
        if has_var_positional(type(self.block)):
            names = []
        given = {**inputs, **self.extracted(module, inputs)}
        return (*inputs["flow"], *(given[name] for name in names))

    def extracted(self, module: Any, inputs: dict[str, Any]) -> dict[str, Tensor]:
        """Return an encoder's ``extracted``, where it has a part that does not read the target."""
        names = tensors_of(type(self.block), "extract")
        return {"extracted": module.extract(*(inputs[name] for name in names))} if names else {}

    def run(self, module: nn.Module, inputs: dict[str, Any]) -> Tensor:
        """Return the module's output."""
        result: Tensor = module(*self.arguments(module, inputs))
        return result


def shape(port: Any) -> tuple[int, ...]:
    """Return the axes behind the batch of a port's tensor."""
    if isinstance(port, Statistics):
        return (port.n,)
    if isinstance(port, Fields | Tasks):
        return (port.n, port.dim)
    return (port.tasks,) if isinstance(port, Logit) else (port.dim,)


def has_var_positional(cls: type[Block]) -> bool:
    """Return True if any number of branches flow in."""
    parameters = inspect.signature(cls.out).parameters.values()
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)


def example_ports(cls: type[Block]) -> list[tuple[Any, ...]]:
    """Return the ports of ``out``, once for each type that may flow in."""
    if has_var_positional(cls):
        return [BRANCHES, BRANCHES[:1]]
    first, *rest = cls.inputs().values()
    roots = tuple(PORTS[port] for port in rest)
    return [(PORTS[port], *roots) for port in typing.get_args(first) or (first,)]


def is_flow_block(cls: type[Block]) -> bool:
    """Return True if the block stands between ports; losses, balances and settings do not."""
    return cls.out is not Block.out


def default_cases(blocks: Iterable[type[Block]]) -> list[Case]:
    """Return each flow block as it is by default, with each port that may flow in."""
    return [
        Case(cls(), ports, f"{cls.name}-{type(ports[0]).__name__}-{len(ports)}")
        for cls in blocks
        if is_flow_block(cls)
        for ports in example_ports(cls)
    ]


def knob_cases(blocks: Iterable[type[Block]]) -> list[Case]:
    """Return each flow block with every value of its knobs: ends and middle of ranges."""
    blocks = list(blocks)
    return default_cases(blocks) + [
        Case(cls(**{knob.name: value}), example_ports(cls)[0], f"{cls.name}-{knob.name}={value}")
        for cls in blocks
        if is_flow_block(cls)
        for knob in cls.knobs().values()
        for value in knob.legal.samples()
        if value != knob.default
    ]
