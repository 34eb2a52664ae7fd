"""Rules on histories: they must hold neither future behaviours nor the row's own item."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from automlrank.audit.sample_view import MIN_ROWS, SampleView, listed, shown
from automlrank.data.times import as_seconds, as_times, unit_of
from automlrank.data.values import Array, EncodingError, as_lists, as_text, flatten
from automlrank.documents import dump
from automlrank.schema import CategoricalFeature, HistoryFeature

LAST_SHARE, LAST_GAP = 0.9, 0.2


def future_behaviours(view: SampleView) -> Iterator[str]:
    """Yield the histories that hold behaviours of the row's own time or later."""
    time = view.schema.time
    timed = {
        f.time: f for f in view.features(HistoryFeature) if isinstance(f, HistoryFeature) and f.time
    }
    for name, feature in timed.items() if time else ():
        try:
            lists = as_lists(view.frame[name], feature.separator)
            last, now = _seconds(_latest(lists)), _seconds(view.frame[str(time)])
        except EncodingError as error:  # before encoding, as in an inspection
            yield str(error)
            continue
        known = ~np.isnan(last) & ~np.isnan(now)
        late = int((last >= now)[known].sum())
        if late:
            yield (
                f"{shown(feature.sequence)}: {late:,} of {known.sum():,} histories "
                f"({late / known.sum():.1%}) hold behaviours at or after the row's own time, by "
                f"{shown(name)}. Keep only earlier ones."
            )


def split_at_random(view: SampleView) -> Iterator[str]:
    """Yield the histories of rows that are split at random: they hold the rows of other splits."""
    if view.schema.split.by != "random":
        return
    found = {}
    for feature in view.features(HistoryFeature):
        assert isinstance(feature, HistoryFeature)
        lengths = as_lists(view.frame[feature.source], feature.separator).list.len()
        if share := float((lengths > 0).sum()) / max(1, view.frame.height):
            found[feature.name] = share
    if found:
        time = view.schema.time
        known = time is not None and not view.frame[time].null_count()
        split = dump({"split": {"by": "time", "column": time}}).strip()
        remedy = f"Write {split}." if known else "Split by time."
        yield (
            f"{listed(found, '{:.0%}')}: that share of rows has a history, but rows are split at "
            "random: histories of training rows tell what happened in rows of valid and test. "
            f"{remedy}"
        )


def _latest(lists: pl.Series) -> pl.Series:
    """Return the latest time of each list; null for an empty one."""
    flat, starts = flatten(lists)
    times = as_times(flat.alias(lists.name))
    rows = np.repeat(np.arange(len(lists)), np.diff(starts))
    latest = pl.DataFrame({"row": rows, "time": times}).group_by("row").agg(pl.col("time").max())
    every = pl.DataFrame({"row": np.arange(len(lists))})
    joined = every.join(latest, on="row", how="left", maintain_order="left")
    return joined["time"].alias(lists.name)


def _seconds(times: pl.Series) -> Array:
    times = as_times(times)
    if times.dtype.is_float():
        times = times.set(~times.is_finite().fill_null(False), None)
    return as_seconds(times, unit_of(times))


def answer_in_history(view: SampleView) -> Iterator[str]:
    """Yield the histories that end with the row's own candidate if the label is 1."""
    if view.schema.tasks[0].kind != "binary":
        return
    label = view.label[view.splits == 0]
    for feature in view.features(HistoryFeature):
        assert isinstance(feature, HistoryFeature)
        if not isinstance(view.schema.feature(feature.of), CategoricalFeature):
            continue
        last = as_lists(view.train[feature.source], feature.separator).list.last()
        same = as_text(last.alias("last")) == as_text(view.train[view.schema.source(feature.of)])
        known = same.is_not_null().to_numpy()
        equal = same.fill_null(False).to_numpy()
        positive, negative = (equal[known & (label == value)] for value in (1, 0))
        if len(positive) < MIN_ROWS:
            continue
        share, other = float(positive.mean()), float(negative.mean()) if len(negative) else 0.0
        if share >= LAST_SHARE and share - other >= LAST_GAP:
            yield (
                f"{shown(feature.name)} ends with the row's own {shown(feature.of)} in {share:.0%} "
                f"of the positive rows and {other:.0%} of the negative ones: it holds the answer. "
                "Keep only earlier behaviours."
            )
