"""Fit the encoder: vocabularies, scales and edges, from the training rows alone."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from automlrank.data.columns import (
    BagColumn,
    BucketColumn,
    Column,
    HistoryColumn,
    IdColumn,
    NumberColumn,
    TimesColumn,
    VectorColumn,
)
from automlrank.data.counts import Counts
from automlrank.data.moments import Moments, edges_of, shares_of
from automlrank.data.table import Table
from automlrank.data.times import DATES, UNITS, unit_of
from automlrank.data.transform import Encoder
from automlrank.data.values import (
    Array,
    EncodingError,
    as_lists,
    as_numbers,
    counted_from,
    flatten,
    text_of,
)
from automlrank.schema import (
    CategoricalFeature,
    Feature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    VectorFeature,
)

UNIFORM = np.sqrt(12.0)  # 1 / the deviation of a uniform number


def fit(table: Table, schema: Schema, is_train: Array) -> Encoder:
    """The encoder of a schema's features, fitted on the rows where ``is_train``.

    A vocabulary is ordered by frequency, then value (numbers before text), so that it does not
    depend on the order of rows. It counts the values of every column that shares it; what occurs
    in histories only counts there. Raises EncodingError for a value that cannot be encoded.
    """
    return _Fitting(table, schema, is_train).encoder()


class _Fitting:
    """One pass over the training rows for counts and moments; quantiles column by column."""

    def __init__(self, table: Table, schema: Schema, is_train: Array) -> None:
        self.table, self.schema, self.is_train = table, schema, is_train
        self.sources = {f.name: f.source for f in schema.features}
        self.owners = {
            f.name: schema.owner(f.name)
            for f in schema.features
            if isinstance(f, CategoricalFeature | MultiFeature | HistoryFeature)
        }
        self.buckets = {
            f.name: f.buckets
            for f in schema.features
            if isinstance(f, CategoricalFeature | MultiFeature) and f.buckets and not f.shared_with
        }
        self.lists = {
            f.name: self.list_column(f)
            for f in schema.features
            if isinstance(f, MultiFeature | HistoryFeature)
        }
        self.counted = [name for name, owner in self.owners.items() if owner not in self.buckets]
        self.counts = {self.owners[name]: Counts() for name in self.counted}
        histories = [f.name for f in schema.of_role("history") if f.name in self.counted]
        self.behaviours = {self.owners[name]: Counts() for name in histories}
        self.moments = {
            f.name: Moments(f.transform == "log")
            for f in schema.of_role("numbers")
            if f.transform in ("standard", "log")
        }

    def encoder(self) -> Encoder:
        reads = dict.fromkeys(self.sources[name] for name in (*self.counted, *self.moments))
        start = 0
        for chunk in self.table.chunks(list(reads)) if reads else ():
            with counted_from(start):
                self.add(chunk, self.is_train[start : start + chunk.height])
            start += chunk.height
        columns = [column for f in self.schema.features for column in self.columns(f)]
        vocabularies = self.vocabularies()
        return Encoder(tuple(columns), vocabularies, self.buckets, forms=self.table.forms)

    def vocabularies(self) -> dict[str, pl.Series]:
        """Every vocabulary, computed in parallel."""
        queries = [
            counts.vocabulary(self.schema.feature(owner).min_count, self.behaviours.get(owner))  # type: ignore[union-attr]
            for owner, counts in self.counts.items()
        ]
        found = (frame.to_series() for frame in pl.collect_all(queries))
        return dict(zip(self.counts, found, strict=True))

    def train_parts(self, name: str) -> Iterator[pl.Series]:
        """A column's values of training rows, chunk by chunk."""
        start = 0
        for chunk in self.table.chunks([name]):
            yield chunk[name].filter(self.is_train[start : start + chunk.height])
            start += chunk.height

    def add(self, chunk: pl.DataFrame, mask: Array) -> None:
        """Count the chunk's training rows."""
        rows = chunk if mask.all() else chunk.filter(mask)
        values = [self.values(name, rows[self.sources[name]]) for name in self.counted]
        partial = pl.collect_all(
            [
                v.lazy()
                .group_by("value")
                .len("count")
                .select(text_of("value", v.schema["value"]), "count")
                for v in values
            ]
        )
        for name, counted in zip(self.counted, partial, strict=True):
            is_history = isinstance(self.schema.feature(name), HistoryFeature)
            (self.behaviours if is_history else self.counts)[self.owners[name]].add(counted)
        for name, moments in self.moments.items():
            moments.add(as_numbers(chunk[self.sources[name]])[mask])

    def values(self, name: str, column: pl.Series) -> pl.DataFrame:
        """The values that count: those of all lists, end to end, that encoding keeps."""
        if name in self.lists:
            column = flatten(self.lists[name].lists(column))[0]
        return column.alias("value").to_frame()

    def list_column(self, feature: MultiFeature | HistoryFeature) -> BagColumn | HistoryColumn:
        named, owner = _named(feature), self.owners[feature.name]
        settings = (feature.separator, feature.max_length)
        if isinstance(feature, MultiFeature):
            return BagColumn(*named, owner, *settings)
        return HistoryColumn(*named, owner, feature.sequence, *settings)

    def columns(self, feature: Feature) -> Iterator[Column]:
        """The encoder's columns of a feature."""
        named, name = _named(feature), feature.name
        match feature:
            case CategoricalFeature():
                yield IdColumn(*named, self.owners[name])
            case MultiFeature():
                yield self.lists[name]
            case VectorFeature(separator=separator):
                yield VectorColumn(*named, self.vector_size(feature), separator)
            case NumericFeature():
                yield self.number(feature)
            case HistoryFeature(sequence=sequence):
                yield self.lists[name]
                if feature == self.schema.timed(sequence):
                    yield self.times(feature)

    def times(self, feature: HistoryFeature) -> TimesColumn:
        assert feature.time is not None
        assert self.schema.time is not None
        behaviours = (
            flatten(as_lists(part, feature.separator))[0].alias(feature.time)
            for part in self.train_parts(feature.time)
        )
        return TimesColumn(
            feature.time,
            feature.side != "item",
            feature.sequence,
            row=self.schema.time,
            unit=_unit(behaviours),
            row_unit=_unit(self.train_parts(self.schema.time)),
            separator=feature.separator,
            max_length=feature.max_length,
            session_minutes=feature.session_minutes,
        )

    def vector_size(self, feature: VectorFeature) -> int:
        """The length that most rows have, and of equally many the shortest."""
        counts: Counter[int] = Counter()
        for part in self.train_parts(feature.source):
            lengths = as_lists(part, feature.separator).list.len().drop_nulls()
            counts.update(dict(lengths.value_counts().iter_rows()))
        del counts[0]
        if not counts:
            raise EncodingError(f"column {feature.source!r} holds no vector in the training rows.")
        return min(counts, key=lambda size: (-counts[size], size))

    def number(self, feature: NumericFeature) -> Column:
        named = _named(feature)
        if feature.transform in ("quantile", "bucket"):
            x = as_numbers(self.table.column(feature.source))[self.is_train]
            x = np.sort(x[~np.isnan(x)])
            if feature.transform == "bucket":
                return BucketColumn(*named, edges_of(x, feature.buckets))
            points, shares = shares_of(x)
            scale = float(UNIFORM)
            return NumberColumn(*named, mean=0.5, scale=scale, points=points, shares=shares)
        column = NumberColumn(*named, log=feature.transform == "log")
        moments = self.moments.get(feature.name)
        if moments is None or not moments.n:
            return column
        return dataclasses.replace(column, mean=moments.mean, scale=moments.scale)


def _named(feature: Feature) -> tuple[str, str, bool]:
    """Return the first fields of every column of the encoder."""
    return feature.name, feature.source, feature.side != "item"


def _unit(parts: Iterable[pl.Series]) -> str:
    """The unit of times that come in chunks: that of the largest."""
    return max((unit_of(part) for part in parts), key=[*UNITS, DATES].index)
