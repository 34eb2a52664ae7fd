"""The inputs of a model as values of its plan: fields of both sides, sequences, root inputs."""

from __future__ import annotations

import dataclasses
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
from automlrank.blocks.ports import (
    Columns,
    Context,
    Crosses,
    Fields,
    History,
    Port,
    Scenario,
    Statistics,
    Targets,
)
from automlrank.plan import Made, PlanBuilder, Value, fields_of
from automlrank.schema import Feature, Schema
from automlrank.schema import History as HistoryColumn

ROLES = ("ids", "numbers", "multi", "vector")
"""The order of the fields of a side."""


class Inputs:
    """Makes the values that blocks read, each when it is first asked for.

    ``prefix`` begins the names of its steps; ``extras`` makes the fields behind the columns'.
    """

    def __init__(
        self,
        steps: PlanBuilder,
        schema: Schema,
        embedding: Embedding | None,
        prefix: str = "",
        extras: Callable[[], list[Value]] = list,
    ) -> None:
        self.steps = steps
        self.schema = schema
        self.embedding = embedding
        self.prefix = prefix
        self.extras = extras
        self.values: dict[str, Value] = {}
        columns = (*schema.of_role("ids"), *schema.of_role("multi"))
        sizes = {c.name: c.size for c in columns if schema.owner(c.name) == c.name}
        for column in columns:  # one whose owner a branch does not read has the owner's ids
            sizes.setdefault(schema.owner(column.name), column.size)
        self.table_sizes = tuple(sizes.values())
        self.starts = dict(
            zip(sizes, itertools.accumulate(sizes.values(), initial=0), strict=False)
        )
        bags = _by_side(schema.of_role("multi"))
        self.columns = Columns(
            tuple(f.size for f in _by_side(schema.of_role("ids"))),
            len(schema.of_role("numbers")),
            tuple(f.size for f in bags),
            tuple(f.pool for f in bags),
            tuple(f.size for f in _by_side(schema.of_role("vector"))),
        )

    @property
    def dim(self) -> int:
        assert self.embedding is not None
        return self.embedding.dim

    def offsets(self, features: tuple[Feature, ...]) -> tuple[int, ...]:
        """Where the ids of each column start in the table: a column that shares has its owner's."""
        return tuple(self.starts[self.schema.owner(feature.name)] for feature in features)

    def table(self) -> Value:
        """One table for the ids of all columns."""
        assert self.embedding is not None
        name = f"{self.prefix}table"
        made = Made(type(self.embedding).module, self.embedding.arguments(self.table_sizes))
        self.steps.trained(name, self.embedding)
        return self.steps.module(name, made, [], name)

    def fields(self) -> Value:
        """The embedded columns of both sides, from one table, then what stands behind them."""
        sides = [side for request in (True, False) if (side := self.side(request))]
        fields = self.join_fields(sides, "fields")
        extras = self.extras()
        return self.join_fields([fields, *extras], "all_fields") if extras else fields

    def join_fields(self, parts: list[Value], name: str) -> Value:
        if len(parts) == 1:
            return parts[0]
        port = Fields(sum(fields_of(part).n for part in parts), self.dim)
        return self.steps.step(join, parts, f"{self.prefix}{name}", port)

    def side(self, request: bool) -> Value | None:
        """The fields of the request's columns, or of the item's."""
        ids, numbers, bags, vectors = (self.schema.of_role(r, request=request) for r in ROLES)
        n = len(ids) + len(numbers) + len(bags) + len(vectors)
        if n == 0:
            return None
        assert self.embedding is not None
        name = "request" if request else "item"
        made = Made(
            FieldEmbedding,
            {
                "dim": self.dim,
                "offsets": self.offsets(ids),
                "numbers": len(numbers),
                "bags": self.offsets(bags),
                "pools": tuple(f.pool for f in bags),
                "vectors": tuple(f.size for f in vectors),
                "scale": self.embedding.number_scale,
                "dropout": self.embedding.dropout,
            },
        )
        lists = (_batch_value(feature) for feature in (*bags, *vectors))
        of_side = (self.of_side(key, request) for key in ("ids", "numbers"))
        inputs = [self.table(), *of_side, *lists]
        name = f"{self.prefix}{name}"
        return self.steps.module(
            f"{name}_embedding", made, inputs, f"{name}_fields", Fields(n, self.dim)
        )

    def of_side(self, key: str, request: bool) -> Value:
        """The ids or the numbers of a side's columns."""
        return Value(f"{key}:{'request' if request else 'item'}", request=request)

    def order(self, request: bool) -> list[str]:
        """The columns of a side in the order of its fields."""
        roles = (self.schema.of_role(role, request=request) for role in ROLES)
        return [feature.name for features in roles for feature in features]

    def select(self, features: tuple[Feature, ...], name: str) -> Value:
        """Some fields by their columns: of one side if they all stand there."""
        requests = {feature.side != "item" for feature in features}
        sides = (True, False) if len(requests) == 2 else tuple(requests)
        order = [name for request in sides for name in self.order(request)]
        parts = [side for request in sides if (side := self.side(request))]
        positions = tuple(order.index(feature.name) for feature in features)
        return self.pick(self.join_fields(parts, "fields"), positions, name)

    def pick(self, fields: Value, positions: tuple[int, ...], name: str) -> Value:
        """Some fields by their places."""
        made = Made(SelectFields, {"positions": positions})
        port = Fields(len(positions), self.dim)
        return self.steps.module(name, made, [fields], f"{name}_fields", port)

    def sequence(self, name: str, columns: tuple[HistoryColumn, ...]) -> Value:
        """A sequence's keys, target, mask and, where it has times, age and session.

        They are the root inputs of its encoder.
        """
        request = all(column.side != "item" for column in columns)
        ids = [_batch_value(column) for column in columns]
        embedding = Made(SequenceEmbedding, {"offsets": self.offsets(columns)})
        keys = self.steps.module(
            f"{name}_embedding", embedding, [self.table(), *ids], f"{name}_keys"
        )
        target = self.select(tuple(self.schema.feature(c.of) for c in columns), f"{name}_target")
        self.values |= {
            "keys": keys,
            "target": self.steps.flat(target),
            "mask": self.steps.step(real_positions, ids[:1], f"{name}_mask"),
        }
        of_sequence = columns[0].sequence
        if self.schema.timed(of_sequence):
            self.values |= {
                key: Value(f"{key}:{of_sequence}", request=request) for key in ("age", "session")
            }
        length = max(column.max_length for column in columns)
        return Value("", History(len(columns) * self.dim, length))

    def statistics(self) -> Value:
        """Rates and counts of both sides, request before item."""
        sizes = self.schema.statistic_sizes
        sides = [Value(key, request=key.endswith(":request")) for key in sizes]
        dim = self.embedding.dim if self.embedding else 0
        port = Statistics(sum(sizes.values()), dim)
        if len(sides) == 1:
            return dataclasses.replace(sides[0], port=port)
        return self.steps.step(join, sides, "statistics", port)

    def port(self, key: str) -> Port:
        """The port of a root input."""
        match key:
            case "targets":
                return Targets(len(self.schema.tasks))
            case "columns":
                return self.columns
            case "crosses":
                return self.crosses()
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
                "fields": self.fields,
                "context": lambda: self.select(
                    tuple(f for f in self.schema.features if getattr(f, "context", False)),
                    "context",
                ),
                "scenario": lambda: self.steps.flat(
                    self.select((self.schema.feature(str(self.schema.scenario)),), "scenario")
                ),
                "scenario_id": self.scenario_id,
                "ids": lambda: self.both_sides("ids"),
                "numbers": lambda: self.both_sides("numbers"),
                "bags": lambda: self.lists("multi", "bags"),
                "vectors": lambda: self.lists("vector", "vectors"),
            }
            self.values[key] = make[key]()
        return self.values[key]

    def crosses(self) -> Crosses:
        """The schema's pairs, by the places of their columns in ``ids``."""
        places = {f.name: i for i, f in enumerate(_by_side(self.schema.of_role("ids")))}
        return Crosses(tuple((places[a], places[b]) for a, b in self.schema.crosses))

    def scenario_id(self) -> Value:
        feature = self.schema.feature(str(self.schema.scenario))
        request = feature.side != "item"
        position = self.schema.of_role("ids", request=request).index(feature)
        key = "ids:request" if request else "ids:item"
        return self.steps.step(
            column_of, [Value(key, request=request)], "scenario_id", None, (position,)
        )

    def both_sides(self, key: str) -> Value:
        sides = [self.of_side(key, request=True), self.of_side(key, request=False)]
        return self.steps.step(join, sides, f"{self.prefix}{key}")

    def lists(self, role: str, key: str) -> Value:
        """The tensors of a role's columns as one value; a request's may have one row."""
        columns = _by_side(self.schema.of_role(role))
        return self.steps.step(
            as_list,
            [_batch_value(column) for column in columns],
            f"{self.prefix}{key}",
            request=False,
        )


def _by_side(features: tuple[Any, ...]) -> list[Any]:
    """The request's features, then the item's: the order of the model's columns."""
    return sorted(features, key=lambda feature: feature.side == "item")


def _batch_value(feature: Feature) -> Value:
    """What a batch holds of a column that has a tensor of its own."""
    return Value(f"{feature.role}:{feature.name}", request=feature.side != "item")


def as_list(*parts: Tensor) -> list[Tensor]:
    """Several tensors as one value."""
    return list(parts)


def identifier(name: str, index: int) -> str:
    """A name that may stand in source code for a column's or a task's, whatever it contains."""
    plain = name.isascii() and name.isidentifier() and len(name) <= 40
    return name if plain and not name.startswith("number_") else f"number_{index}"
