"""Sample of rows that the rules inspect, with figures that several rules share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from automlrank.audit.frames import with_lists
from automlrank.data.check import is_list, is_plain
from automlrank.data.inference.when import UNIQUE_SHARE
from automlrank.data.split import Labels
from automlrank.data.union import item_of
from automlrank.data.unknown import UNKNOWN_SHARE
from automlrank.data.values import Array, as_lists
from automlrank.measurement.metrics import auc, midranks
from automlrank.schema import CategoricalFeature, Feature, Schema

PRIOR = 5.0  # rows at the mean rate, so that a value of one row is not certain
RANGES = 50
LAST_ITEMS = 20  # last items of a list that count; a row's mean hardly changes with more
# Single columns of kuairand for is_click: long_view, an outcome, has .851, then come video_id,
# author_id, music_id, duration_ms and user_id with .659 to .651; for is_like user_id has .756 and
# the next one .716. Census has twelve honest ones from .862 down to .755, no two neighbours more
# than .04 apart. So columns are suspect from .9 on, or from .75 on if the next best is .1 below;
# by such a gap at most a quarter of the columns are. The correlations are those of normal values
# whose pairs are in the right order as often: sin(pi (2 AUC - 1) / 2).
SUSPECT_SHARE = 0.25
MIN_ROWS = 50  # fewer give no share worth saying
SHOWN = 5  # columns in a sentence


@dataclass(frozen=True)
class Alone:
    """Measure of the information of a single column about a label of some kind, and its bounds."""

    label: str
    judge: Callable[[Array, Array], float]
    certain: float
    suspect: float
    gap: float
    nothing: float
    """Figure of a column without information."""


def rank_correlation(labels: Array, scores: Array) -> float:
    """Return Spearman's correlation; NaN if either has a single value. Both ``[rows]``."""
    x, y = (ranks - ranks.mean() for ranks in (midranks(labels), midranks(scores)))
    spread = math.sqrt((x @ x) * (y @ y))
    return float(x @ y) / spread if spread else math.nan


ALONE = {
    "binary": Alone("AUC", auc, certain=0.9, suspect=0.75, gap=0.1, nothing=0.5),
    "regression": Alone(
        "rank correlation", rank_correlation, certain=0.95, suspect=0.7, gap=0.2, nothing=0.0
    ),
}


def column_figure(column: pl.Series, label: Array, alone: Alone, splits: Labels) -> float | None:
    """Return the figure of one column on validation rows, each value scored by its training rate.

    ``(sum of labels + prior * mean) / (rows + prior)`` for each value; of numbers also for each of
    50 ranges with equally many rows, and the better one counts; of a list the mean of its items',
    or the rate of its length if items cannot be compared. None if it is not defined.
    """
    known = np.isin(label, (0.0, 1.0)) if alone.judge is auc else ~np.isnan(label)
    train, valid = (splits == 0) & known, (splits == 1) & known
    if not train.any() or not valid.any():
        return None
    scores = (_score(key, label, train, valid) for key in _keys(column, train))
    found = [value for s in scores if not math.isnan(value := alone.judge(label[valid], s))]
    return max(found, default=None)


def _keys(column: pl.Series, train: Array) -> list[pl.Series]:
    """Return the keys of rates: the values, or their ranges; none for a constant column."""
    kind = column.dtype
    if is_list(kind):
        lists = as_lists(column, None)
        item = item_of(kind)
        if item.is_float():
            return [_ranges(lists.list.mean(), train)]
        return [lists if is_plain(item) else lists.list.len()]
    if not is_plain(kind) or kind == pl.Null:
        return []
    if kind.is_temporal():
        column = column.to_physical()
    if kind.is_decimal():
        column = column.cast(pl.Float64)
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.n_unique() == 1:
        return []
    return [column, _ranges(column, train)] if column.dtype.is_numeric() else [column]


def _ranges(column: pl.Series, train: Array) -> pl.Series:
    """Return the number of the range of each value; null stays null."""
    known = column.is_not_null().to_numpy()
    values = column.cast(pl.Float64).fill_null(0.0).to_numpy()
    ordered = np.sort(values[known & train])
    if not len(ordered):
        return pl.repeat(None, len(column), dtype=pl.Int64, eager=True)
    places = np.linspace(0, len(ordered) - 1, RANGES + 1).astype(np.int64)[1:-1]
    return pl.Series(np.searchsorted(ordered[places], values)).set(pl.Series(~known), None)


def _score(key: pl.Series, label: Array, train: Array, valid: Array) -> Array:
    """Return the smoothed training rate of each row's value or items: ``[validation rows]``."""
    mean = float(label[train].mean())
    rows = pl.DataFrame({"key": key, "y": label, "train": train, "valid": valid})
    rows = rows.filter(train | valid).with_row_index("row")
    if is_list(key.dtype):
        rows = rows.with_columns(pl.col("key").list.tail(LAST_ITEMS))
        rows = rows.explode("key", empty_as_null=True)
    rates = (
        rows.filter("train")
        .group_by("key")
        .agg(rate=(pl.col("y").sum() + PRIOR * mean) / (pl.len() + PRIOR))
    )
    scored = rows.filter("valid").join(rates, on="key", how="left", nulls_equal=True)
    score = scored.group_by("row").agg(pl.col("rate").fill_null(mean).mean()).sort("row")
    return score["rate"].to_numpy()


def labels_of(frame: pl.DataFrame, name: str) -> Array:
    """Return labels ``[rows]`` as float64, NaN for all but finite numbers."""
    column = frame[name].cast(pl.Float64)
    numbers: Array = column.set(~column.is_finite().fill_null(False), math.nan).to_numpy()
    return numbers


def shown(name: str) -> str:
    """Return a column's name on one line."""
    return name if name.isprintable() else ascii(name)[1:-1]


def listed(found: Mapping[str, object], form: str) -> str:
    """Return ``a (0.91), b (0.90) and 12 more``."""
    named = [f"{shown(name)} ({form.format(value)})" for name, value in found.items()]
    rest = len(named) - SHOWN
    return ", ".join(named[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def known_numbers(column: pl.Series) -> Array:
    """Return the finite numbers of a column."""
    values: Array = column.cast(pl.Float64).drop_nulls().to_numpy()
    return values[np.isfinite(values)]


def auc_error(rows: int) -> float:
    """Return the standard error of an AUC of .5 from the rows of the rarer class."""
    return 0.29 / math.sqrt(max(1, rows))  # sqrt(1 / 12 rows)


@dataclass(frozen=True)
class SampleView:
    """Sampled rows with their schema and split, and figures that several rules share."""

    frame: pl.DataFrame
    schema: Schema
    splits: Labels
    set_aside: tuple[str, ...]
    known_figures: Mapping[str, float | None] | None
    whole: bool = True
    """All columns of the table are there."""
    refused: frozenset[str] = frozenset()
    """Tasks whose labels cannot be used."""
    unknown: tuple[str, ...] | None = None
    """Sentences on unknown ids, if they are known already."""
    max_unknown: float = UNKNOWN_SHARE

    @cached_property
    def train(self) -> pl.DataFrame:
        return self.frame.filter(self.splits == 0)

    @cached_property
    def valid(self) -> pl.DataFrame:
        return self.frame.filter(self.splits == 1)

    @cached_property
    def label(self) -> Array:
        """The primary label; NaN if it is neither 0 nor 1 in a binary task."""
        label = labels_of(self.frame, self.schema.tasks[0].name)
        if self.schema.tasks[0].kind != "binary":
            return label
        return np.where(np.isin(label, (0.0, 1.0)), label, math.nan)

    @property
    def alone(self) -> Alone:
        """The measure for single columns."""
        return ALONE[self.schema.tasks[0].kind]

    @cached_property
    def figures(self) -> dict[str, float]:
        """The figure of each feature and each column set aside, highest first."""
        names = [*(feature.source for feature in self.schema.features), *self.set_aside]
        known = self.known_figures
        frame = with_lists(self.frame, self.schema) if known is None else self.frame
        found = {
            name: column_figure(frame[name], self.label, self.alone, self.splits)
            if known is None
            else known.get(name)
            for name in names
        }
        kept = {name: value for name, value in found.items() if value is not None}
        return dict(sorted(kept.items(), key=lambda item: -item[1]))

    @cached_property
    def leaks(self) -> dict[str, float]:
        """The suspiciously informative columns; the rule is given above."""
        bounds, figures = self.alone, self.figures
        values = [*figures.values(), bounds.nothing]
        most = max(1, math.floor(SUSPECT_SHARE * len(figures)))
        gaps = [
            n
            for n in range(1, min(most, len(figures)) + 1)
            if values[n - 1] >= bounds.suspect and values[n - 1] - values[n] >= bounds.gap
        ]
        certain = sum(value >= bounds.certain for value in figures.values())
        beyond_noise = sum(value - 2 * self.error >= bounds.suspect for value in figures.values())
        return dict(list(figures.items())[: min(beyond_noise, max([certain, *gaps]))])

    @property
    def error(self) -> float:
        """The standard error of the figure of a column without information."""
        label = self.label[self.splits == 1]
        if self.schema.tasks[0].kind == "binary":
            return auc_error(min((label == 0).sum(), (label == 1).sum()))
        return 1 / math.sqrt(max(1, int((~np.isnan(label)).sum())))

    @cached_property
    def unique(self) -> dict[str, float]:
        """Distinct values per training row of the ids that hardly ever repeat."""
        found = {}
        for feature in self.features(CategoricalFeature):
            column = self.train[feature.source].drop_nulls()
            if len(column) >= MIN_ROWS and column.n_unique() >= UNIQUE_SHARE * len(column):
                found[feature.source] = column.n_unique() / len(column)
        return found

    def features(self, *kinds: type[Feature]) -> Iterator[Feature]:
        """Return the features of these kinds."""
        return (feature for feature in self.schema.features if isinstance(feature, kinds))
