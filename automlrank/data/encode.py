"""Fit the encoder: vocabularies and scales, from the training rows alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

from automlrank.data.transform import (
    BagColumn,
    Column,
    Encoder,
    EncodingError,
    HistoryColumn,
    IdColumn,
    NumberColumn,
    as_text,
    flatten,
)
from automlrank.errors import DataError
from automlrank.schema import Categorical, Feature, History, Multi, Numeric, Schema


def fit(rows: pl.DataFrame, schema: Schema) -> Encoder:
    """The encoder of a schema's features, fitted on ``rows`` (the training split's).

    A vocabulary is ordered by frequency, then value (numbers before text), so that it does not
    depend on the order of rows. Raises DataError for a number that is not finite.
    """
    try:
        columns = tuple(_column(feature, rows) for feature in schema.features)
        values = {
            feature.name: _vocabulary(_values(column, rows), feature.min_count)
            for feature, column in zip(schema.features, columns, strict=True)
            if isinstance(feature, Categorical | Multi)
        }
    except EncodingError as error:
        raise DataError(str(error)) from None
    return Encoder(columns, values)


def _column(feature: Feature, rows: pl.DataFrame) -> Column:
    name, request = feature.name, feature.side != "item"
    match feature:
        case Categorical():
            return IdColumn(name, request)
        case Multi(separator=separator, max_length=length):
            return BagColumn(name, request, separator, length)
        case History(of=of, sequence=sequence, separator=separator, max_length=length):
            return HistoryColumn(name, request, of, sequence, separator, length)
        case Numeric():
            return _scaled(feature, rows[name])


def _scaled(feature: Numeric, values: pl.Series) -> NumberColumn:
    """The column with the mean and the deviation that its transform leaves."""
    column = NumberColumn(feature.name, feature.side != "item", log=feature.transform == "log")
    x = column.unscaled(values)
    x = x[~np.isnan(x)]
    if feature.transform == "none" or not len(x):
        return column
    constant = x.min() == x.max()  # the deviation of equal numbers is not always exactly 0
    scale = 0.0 if constant else float(1 / x.std())
    return dataclasses.replace(column, mean=float(x.mean()), scale=scale)


def _values(column: Column, rows: pl.DataFrame) -> pl.Series:
    if isinstance(column, BagColumn):
        return flatten(column.lists(rows[column.name]))[0]
    return rows[column.name]


def _vocabulary(values: pl.Series, min_count: int) -> pl.Series:
    counts = pl.DataFrame({"value": as_text(values.rename("value"))}).drop_nulls()
    number = pl.col("value").cast(pl.Float64, strict=False)
    return (
        counts.group_by("value")
        .len("count")
        .filter(pl.col("count") >= min_count)
        .sort(-pl.col("count").cast(pl.Int64), number, "value", nulls_last=[False, True, False])[
            "value"
        ]
    )
