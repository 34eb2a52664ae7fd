"""Interaction branches that read only some columns, or have their own embedding table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from automlrank.architecture import ScopedPart, readers
from automlrank.errors import SpaceError
from automlrank.model.columns import ColumnReader
from automlrank.model.inputs import Inputs
from automlrank.model.plan_builder import Value, fields_of


class Branches:
    """Inputs of branches; those that read the same columns of one table share their steps."""

    def __init__(
        self,
        model: ColumnReader,
        extras: Callable[[], list[Value]],
        start: Value | None,
        *,
        gated: bool,
    ) -> None:
        self.model = model
        self.extras = extras
        self.start = start
        """Value that the stage interaction begins with; None if no block takes fields."""
        self.gated = start if gated else None
        self._shared: dict[tuple[str, ...] | None, Inputs] = {}

    def inputs(self, part: ScopedPart, name: str) -> Inputs:
        """Return the root inputs of a branch."""
        if part.own:
            return self._inputs(part, f"{name}_")
        if part.fields not in self._shared:
            prefix = f"interaction_reads_{len(self._shared)}_"
            self._shared[part.fields] = self._inputs(part, prefix)
        return self._shared[part.fields]

    def _inputs(self, part: ScopedPart, prefix: str) -> Inputs:
        whole = self.model.source
        schema = whole.schema if part.fields is None else whole.schema.only(part.fields)
        source = replace(whole, schema=schema, prefix=prefix)
        reader = ColumnReader(self.model.steps, source)
        extras = self.extras if part.fields is None else list
        own = partial(whole_fields, reader, extras)
        return Inputs(self.model, reader, own if part.own else partial(self._chosen, reader))

    def _chosen(self, reader: ColumnReader) -> Value:
        """Return the fields of a branch's columns from the shared table."""
        schema = reader.source.schema
        features = [schema.feature(name) for name in reader.source.order()]
        return self.model.select(features, f"{reader.source.prefix}chosen")

    def flow(self, part: ScopedPart, inputs: Inputs) -> Value | None:
        """Return the fields that flow into a branch; None if none of its blocks takes any.

        They come from its own table or, behind a gate, from among the gated fields.
        """
        if not any(readers(part.body)):
            return None
        if part.own or self.gated is None:
            return inputs.value("fields")
        order = self.model.source.order()
        if fields_of(self.gated).n != len(order) + sum(fields_of(e).n for e in self.extras()):
            raise SpaceError("fields cannot be told apart behind a gate that changes their number.")
        places = {name: i for i, name in enumerate(order)}
        source = inputs.columns.source
        positions = tuple(places[name] for name in source.order())
        return inputs.columns.pick(self.gated, positions, f"{source.prefix}gated")


def whole_fields(reader: ColumnReader, extras: Callable[[], list[Value]]) -> Value:
    """Return the embedded columns of both sides, then the ``extras`` behind them."""
    sides = reader.sides()
    parts = [reader.join_fields(sides, "fields")] if sides else []  # none: rates replace all ids
    return reader.join_fields([*parts, *extras()], "all_fields")
