"""Architecture + Schema -> a wiring plan -> one ``nn.Module`` that runs the plan.

A plan is named steps (name, module, inputs, output) in order; the exporter prints the same
plan as source. A step whose inputs come from user and request columns only runs at batch 1 for
a request; where such a value meets the item's rows, it is expanded.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.architecture import NONE, Architecture, Parallel, Part, Stack
from automlrank.blocks.base import Block
from automlrank.blocks.embedding import (
    FieldEmbedding,
    SelectFields,
    SequenceEmbedding,
    column_of,
    real_positions,
)
from automlrank.blocks.parts import (
    Bias,
    add,
    as_fields,
    expand_as_rows,
    flatten,
    join,
    task_of,
)
from automlrank.blocks.ports import (
    Columns,
    Context,
    Fields,
    History,
    Logit,
    Port,
    Scenario,
    Targets,
    Tasks,
    Vector,
)
from automlrank.errors import Fault, SpaceError
from automlrank.schema import Feature, Schema
from automlrank.schema import History as HistoryColumn
from automlrank.space.check import accepts, first_input, lacking

Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Made:
    """A module by its class and the plain arguments of its constructor."""

    cls: Callable[..., nn.Module]
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """``output = call(*inputs, *constants)``; ``call`` is a module's name or a function."""

    output: str
    call: str | Callable[..., Any]
    inputs: tuple[str, ...]
    constants: tuple[int, ...] = ()
    request: bool = False
    """Whether it runs once per request."""


@dataclass
class Plan:
    """The whole model: its modules by name, its steps in order, its own decays."""

    modules: dict[str, Made] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    decays: dict[str, float] = field(default_factory=dict)
    """Decoupled L2 per epoch by the name of the parameter."""


class RankingModel(nn.Module):
    """Runs a plan: a batch in, logits ``[batch, tasks]`` out."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        for name, made in plan.modules.items():
            self.add_module(name, made.cls(**made.arguments))

    def forward(self, batch: Batch) -> Tensor:
        values: dict[str, Any] = dict(batch)
        for step in self.plan.steps:
            call = getattr(self, step.call) if isinstance(step.call, str) else step.call
            values[step.output] = call(*(values[name] for name in step.inputs), *step.constants)
        logits: Tensor = values["logits"]
        return logits


def build_model(
    architecture: Architecture, schema: Schema, seed: int | None = None
) -> RankingModel:
    """A model with fresh weights: the same seed gives the same ones.

    Raises SpaceError where the schema lacks what a block needs, or the parts do not fit.
    """
    plan = wire(architecture, schema)
    if seed is None:
        return RankingModel(plan)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RankingModel(plan)


def wire(architecture: Architecture, schema: Schema) -> Plan:
    """The plan of an architecture for a fitted schema."""
    if not schema.is_fitted:
        raise SpaceError("the schema's columns have no sizes yet: open a Dataset with it first.")
    faults = [
        Fault(f"{block.name} cannot be used: {reason}.", path=stage)
        for stage, block in architecture.blocks()
        if (reason := lacking(schema, block.name))
    ]
    if faults:
        raise SpaceError(faults)
    return _Wiring(architecture, schema).plan()


@dataclass(frozen=True)
class Value:
    """What flows: its name in the plan, its port, and whether it exists once per request."""

    name: str
    port: Port | None = None
    request: bool = False


class _Wiring:
    """Builds the plan, step by step, in the order of the stages."""

    def __init__(self, architecture: Architecture, schema: Schema) -> None:
        self.architecture = architecture
        self.schema = schema
        self.result = Plan()
        self.cache: dict[tuple[object, ...], Value] = {}
        self.logits: list[Value] = []
        self.targets = Targets(len(schema.tasks))
        self.roots: dict[str, Value] = {}
        tables = (*schema.of_kind("categorical"), *schema.of_kind("multi"))
        starts = itertools.accumulate((f.size for f in tables), initial=0)
        self.offsets = dict(zip((f.name for f in tables), starts, strict=False))
        self.table_sizes = tuple(f.size for f in tables)

    def plan(self) -> Plan:
        architecture = self.architecture
        self.columns()
        start = self.fields() if architecture.embedding else None
        if start and architecture.gate != NONE:
            start = self.part(architecture.gate, start, "gate")
        body = self.part(architecture.interaction, start, "interaction")
        if body is None:
            total = self.function(add, self.logits, "summed")
            self.module("bias", Made(Bias, {"tasks": self.targets.n}), [total], "logits")
        else:
            self.logits.insert(0, self.heads(self.flat(body)))
            self.function(add, self.logits, "logits")
        return self.result

    # -- roots ----------------------------------------------------------------------------

    def columns(self) -> None:
        """The raw inputs: ids, numbers and bags of both sides, joined only if a block asks."""
        ids = self.schema.of_kind("categorical")
        bags = self.schema.of_kind("multi")
        self.columns_port = Columns(
            tuple(f.size for f in _by_side(ids)),
            len(self.schema.of_kind("numeric")),
            tuple(f.size for f in _by_side(bags)),
        )

    def fields(self) -> Value:
        """Embed both sides, encode the histories, and join them all."""
        assert self.architecture.embedding is not None
        table = self.architecture.embedding
        made = Made(type(table).module, table.arguments(self.table_sizes))
        self.module("table", made, [], "table")
        self.decay("table", table)
        sides = [side for request in (True, False) if (side := self.side(request))]
        joined = self.join_fields(sides, "fields")
        if self.architecture.history != NONE:
            joined = self.join_fields([joined, *self.histories()], "fields_and_interests")
        self.roots["fields"] = joined
        return joined

    def join_fields(self, parts: list[Value], name: str) -> Value:
        n = sum(_fields(part).n for part in parts)
        return (
            parts[0] if len(parts) == 1 else self.function(join, parts, name, Fields(n, self.dim))
        )

    @property
    def dim(self) -> int:
        assert self.architecture.embedding is not None
        return self.architecture.embedding.dim

    def side(self, request: bool) -> Value | None:
        """The fields of the request's columns, or of the item's."""
        ids, numbers, bags = (
            self.schema.of_kind(kind, request=request)
            for kind in ("categorical", "numeric", "multi")
        )
        n = len(ids) + len(numbers) + len(bags)
        if n == 0:
            return None
        assert self.architecture.embedding is not None
        name = "request" if request else "item"
        made = Made(
            FieldEmbedding,
            {
                "dim": self.dim,
                "offsets": tuple(self.offsets[f.name] for f in ids),
                "numbers": len(numbers),
                "bags": tuple(self.offsets[f.name] for f in bags),
                "scale": self.architecture.embedding.scale,
                "dropout": self.architecture.embedding.dropout,
            },
        )
        inputs = [
            Value("table", request=True),
            *(
                Value(key, request=request)
                for key in (f"ids:{name}", f"numbers:{name}", *(f"multi:{f.name}" for f in bags))
            ),
        ]
        value = self.module(
            f"{name}_embedding", made, inputs, f"{name}_fields", Fields(n, self.dim)
        )
        self.roots[name] = value
        return value

    def select(self, features: tuple[Feature, ...], name: str) -> Value:
        """Some fields by their columns: of one side if they all stand there."""
        requests = {feature.side != "item" for feature in features}
        sides = (True, False) if len(requests) == 2 else tuple(requests)
        order = [
            f.name
            for request in sides
            for kind in ("categorical", "numeric", "multi")
            for f in self.schema.of_kind(kind, request=request)
        ]
        source = self.join_fields(
            [self.roots["request" if request else "item"] for request in sides], "fields"
        )
        positions = tuple(order.index(feature.name) for feature in features)
        made = Made(SelectFields, {"positions": positions})
        return self.module(name, made, [source], f"{name}_fields", Fields(len(features), self.dim))

    # -- histories --------------------------------------------------------------------------

    def histories(self) -> list[Value]:
        """One encoder per sequence, its output shaped to fields."""
        return [
            self.history(f"history_{identifier(name, i)}", columns)
            for i, (name, columns) in enumerate(self.schema.sequences.items())
        ]

    def history(self, name: str, columns: tuple[HistoryColumn, ...]) -> Value:
        request = all(column.side != "item" for column in columns)
        ids = [Value(f"history:{column.name}", request=request) for column in columns]
        offsets = tuple(self.offsets[column.of] for column in columns)
        keys = self.module(
            f"{name}_embedding",
            Made(SequenceEmbedding, {"offsets": offsets}),
            [Value("table", request=True), *ids],
            f"{name}_keys",
        )
        target = self.select(tuple(self.schema.feature(c.of) for c in columns), f"{name}_target")
        tensors = {
            "keys": keys,
            "target": self.flat(target),
            "mask": self.function(real_positions, ids[:1], f"{name}_mask"),
        }
        width = len(columns) * self.dim
        port = History(width, max(column.max_length for column in columns))
        self.roots |= tensors
        interest = self.part(self.architecture.history, Value("", port), f"{name}_encoder")
        assert interest is not None
        flat = self.flat(interest)
        if _vector(flat).dim % self.dim:
            made = Made(nn.Linear, {"in_features": _vector(flat).dim, "out_features": width})
            flat = self.module(
                f"{name}_projection", made, [flat], f"{name}_projected", Vector(width)
            )
        n = _vector(flat).dim // self.dim
        return self.function(
            as_fields, [flat], f"{name}_interest", Fields(n, self.dim), (self.dim,)
        )

    # -- parts ------------------------------------------------------------------------------

    def part(self, part: Part, value: Value | None, name: str) -> Value | None:
        """Wire a part; its logits leave to ``self.logits``, None where nothing else remains."""
        match part:
            case Stack(members):
                for i, member in enumerate(members):
                    value = self.part(member, value, f"{name}_{i}")
                return value
            case Parallel(branches, merge):
                outs = [self.part(b, value, f"{name}_{i}") for i, b in enumerate(branches)]
                vectors = [self.flat(out) for out in outs if out is not None]
                if merge is None:
                    return None
                return self.call(merge, vectors, f"{name}_{merge.name}")
            case Block():
                return self.block(part, value, name)

    def block(self, block: Block, value: Value | None, name: str) -> Value | None:
        if block == NONE:
            return value
        wanted = first_input(type(block))
        if Columns in wanted:
            flow = Value("", self.columns_port)
        else:
            assert value is not None
            if not accepts(wanted, type(value.port)):
                raise SpaceError(f"{name}: {block.name} does not take {type(value.port).__name__}.")
            flow = value if type(value.port) in wanted else self.flat(value)
        out = self.call(block, [flow], f"{name}_{block.name}")
        if isinstance(out.port, Logit):
            self.logits.append(out)
            return None
        return out

    def call(self, block: Block, flows: list[Value], name: str) -> Value:
        """A block's module as one step: its flow first, then root tensors by name."""
        ports = {key: self.root_port(key) for key in list(type(block).inputs())[1:]}
        given = [flow.port for flow in flows]
        made = Made(type(block).module, block.arguments(*given, **ports))
        wanted = list(inspect.signature(type(block).module.forward).parameters)[1:]  # type: ignore[attr-defined]
        is_root = isinstance(given[0], Columns | History)
        inputs = (
            [self.root(key) for key in wanted]
            if is_root
            else [*flows, *(self.root(key) for key in wanted[1:])]
        )
        self.decay(name, block)
        return self.module(name, made, inputs, f"{name}_out", block.out(*given, **ports))

    def root_port(self, key: str) -> Port:
        match key:
            case "targets":
                return self.targets
            case "columns":
                return self.columns_port
            case "context":
                port = self.root("context").port
                assert isinstance(port, Fields)
                return Context(port.n, port.dim)
            case "scenario":
                feature: Any = self.schema.feature(str(self.schema.scenario))
                return Scenario(feature.size, self.dim)
            case _:
                port = self.root(key).port
                assert port is not None
                return port

    def root(self, key: str) -> Value:
        """A root tensor, made when it is first asked for."""
        if key not in self.roots:
            make: dict[str, Callable[[], Value]] = {
                "context": lambda: self.select(
                    tuple(f for f in self.schema.features if getattr(f, "context", False)),
                    "context",
                ),
                "scenario": lambda: self.flat(
                    self.select((self.schema.feature(str(self.schema.scenario)),), "scenario")
                ),
                "scenario_id": self.scenario_id,
                "ids": lambda: self.both_sides("categorical", "ids"),
                "numbers": lambda: self.both_sides("numeric", "numbers"),
                "bags": self.bags,
            }
            self.roots[key] = make[key]()
        return self.roots[key]

    def scenario_id(self) -> Value:
        feature = self.schema.feature(str(self.schema.scenario))
        request = feature.side != "item"
        position = [f.name for f in self.schema.of_kind("categorical", request=request)].index(
            feature.name
        )
        key = "ids:request" if request else "ids:item"
        return self.function(
            column_of, [Value(key, request=request)], "scenario_id", None, (position,)
        )

    def both_sides(self, kind: str, key: str) -> Value:
        sides = [Value(f"{key}:request", request=True), Value(f"{key}:item")]
        return self.function(join, sides, key)

    def bags(self) -> Value:
        bags = [
            Value(f"multi:{f.name}", request=f.side != "item")
            for f in _by_side(self.schema.of_kind("multi"))
        ]
        return self.function(as_list, bags, "bags", request=False)

    # -- the end ----------------------------------------------------------------------------

    def heads(self, body: Value) -> Value:
        """Scenario, tasks, one tower and one linear head per task; gives the tasks' logits."""
        shared = self.part(self.architecture.scenario, body, "scenario_stage")
        tasks = self.part(self.architecture.tasks, shared, "tasks_stage")
        assert tasks is not None
        logits = []
        for i, task in enumerate(self.schema.tasks):
            name = f"task_{identifier(task.name, i)}"
            value: Value | None = tasks
            if isinstance(tasks.port, Tasks):
                port = Vector(tasks.port.dim)
                value = self.function(task_of, [tasks], f"{name}_vector", port, (i,))
            value = self.part(self.architecture.tower, value, f"{name}_tower")
            assert value is not None
            made = Made(nn.Linear, {"in_features": _vector(value).dim, "out_features": 1})
            logits.append(self.module(f"{name}_head", made, [value], f"{name}_logit"))
        return logits[0] if len(logits) == 1 else self.function(join, logits, "task_logits")

    # -- steps ------------------------------------------------------------------------------

    def flat(self, value: Value) -> Value:
        """A vector; fields are flattened once."""
        if not isinstance(value.port, Fields):
            return value
        port = Vector(value.port.n * value.port.dim)
        return self.function(flatten, [value], f"{value.name}_flat", port)

    def module(
        self, name: str, made: Made, inputs: list[Value], output: str, port: Port | None = None
    ) -> Value:
        self.result.modules[name] = made
        return self.step(name, self.same_rows(inputs), output, port)

    def same_rows(self, inputs: list[Value]) -> list[Value]:
        """Expand the request's values where they meet the item's rows; the table has no rows."""
        item = next((value for value in inputs if not value.request), None)
        if item is None:
            return inputs
        return [
            self.function(expand_as_rows, [value, item], f"{value.name}_rows", value.port)
            if value.request and value.name != "table"
            else value
            for value in inputs
        ]

    def function(
        self,
        call: Callable[..., Any],
        inputs: list[Value],
        output: str,
        port: Port | None = None,
        constants: tuple[int, ...] = (),
        request: bool | None = None,
    ) -> Value:
        return self.step(call, inputs, output, port, constants, request)

    def step(
        self,
        call: str | Callable[..., Any],
        inputs: list[Value],
        output: str,
        port: Port | None,
        constants: tuple[int, ...] = (),
        request: bool | None = None,
    ) -> Value:
        names = tuple(value.name for value in inputs)
        key = (call, names, constants)
        if key not in self.cache:
            once = all(value.request for value in inputs) if request is None else request
            name = re.sub(r"\W", "_", output)
            self.cache[key] = Value(name, port, once)
            self.result.steps.append(Step(name, call, names, constants, once))
        return self.cache[key]

    def decay(self, name: str, block: Block) -> None:
        self.result.decays |= {f"{name}.{key}": l2 for key, l2 in block.decay().items()}


def _fields(value: Value) -> Fields:
    assert isinstance(value.port, Fields), value
    return value.port


def _vector(value: Value) -> Vector:
    assert isinstance(value.port, Vector), value
    return value.port


def _by_side(features: tuple[Any, ...]) -> list[Any]:
    """The request's features, then the item's: the order of the model's columns."""
    return sorted(features, key=lambda feature: feature.side == "item")


def as_list(*parts: Tensor) -> list[Tensor]:
    """Several tensors as one value."""
    return list(parts)


def identifier(name: str, index: int) -> str:
    """A name that may stand in source code for a column's or a task's, whatever it contains."""
    plain = name.isascii() and name.isidentifier() and len(name) <= 40
    return name if plain and not name.startswith("number_") else f"number_{index}"
