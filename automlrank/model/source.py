"""Columns that a model or branch reads, and the offsets of their ids in the embedding table."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from automlrank.blocks.embedding import Embedding
from automlrank.blocks.ports import Columns, Crosses
from automlrank.schema import Feature, Schema

ROLES = ("ids", "numbers", "multi", "vector")
"""Order of the fields of a side."""
SIDES = (True, False)
"""The request's side before the item's."""


@dataclass(frozen=True)
class Source:
    """Columns that are read, and the embedding of their table."""

    schema: Schema
    """The columns that are read, histories included."""
    layout: Schema
    """The columns that a batch holds."""
    embedding: Embedding | None
    prefix: str = ""
    """Start of the names of the modules and steps that read these columns."""

    @property
    def dim(self) -> int:
        """Width of a field."""
        assert self.embedding is not None
        return self.embedding.dim

    @cached_property
    def table_sizes(self) -> Mapping[str, int]:
        """Number of ids by owner: columns that share a vocabulary share its rows of the table."""
        columns = (*self.schema.of_role("ids"), *self.schema.of_role("multi"))
        sizes = {c.name: c.size for c in columns if self.schema.owner(c.name) == c.name}
        for column in columns:  # one whose owner a branch does not read has the owner's ids
            sizes.setdefault(self.schema.owner(column.name), column.size)
        return sizes

    @cached_property
    def _starts(self) -> Mapping[str, int]:
        starts = itertools.accumulate(self.table_sizes.values(), initial=0)
        return dict(zip(self.table_sizes, starts, strict=False))

    def offsets(self, features: Iterable[Feature]) -> tuple[int, ...]:
        """First row of the table for the ids of each column, which may be its owner's."""
        return tuple(self._starts[self.schema.owner(feature.name)] for feature in features)

    def order(self, sides: Iterable[bool] = SIDES) -> list[str]:
        """Columns in the order of the fields; ``sides`` holds True for the request's."""
        roles = itertools.product(sides, ROLES)
        return [f.name for side, role in roles for f in self.schema.of_role(role, request=side)]

    def positions(self, key: str, request: bool) -> tuple[int, ...] | None:
        """Places of the ids or numbers of a side in its tensor; None if all of it is read."""
        held = [feature.name for feature in self.layout.of_role(key, request=request)]
        names = [feature.name for feature in self.schema.of_role(key, request=request)]
        return None if names == held else tuple(held.index(name) for name in names)

    def by_side(self, role: str) -> list[Any]:
        """Columns of a role: the request's, then the item's."""
        return sorted(self.schema.of_role(role), key=lambda feature: feature.side == "item")

    @property
    def columns(self) -> Columns:
        """Port of the raw columns."""
        bags = self.by_side("multi")
        return Columns(
            tuple(f.size for f in self.by_side("ids")),
            len(self.schema.of_role("numbers")),
            tuple(f.size for f in bags),
            tuple(f.pool for f in bags),
            tuple(f.size for f in self.by_side("vector")),
        )

    @property
    def crosses(self) -> Crosses:
        """Port of the schema's pairs, by the places of their columns in ``ids``."""
        places = {f.name: i for i, f in enumerate(self.by_side("ids"))}
        return Crosses(tuple((places[a], places[b]) for a, b in self.schema.crosses))
