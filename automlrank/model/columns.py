"""The columns of both sides as fields of a plan, embedded from one table."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from torch import Tensor

from automlrank.blocks.embedding import Embedding, FieldEmbedding, SelectFields
from automlrank.blocks.parts.shapes import join
from automlrank.blocks.ports import Fields
from automlrank.model.plan import Made, PlanBuilder, Value, fields_of
from automlrank.schema import Feature, Schema

ROLES = ("ids", "numbers", "multi", "vector")
"""The order of the fields of a side."""


class ColumnFields:
    """Embeds the columns of both sides that ``schema`` has, of a batch as ``layout`` lays it out.

    ``prefix`` begins the names of its steps; ``extras`` makes the fields behind the columns'.
    """

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
        self.steps = steps
        self.schema = schema
        self.layout = layout
        self.embedding = embedding
        self.prefix = prefix
        self.extras = extras
        columns = (*schema.of_role("ids"), *schema.of_role("multi"))
        sizes = {c.name: c.size for c in columns if schema.owner(c.name) == c.name}
        for column in columns:  # one whose owner a branch does not read has the owner's ids
            sizes.setdefault(schema.owner(column.name), column.size)
        self.table_sizes = tuple(sizes.values())
        self.starts = dict(
            zip(sizes, itertools.accumulate(sizes.values(), initial=0), strict=False)
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
        parts = [self.join_fields(sides, "fields")] if sides else []  # none: rates replace all ids
        return self.join_fields([*parts, *self.extras()], "all_fields")

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
        lists = (batch_value(feature) for feature in (*bags, *vectors))
        of_side = (self.of_side(key, request) for key in ("ids", "numbers"))
        inputs = [self.table(), *of_side, *lists]
        name = f"{self.prefix}{name}"
        return self.steps.module(
            f"{name}_embedding", made, inputs, f"{name}_fields", Fields(n, self.dim)
        )

    def of_side(self, key: str, request: bool) -> Value:
        """The ids or the numbers of a side's columns among those that the batch holds."""
        whole = Value(f"{key}:{'request' if request else 'item'}", request=request)
        held = [feature.name for feature in self.layout.of_role(key, request=request)]
        names = [feature.name for feature in self.schema.of_role(key, request=request)]
        if names == held:
            return whole
        places = tuple(held.index(name) for name in names)
        return self.steps.step(columns_of, [whole], f"{self.prefix}read_{whole.name}", None, places)

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


def batch_value(feature: Feature) -> Value:
    """What a batch holds of a column that has a tensor of its own."""
    return Value(f"{feature.role}:{feature.name}", request=feature.side != "item")


def columns_of(x: Tensor, *places: int) -> Tensor:
    """Some columns of ids or of numbers: ``[batch, places]``."""
    return x[:, list(places)]
