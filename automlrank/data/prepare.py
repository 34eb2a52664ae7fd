"""From a table and its schema to what a store holds."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

from automlrank.data.encode import fit
from automlrank.data.infer import complete
from automlrank.data.labels import label_rates, read_group, read_labels, read_weight
from automlrank.data.split import Rows, assign
from automlrank.data.store import Arrays, Content
from automlrank.data.transform import Array, EncodingError, Ragged
from automlrank.errors import DataError, SchemaError
from automlrank.schema import Schema


def prepare(frame: pl.DataFrame, schema: Schema, train_rows: int | None = None) -> Content:
    """Infer what the schema leaves open, split, fit on the training rows, encode all rows.

    ``train_rows`` is for a split by file (see ``assign``). Raises SchemaError or DataError.
    """
    inferred = complete(schema, frame)
    schema = inferred.schema
    if not any(feature.kind != "history" for feature in schema.features):
        reasons = "; ".join(f"{name}: {why}" for name, why in list(inferred.reasons.items())[:10])
        raise SchemaError("the table has no column that can be a feature.", reasons)
    rows = assign(frame, schema.split, train_rows)
    labels = read_labels(frame, schema, rows["train"])
    encoder = fit(frame[rows["train"]], schema)
    try:
        arrays: dict[str, Array | Ragged] = {**encoder.encode(frame), "labels": labels}
    except EncodingError as error:
        raise DataError(str(error)) from None
    if schema.weight:
        arrays["weight"] = read_weight(frame, schema.weight)
    if schema.group:
        arrays["group"] = read_group(frame, schema.group)
    facts = {
        "schema": schema.to_data(),
        "rows": {split: len(part) for split, part in rows.items()},
        "label_rates": label_rates(labels, schema, rows),
        "inferred": {**dataclasses.asdict(inferred), "schema": None} if inferred.reasons else None,
    }
    return Content(facts, encoder, {split: _select(arrays, part) for split, part in rows.items()})


def _select(arrays: Arrays, rows: Rows) -> dict[str, Array | Ragged]:
    return {
        key: array.take(rows) if isinstance(array, Ragged) else np.take(array, rows, axis=0)
        for key, array in arrays.items()
    }
