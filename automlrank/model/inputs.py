"""The inputs of a model as values of its plan: fields, sequences, raw columns, by their keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from torch import Tensor

from automlrank.blocks.embedding import (
    Embedding,
    SequenceEmbedding,
    column_of,
    other_behaviours,
    real_positions,
)
from automlrank.blocks.parts.shapes import join
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
from automlrank.model.columns import ColumnFields, batch_value
from automlrank.model.plan import Made, PlanBuilder, Value
from automlrank.schema import CategoricalFeature, Feature, HistoryFeature, Schema


class Inputs(ColumnFields):
    """Makes the values that blocks read, each when it is first asked for."""

    def __init__(
        self,
        steps: PlanBuilder,
        schema: Schema,
        embedding: Embedding | None,
        *,
        layout: Schema,
        prefix: str = "",
        extras: Callable[[], list[Value]] = list,
    ) -> None:
        super().__init__(steps, schema, embedding, layout=layout, prefix=prefix, extras=extras)
        self.values: dict[str, Value] = {}
        bags = _by_side(schema.of_role("multi"))
        self.columns = Columns(
            tuple(f.size for f in _by_side(schema.of_role("ids"))),
            len(schema.of_role("numbers")),
            tuple(f.size for f in bags),
            tuple(f.pool for f in bags),
            tuple(f.size for f in _by_side(schema.of_role("vector"))),
        )

    def sequence(self, name: str, columns: tuple[HistoryFeature, ...]) -> Value:
        """A sequence's keys, target, mask and what else its columns give: times, ids, negatives.

        They are the root inputs of its encoder.
        """
        request = all(column.side != "item" for column in columns)
        ids = [batch_value(column) for column in columns]
        embedding = Made(SequenceEmbedding, {"offsets": self.offsets(columns)})
        keys = self.steps.module(
            f"{name}_embedding", embedding, [self.table(), *ids], f"{name}_keys"
        )
        target = self.select(tuple(self.schema.feature(c.of) for c in columns), f"{name}_target")
        self.values |= {
            "keys": keys,
            "target": self.steps.flat(target),
            "mask": self.steps.step(real_positions, ids[:1], f"{name}_mask"),
            "key_ids": ids[0],
        }
        behaviours = [self.values["keys"], self.values["mask"]]
        self.values["negatives"] = self.steps.step(other_behaviours, behaviours, f"{name}_others")
        of_sequence = columns[0].sequence
        if self.schema.timed(of_sequence):
            self.values |= {
                key: Value(f"{key}:{of_sequence}", request=request) for key in ("age", "session")
            }
        length = max(column.max_length for column in columns)
        of = self.schema.feature(columns[0].of)
        size = of.size if isinstance(of, CategoricalFeature) else 0
        if size:
            self.values["target_id"] = self.id_of(of, f"{name}_target_id")
        return Value("", History(len(columns) * self.dim, length, size))

    def statistics(self) -> Value:
        """Rates and counts of both sides, request before item."""
        sizes = self.layout.statistic_sizes
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
                "scenario_id": lambda: self.id_of(
                    self.schema.feature(str(self.schema.scenario)), "scenario_id"
                ),
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

    def id_of(self, feature: Feature, name: str) -> Value:
        """The ids of one column, ``[batch]``."""
        request = feature.side != "item"
        position = self.layout.of_role("ids", request=request).index(feature)
        key = "ids:request" if request else "ids:item"
        return self.steps.step(column_of, [Value(key, request=request)], name, None, (position,))

    def both_sides(self, key: str) -> Value:
        sides = [self.of_side(key, request=True), self.of_side(key, request=False)]
        return self.steps.step(join, sides, f"{self.prefix}{key}")

    def lists(self, role: str, key: str) -> Value:
        """The tensors of a role's columns as one value; a request's may have one row."""
        columns = _by_side(self.schema.of_role(role))
        return self.steps.step(
            as_list,
            [batch_value(column) for column in columns],
            f"{self.prefix}{key}",
            request=False,
        )


def _by_side(features: tuple[Any, ...]) -> list[Any]:
    """The request's features, then the item's: the order of the model's columns."""
    return sorted(features, key=lambda feature: feature.side == "item")


def as_list(*parts: Tensor) -> list[Tensor]:
    """Several tensors as one value."""
    return list(parts)
