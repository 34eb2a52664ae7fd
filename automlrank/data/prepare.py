"""Prepare a table: split it, fit the encoder, and write the encoded rows to a store."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from automlrank.data.check import columns_named
from automlrank.data.encode import fit
from automlrank.data.infer import complete, featureless
from automlrank.data.labels import label_rates, read_group, read_incumbent, read_labels, read_weight
from automlrank.data.names import other_name
from automlrank.data.rates import fit_rates
from automlrank.data.split import NAMES, Labels, assign, complete_column
from automlrank.data.store import Arrays, StoreWriter
from automlrank.data.table import Table
from automlrank.data.times import unit_of
from automlrank.data.transform import Encoder
from automlrank.data.unknown import Counts, shares_of, unknown_counts
from automlrank.data.values import Array, EncodingError, Ragged, counted_from
from automlrank.data.wishes import list_forms
from automlrank.errors import DataError, SchemaError
from automlrank.schema import Schema

RATE_ROWS = 100_000  # new rows whose statistics are looked up at once
SAMPLE_ROWS = 50_000  # raw rows that are kept, at most: every k-th of a larger table


def prepare(table: Table, schema: Schema, writer: StoreWriter) -> None:
    """Infer what the schema leaves open, split, fit on the training rows, encode all rows.

    Raises SchemaError or DataError; then the store is not finished.
    """
    inferred = complete(schema, table)
    schema = inferred.schema
    forms, notes = list_forms(table, schema)
    table = table.read_as(forms)
    if fault := featureless(inferred):
        raise SchemaError(fault)
    splits = assign(table, schema)
    outcomes = _outcomes(table, schema, splits)
    try:
        encoder = fit(table, schema, splits == 0)
        looked_at = [name for path, name in columns_named(schema) if path[0] != "ignore"]
        looked_at += inferred.set_aside
        unknown = _write_rows(table, encoder, splits, outcomes, looked_at, writer)
        encoder = dataclasses.replace(encoder, unknown=unknown)
        if schema.statistic_columns:
            encoder = _write_statistics(table, encoder, schema, splits, writer)
    except EncodingError as error:
        raise DataError(str(error)) from None
    sizes = np.bincount(splits, minlength=len(NAMES))
    facts = {
        "schema": schema.to_data(),
        "rows": {name: int(size) for name, size in zip(NAMES, sizes, strict=True)},
        "label_rates": label_rates(outcomes["labels"], schema, splits),
        "inferred": {**dataclasses.asdict(inferred), "schema": None} if inferred.reasons else None,
        "notes": (*inferred.read_as, *notes),
    }
    writer.finish(facts, encoder)


def _outcomes(table: Table, schema: Schema, splits: Labels) -> dict[str, Array]:
    """Labels, weights, groups and the incumbent's scores of all rows."""
    is_train = splits == 0
    wanted = [task.name for task in schema.tasks]
    wanted += [name for name in (schema.weight, schema.group, schema.incumbent) if name]
    frame = table.select(*dict.fromkeys(wanted))
    arrays = {"labels": read_labels(frame, schema, is_train)}
    if schema.weight:
        arrays["weight"] = read_weight(frame, schema.weight, is_train)
    if schema.group:
        arrays["group"] = read_group(frame, schema.group)
    if schema.incumbent:
        arrays["incumbent"] = read_incumbent(frame, schema.incumbent, splits)
    return arrays


def _write_rows(
    table: Table,
    encoder: Encoder,
    splits: Labels,
    outcomes: Mapping[str, Array],
    looked_at: Sequence[str],
    writer: StoreWriter,
) -> dict[str, float]:
    """The share of unknown values among the training rows, by feature, of all rows written.

    Some are written as they are, with columns ``looked_at`` and their split, the last.
    """
    counts: Counts = {}
    start, step, sample = 0, -(-table.rows // SAMPLE_ROWS), []
    read = list(dict.fromkeys([*encoder.reads, *looked_at]))
    split = other_name(read)
    for chunk in table.chunks(read):
        rows = slice(start, start + chunk.height)
        with counted_from(start):
            encoded = encoder.encode(chunk)
        arrays: Arrays = {**encoded, **{key: array[rows] for key, array in outcomes.items()}}
        for k, name in enumerate(NAMES):
            part = _select(arrays, np.flatnonzero(splits[rows] == k))
            writer.append(name, part)
            if k == 0:
                found = unknown_counts(encoder, part)
                counts = {key: found[key] + counts.get(key, 0) for key in found}
        labelled = chunk.with_columns(pl.Series(split, splits[rows]))
        sample.append(labelled.gather_every(step, -start % step))
        start += chunk.height
    writer.write_sample(pl.concat(sample))
    return shares_of(counts)


def _write_statistics(
    table: Table, encoder: Encoder, schema: Schema, splits: Labels, writer: StoreWriter
) -> Encoder:
    """The encoder with rates of the training rows, which are written for all rows."""
    assert schema.statistics is not None
    statistics = schema.statistics
    ids = {
        name: encoder.ids_in({key: writer.read(name, key) for key in ("ids:request", "ids:item")})
        for name in NAMES
    }
    labels, times, unit = writer.read("train", "labels"), None, "s"
    if statistics.form != "out_of_fold":
        times = complete_column(table, str(schema.time), "times the rows").filter(splits == 0)
        unit = unit_of(times)
    rates = fit_rates(
        schema.statistic_columns,
        ids["train"],
        labels,
        form=statistics.form,
        prior=statistics.prior,
        regression=schema.regression,
        time=None if times is None else schema.time,
        unit=unit,
    )
    shapes = rates.shapes(len(labels))
    out = {key: writer.allocate("train", key, shape) for key, shape in shapes.items()}
    rates.encode_training(ids["train"], labels, times, out)
    for name in NAMES[1:]:
        rows = len(writer.read(name, "labels"))
        for start in range(0, rows, RATE_ROWS):
            part = {key: array[start : start + RATE_ROWS] for key, array in ids[name].items()}
            writer.append(name, rates.encode(part))
    return dataclasses.replace(encoder, rates=rates)


def _select(arrays: Arrays, rows: Array) -> dict[str, Any]:
    return {
        key: array.take(rows) if isinstance(array, Ragged) else np.take(array, rows, axis=0)
        for key, array in arrays.items()
    }
