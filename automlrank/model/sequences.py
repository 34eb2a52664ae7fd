"""Wire sequences of behaviours: the inputs of their encoders, and the resulting interests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from automlrank.blocks.embedding import SequenceEmbedding, other_behaviours, real_positions
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.sequences import EmptyHistory
from automlrank.blocks.parts.shapes import as_fields
from automlrank.blocks.ports import Fields, History, Vector
from automlrank.model.columns import ColumnReader, batch_value
from automlrank.model.plan import ModuleSpec
from automlrank.model.plan_builder import PlanBuilder, Value, vector_of
from automlrank.schema import CategoricalFeature, HistoryFeature


@dataclass(frozen=True)
class Sequence:
    """One sequence of behaviours as the encoder reads it."""

    port: History
    values: Mapping[str, Value]
    """Root inputs by name (see ``History``); times and ids only where the columns give them."""

    def with_value(self, name: str, value: Value) -> Sequence:
        """Return the sequence with one more root input."""
        return dataclasses.replace(self, values={**self.values, name: value})


def read_sequence(reader: ColumnReader, name: str, columns: tuple[HistoryFeature, ...]) -> Sequence:
    """Return the sequence of these columns, embedded from the reader's table."""
    steps, schema = reader.steps, reader.source.schema
    ids = [batch_value(column) for column in columns]
    spec = ModuleSpec(SequenceEmbedding, {"offsets": reader.source.offsets(columns)})
    keys = steps.module(f"{name}_embedding", spec, [reader.table(), *ids], f"{name}_keys")
    of = [schema.feature(column.of) for column in columns]
    target = reader.select(of, f"{name}_target")
    values = {
        "keys": keys,
        "target": steps.flat(target),
        "mask": steps.step(real_positions, ids[:1], f"{name}_mask"),
        "key_ids": ids[0],
    }
    behaviours = [values["keys"], values["mask"]]
    values["negatives"] = steps.step(other_behaviours, behaviours, f"{name}_others")
    sequence = columns[0].sequence
    if schema.timed(sequence):
        request = all(column.side != "item" for column in columns)
        for key in ("age", "session"):
            values[key] = Value(f"{key}:{sequence}", request=request)
    size = of[0].size if isinstance(of[0], CategoricalFeature) else 0
    if size:
        values["target_id"] = reader.ids_of(of[0], f"{name}_target_id")
    length = max(column.max_length for column in columns)
    return Sequence(History(len(columns) * reader.source.dim, length, size), values)


def interest_of(
    steps: PlanBuilder, name: str, encoded: Value, sequence: Sequence, dim: int
) -> Value:
    """Return an encoded sequence as fields; a width that ``dim`` does not divide is projected.

    An empty history has a learned vector, whatever the encoder.
    """
    flat = steps.flat(encoded)
    empty = ModuleSpec(EmptyHistory, {"dim": vector_of(flat).dim})
    given = [flat, sequence.values["mask"]]
    flat = steps.module(f"{name}_empty", empty, given, f"{name}_encoded", flat.port)
    if vector_of(flat).dim % dim:
        width = sequence.port.dim
        spec = ModuleSpec(Dense, {"in_features": vector_of(flat).dim, "out_features": width})
        flat = steps.module(f"{name}_projection", spec, [flat], f"{name}_projected", Vector(width))
    port = Fields(vector_of(flat).dim // dim, dim)
    return steps.step(as_fields, [flat], f"{name}_interest", port, (dim,))
