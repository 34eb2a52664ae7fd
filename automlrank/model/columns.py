"""Add steps to a plan that read columns: raw, or embedded as fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from automlrank.blocks.embedding import FieldEmbedding, SelectFields, column_of
from automlrank.blocks.parts.shapes import join
from automlrank.blocks.ports import Fields, Statistics
from automlrank.model.plan import ModuleSpec
from automlrank.model.plan_builder import PlanBuilder, Value, fields_of
from automlrank.model.source import ROLES, SIDES, Source
from automlrank.schema import Feature


@dataclass(frozen=True)
class ColumnReader:
    """Adds the steps that read the columns of a source; each method returns a value."""

    steps: PlanBuilder
    source: Source

    # ---- embedded columns -----------------------------------------------------------------

    def table(self) -> Value:
        """Return the table that holds the vectors of all ids."""
        source = self.source
        assert source.embedding is not None
        name = f"{source.prefix}table"
        arguments = source.embedding.arguments(tuple(source.table_sizes.values()))
        self.steps.add_training_rules(name, source.embedding)
        return self.steps.module(
            name, ModuleSpec(type(source.embedding).module, arguments), [], name
        )

    def sides(self, sides: Sequence[bool] = SIDES) -> list[Value]:
        """Return the fields of the request's columns (True) and of the item's, if there are any."""
        return [value for request in sides if (value := self._side(request))]

    def _side(self, request: bool) -> Value | None:
        source = self.source
        features = {role: source.schema.of_role(role, request=request) for role in ROLES}
        n = sum(map(len, features.values()))
        if n == 0:
            return None
        lists = [batch_value(f) for f in (*features["multi"], *features["vector"])]
        inputs = [self.table(), self.side("ids", request), self.side("numbers", request), *lists]
        name = f"{source.prefix}{'request' if request else 'item'}"
        return self.steps.module(
            f"{name}_embedding",
            ModuleSpec(FieldEmbedding, self._embedding_arguments(features)),
            inputs,
            f"{name}_fields",
            Fields(n, source.dim),
        )

    def _embedding_arguments(self, features: dict[str, tuple[Any, ...]]) -> dict[str, object]:
        embedding = self.source.embedding
        assert embedding is not None
        return {
            "dim": embedding.dim,
            "offsets": self.source.offsets(features["ids"]),
            "numbers": len(features["numbers"]),
            "bags": self.source.offsets(features["multi"]),
            "pools": tuple(f.pool for f in features["multi"]),
            "vectors": tuple(f.size for f in features["vector"]),
            "scale": embedding.number_scale,
            "dropout": embedding.dropout,
        }

    def join_fields(self, parts: list[Value], name: str) -> Value:
        """Return the fields of all parts side by side."""
        if len(parts) == 1:
            return parts[0]
        port = Fields(sum(fields_of(part).n for part in parts), self.source.dim)
        return self.steps.step(join, parts, f"{self.source.prefix}{name}", port)

    def select(self, features: Sequence[Feature], name: str) -> Value:
        """Return the fields of some columns, of one side if all stand there."""
        requests = {feature.side != "item" for feature in features}
        sides = SIDES if len(requests) == 2 else tuple(requests)
        order = self.source.order(sides)
        positions = tuple(order.index(feature.name) for feature in features)
        return self.pick(self.join_fields(self.sides(sides), "fields"), positions, name)

    def pick(self, fields: Value, positions: tuple[int, ...], name: str) -> Value:
        """Return some of the fields by their places."""
        spec = ModuleSpec(SelectFields, {"positions": positions})
        port = Fields(len(positions), self.source.dim)
        return self.steps.module(name, spec, [fields], f"{name}_fields", port)

    # ---- raw columns ----------------------------------------------------------------------

    def side(self, key: str, request: bool) -> Value:
        """Return the ids or the numbers of a side's columns."""
        whole = side_value(key, request)
        positions = self.source.positions(key, request)
        if positions is None:
            return whole
        name = f"{self.source.prefix}read_{whole.name}"
        return self.steps.step(columns_of, [whole], name, None, positions)

    def both_sides(self, key: str) -> Value:
        """Return the ids or the numbers of all columns."""
        sides = [self.side(key, request) for request in SIDES]
        return self.steps.step(join, sides, f"{self.source.prefix}{key}")

    def lists(self, role: str, key: str) -> Value:
        """Return the tensors of a role's columns as one value; a request's may have one row."""
        values = [batch_value(column) for column in self.source.by_side(role)]
        return self.steps.step(as_list, values, f"{self.source.prefix}{key}", request=False)

    def ids_of(self, feature: Feature, name: str) -> Value:
        """Return the ids of one column, ``[batch]``."""
        request = feature.side != "item"
        position = self.source.layout.of_role("ids", request=request).index(feature)
        return self.steps.step(column_of, [side_value("ids", request)], name, None, (position,))

    def statistics(self) -> Value:
        """Return the rates and counts of both sides, the request's before the item's."""
        sizes = self.source.layout.statistic_sizes
        sides = [Value(key, request=key.endswith(":request")) for key in sizes]
        dim = self.source.embedding.dim if self.source.embedding else 0
        port = Statistics(sum(sizes.values()), dim)
        if len(sides) == 1:
            return dataclasses.replace(sides[0], port=port)
        return self.steps.step(join, sides, "statistics", port)


def side_value(key: str, request: bool) -> Value:
    """Return the tensor of a batch that holds the ids or the numbers of a side."""
    return Value(f"{key}:{'request' if request else 'item'}", request=request)


def batch_value(feature: Feature) -> Value:
    """Return the tensor of a batch that holds one column alone."""
    return Value(f"{feature.role}:{feature.name}", request=feature.side != "item")


def columns_of(x: Tensor, *places: int) -> Tensor:
    """Return some columns of ids or of numbers: ``[batch, places]``."""
    return x[:, list(places)]


def as_list(*parts: Tensor) -> list[Tensor]:
    """Return several tensors as one value."""
    return list(parts)
