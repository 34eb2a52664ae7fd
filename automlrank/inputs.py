"""The inputs of a model as values of its plan: fields of both sides, sequences, root inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from torch import Tensor

from automlrank.blocks.embedding import (
    Embedding,
    FieldEmbedding,
    SelectFields,
    SequenceEmbedding,
    column_of,
    real_positions,
)
from automlrank.blocks.parts import join
from automlrank.blocks.ports import Columns, Context, Fields, History, Port, Scenario, Targets
from automlrank.plan import Made, PlanBuilder, Value, fields_of
from automlrank.schema import Feature, Schema
from automlrank.schema import History as HistoryColumn

TABLE = Value("table", request=True)


class Inputs:
    """Makes the values that blocks read, each when it is first asked for."""

    def __init__(self, steps: PlanBuilder, schema: Schema, embedding: Embedding | None) -> None:
        self.steps = steps
        self.schema = schema
        self.embedding = embedding
        self.values: dict[str, Value] = {}
        ids, bags = schema.of_kind("categorical"), schema.of_kind("multi")
        self.table_sizes = tuple(feature.size for feature in (*ids, *bags))
        starts = itertools.accumulate(self.table_sizes, initial=0)
        self.offsets = dict(zip((f.name for f in (*ids, *bags)), starts, strict=False))
        self.columns = Columns(
            tuple(f.size for f in _by_side(ids)),
            len(schema.of_kind("numeric")),
            tuple(f.size for f in _by_side(bags)),
        )

    @property
    def dim(self) -> int:
        assert self.embedding is not None
        return self.embedding.dim

    def embed(self) -> Value:
        """The fields of both sides, from one table."""
        assert self.embedding is not None
        made = Made(type(self.embedding).module, self.embedding.arguments(self.table_sizes))
        self.steps.module("table", made, [], "table")
        self.steps.decay("table", self.embedding)
        sides = [side for request in (True, False) if (side := self.side(request))]
        return self.join_fields(sides, "fields")

    def join_fields(self, parts: list[Value], name: str) -> Value:
        n = sum(fields_of(part).n for part in parts)
        return (
            parts[0] if len(parts) == 1 else self.steps.step(join, parts, name, Fields(n, self.dim))
        )

    def side(self, request: bool) -> Value | None:
        """The fields of the request's columns, or of the item's."""
        ids, numbers, bags = (
            self.schema.of_kind(kind, request=request)
            for kind in ("categorical", "numeric", "multi")
        )
        n = len(ids) + len(numbers) + len(bags)
        if n == 0:
            return None
        assert self.embedding is not None
        name = "request" if request else "item"
        made = Made(
            FieldEmbedding,
            {
                "dim": self.dim,
                "offsets": tuple(self.offsets[f.name] for f in ids),
                "numbers": len(numbers),
                "bags": tuple(self.offsets[f.name] for f in bags),
                "scale": self.embedding.scale,
                "dropout": self.embedding.dropout,
            },
        )
        inputs = [
            TABLE,
            *(
                Value(key, request=request)
                for key in (f"ids:{name}", f"numbers:{name}", *(f"multi:{f.name}" for f in bags))
            ),
        ]
        value = self.steps.module(
            f"{name}_embedding", made, inputs, f"{name}_fields", Fields(n, self.dim)
        )
        self.values[name] = value
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
            [self.values["request" if request else "item"] for request in sides], "fields"
        )
        positions = tuple(order.index(feature.name) for feature in features)
        made = Made(SelectFields, {"positions": positions})
        return self.steps.module(
            name, made, [source], f"{name}_fields", Fields(len(features), self.dim)
        )

    def sequence(self, name: str, columns: tuple[HistoryColumn, ...]) -> Value:
        """A sequence's keys, target and mask, as the root inputs of its encoder."""
        request = all(column.side != "item" for column in columns)
        ids = [Value(f"history:{column.name}", request=request) for column in columns]
        offsets = tuple(self.offsets[column.of] for column in columns)
        embedding = Made(SequenceEmbedding, {"offsets": offsets})
        keys = self.steps.module(f"{name}_embedding", embedding, [TABLE, *ids], f"{name}_keys")
        target = self.select(tuple(self.schema.feature(c.of) for c in columns), f"{name}_target")
        self.values |= {
            "keys": keys,
            "target": self.steps.flat(target),
            "mask": self.steps.step(real_positions, ids[:1], f"{name}_mask"),
        }
        length = max(column.max_length for column in columns)
        return Value("", History(len(columns) * self.dim, length))

    def port(self, key: str) -> Port:
        """The port of a root input."""
        match key:
            case "targets":
                return Targets(len(self.schema.tasks))
            case "columns":
                return self.columns
            case "context":
                port = self.value("context").port
                assert isinstance(port, Fields)
                return Context(port.n, port.dim)
            case "scenario":
                feature: Any = self.schema.feature(str(self.schema.scenario))
                return Scenario(feature.size, self.dim)
            case _:
                port = self.value(key).port
                assert port is not None
                return port

    def value(self, key: str) -> Value:
        """A root input, made when it is first asked for."""
        if key not in self.values:
            make: dict[str, Callable[[], Value]] = {
                "context": lambda: self.select(
                    tuple(f for f in self.schema.features if getattr(f, "context", False)),
                    "context",
                ),
                "scenario": lambda: self.steps.flat(
                    self.select((self.schema.feature(str(self.schema.scenario)),), "scenario")
                ),
                "scenario_id": self.scenario_id,
                "ids": lambda: self.both_sides("categorical", "ids"),
                "numbers": lambda: self.both_sides("numeric", "numbers"),
                "bags": self.bags,
            }
            self.values[key] = make[key]()
        return self.values[key]

    def scenario_id(self) -> Value:
        feature = self.schema.feature(str(self.schema.scenario))
        request = feature.side != "item"
        position = [f.name for f in self.schema.of_kind("categorical", request=request)].index(
            feature.name
        )
        key = "ids:request" if request else "ids:item"
        return self.steps.step(
            column_of, [Value(key, request=request)], "scenario_id", None, (position,)
        )

    def both_sides(self, kind: str, key: str) -> Value:
        sides = [Value(f"{key}:request", request=True), Value(f"{key}:item")]
        return self.steps.step(join, sides, key)

    def bags(self) -> Value:
        bags = [
            Value(f"multi:{f.name}", request=f.side != "item")
            for f in _by_side(self.schema.of_kind("multi"))
        ]
        return self.steps.step(as_list, bags, "bags", request=False)


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
