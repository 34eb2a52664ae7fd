"""Rules on the values of single columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from automlrank.audit.sample_view import (
    MIN_ROWS,
    SampleView,
    known_numbers,
    listed,
)
from automlrank.data.inference.columns import LEAST_AMOUNTS
from automlrank.data.inference.names import is_id
from automlrank.data.values import Array, as_text
from automlrank.schema import CategoricalFeature, NumericFeature

CONSTANT_SHARE = 0.999  # the most constant ones of kuairand and census have .995 and .990
SENTINEL_SHARE = 0.001
SENTINELS = [-1, *(sign * (10**n - 1) for n in range(1, 10) for sign in (-1, 1) if n * sign != 1)]
WHOLE_BELOW: dict[type[pl.DataType], int] = {pl.Float32: 2**24, pl.Float64: 2**53}  # a float's bits


def unique_ids(view: SampleView) -> Iterator[str]:
    if view.unique:
        yield (
            f"{listed(view.unique, '{:.0%}')}: distinct values per training row; such an id hardly "
            "ever repeats: nothing is learnt for it. Leave it out."
        )


def constants(view: SampleView) -> Iterator[str]:
    found = {}
    for feature in view.features(CategoricalFeature, NumericFeature):
        counts = as_text(view.train[feature.source].alias("value")).value_counts(name="rows")
        most = counts["rows"].max()
        share = most / max(1, view.train.height) if isinstance(most, int) else 0.0
        if share >= CONSTANT_SHARE:
            found[feature.source] = share
    if found:
        yield (
            f"{listed(found, '{:.2%}')}: nearly constant: that share of training rows has one "
            "value. Leave it out, unless the rare rows matter."
        )


def unseen(view: SampleView) -> Iterator[str]:
    yield from view.unknown or ()
    found = {}
    for feature in view.features(*(() if view.unknown is not None else (CategoricalFeature,))):
        values = as_text(view.valid[feature.source]).drop_nulls()
        if len(values) >= MIN_ROWS and feature.source not in view.unique:
            seen = as_text(view.train[feature.source]).unique()
            found[feature.source] = 1 - float(values.is_in(seen.implode()).mean() or 0)  # type: ignore[arg-type]
    for name, share in _out_of_range(view).items():
        found[name] = max(share, found.get(name, 0.0))  # a column may be an id and a number
    found = {name: share for name, share in found.items() if share >= view.max_unknown}
    if found:
        yield (
            f"{listed(found, '{:.0%}')}: that share of validation rows has a value that no "
            "training row has. A date, or a count that grows? Leave it out, or split at random."
        )


def _out_of_range(view: SampleView) -> dict[str, float]:
    """Return the share of validation rows beyond the training range, by numeric column."""
    found = {}
    for feature in view.features(NumericFeature):
        train, valid = (known_numbers(rows[feature.source]) for rows in (view.train, view.valid))
        if len(train) and len(valid) >= MIN_ROWS:
            found[feature.source] = float(np.mean((valid < train.min()) | (valid > train.max())))
    return found


def sentinels(view: SampleView) -> Iterator[str]:
    found: dict[str, float] = {}
    for feature in view.features(NumericFeature):
        values = known_numbers(view.train[feature.source])
        for code in {values.min(), values.max()} if len(values) else ():
            if (share := _sentinel_share(values, code)) >= SENTINEL_SHARE:
                found[f"{feature.source} = {code:g}"] = share
    if found:
        yield (
            f"{listed(found, '{:.1%}')}: that share of training rows holds what looks like a code "
            "for unknown, far from all other values. Make it null."
        )


def _sentinel_share(values: Array, code: float) -> float:
    """Return the share of an extreme that stands apart: -1 below 0, 999 and such twice the next."""
    others = values[values != code]
    if code not in SENTINELS or not len(others):
        return 0.0
    if code == -1:
        apart = others.min() >= 0
    else:
        apart = others.min() > code / 2 if code < 0 else others.max() < code / 2
    return 1 - len(others) / len(values) if apart else 0.0


def float_ids(view: SampleView) -> Iterator[str]:
    numbers: dict[str, float] = {}
    merged: dict[str, float] = {}
    ids = {feature.source for feature in view.features(CategoricalFeature)}
    for feature in view.features(NumericFeature, CategoricalFeature):
        column = view.frame[feature.source]
        if not column.dtype.is_numeric():
            continue
        values = known_numbers(column)
        whole = len(values) > 0 and bool((values == np.round(values)).all())
        limit = WHOLE_BELOW.get(type(column.dtype))
        if limit and whole and np.abs(values).max() >= limit:
            merged[feature.source] = float(np.abs(values).max())
        elif feature.source not in ids and whole and is_id(feature.source):
            distinct = len(np.unique(values))
            if distinct >= LEAST_AMOUNTS:
                numbers[feature.source] = distinct
    if merged:
        yield (
            f"{listed(merged, 'up to {:.3g}')}: ids stored as floats that are too large for them: "
            "neighbours have become one. Store them as whole numbers or text."
        )
    if numbers:
        yield (
            f"{listed(numbers, '{:,.0f} distinct')}: whole numbers named like an id, but taken as "
            "amounts. Make it categorical."
        )


def spellings(view: SampleView) -> Iterator[str]:
    """Yield the columns with texts that differ only by case."""
    found = {}
    for feature in view.features(CategoricalFeature):
        column = view.frame[feature.source]
        if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
            continue
        values = as_text(column).drop_nulls().unique().sort().alias("value").to_frame()
        values = values.with_columns(form=pl.col("value").str.to_lowercase())
        twins = values.filter(pl.len().over("form") > 1).sort("form")
        if twins.height:
            first, second = (repr(value) for value in twins["value"].head(2))
            extra = twins.height - twins["form"].n_unique()
            found[feature.source] = f"{extra:,}, such as {first} and {second}"
    if found:
        yield (
            f"{listed(found, '{}')}: that many values differ from another only by case. "
            "Make them one."
        )
