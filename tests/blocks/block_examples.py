"""One example of every port with its tensors: a new block is tested without a new test."""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.blocks import BLOCKS
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
    """Every root input, all scenarios, nulls, and lists of every length (none included)."""
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
    """The same nest of dicts and lists with every tensor changed."""
    if isinstance(value, dict):
        return {key: map_tensors(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_tensors(item, change) for item in value]
    return change(value)


@dataclass(frozen=True)
class Case:
    """A block with settings, and the ports that it is tried with."""

    block: Block
    ports: tuple[Any, ...]
    label: str

    def build(self, seed: int = 0) -> Any:
        torch.manual_seed(seed)
        return self.block.inherited(DEFAULTS).build(*self.ports)

    def trained(self, seed: int = 0) -> Any:
        """The module after some steps: nothing is zero or one any more."""
        module = self.build(seed)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        return module

    def inputs(self, rows: int, seed: int = 0) -> dict[str, Any]:
        """The root tensors by name, and what flows in under ``flow``."""
        draw = torch.Generator().manual_seed(seed + 1)
        flow = [torch.randn(rows, *shape(port), generator=draw) for port in self.flow]
        return {**tensors(rows, seed), "flow": flow}

    @property
    def flow(self) -> tuple[Any, ...]:
        """The ports that flow in, as opposed to root inputs."""
        if not has_var_positional(type(self.block)):
            return self.ports[:1] if isinstance(self.ports[0], FLOWS) else ()
        return self.ports

    def arguments(self, module: nn.Module, inputs: dict[str, Any]) -> tuple[Any, ...]:
        """What ``forward`` takes: the flow by position, then the roots that it names."""
        names = list(inspect.signature(module.forward).parameters)[len(self.flow) :]
        if has_var_positional(type(self.block)):
            names = []
        given = {**inputs, **self.extracted(module, inputs)}
        return (*inputs["flow"], *(given[name] for name in names))

    def extracted(self, module: Any, inputs: dict[str, Any]) -> dict[str, Tensor]:
        """What an encoder makes of a history without the target, where it has such a part."""
        names = tensors_of(type(self.block), "extract")
        return {"extracted": module.extract(*(inputs[name] for name in names))} if names else {}

    def run(self, module: nn.Module, inputs: dict[str, Any]) -> Tensor:
        result: Tensor = module(*self.arguments(module, inputs))
        return result


def shape(port: Any) -> tuple[int, ...]:
    """What follows the batch."""
    if isinstance(port, Statistics):
        return (port.n,)
    if isinstance(port, Fields | Tasks):
        return (port.n, port.dim)
    return (port.tasks,) if isinstance(port, Logit) else (port.dim,)


def has_var_positional(cls: type[Block]) -> bool:
    parameters = inspect.signature(cls.out).parameters.values()
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)


def example_ports(cls: type[Block]) -> list[tuple[Any, ...]]:
    """The ports of ``out``, once for each type that may flow in."""
    if has_var_positional(cls):
        return [BRANCHES, BRANCHES[:1]]
    first, *rest = cls.inputs().values()
    roots = tuple(PORTS[port] for port in rest)
    return [(PORTS[port], *roots) for port in typing.get_args(first) or (first,)]


def flow_blocks() -> dict[str, type[Block]]:
    """The blocks that stand between ports; the others are losses, balances and settings."""
    return {name: cls for name, cls in BLOCKS.items() if cls.out is not Block.out}


def default_cases() -> list[Case]:
    """Every block as it is by default."""
    return [
        Case(cls(), ports, f"{name}-{type(ports[0]).__name__}-{len(ports)}")
        for name, cls in flow_blocks().items()
        for ports in example_ports(cls)
    ]


def knob_cases() -> list[Case]:
    """Every block with every value of its knobs: the ends and the middle of ranges."""
    return default_cases() + [
        Case(cls(**{knob.name: value}), example_ports(cls)[0], f"{name}-{knob.name}={value}")
        for name, cls in flow_blocks().items()
        for knob in cls.knobs().values()
        for value in knob.legal.samples()
        if value != knob.default
    ]
