"""Sums of labels by key: over all rows, over other folds, or over earlier rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from automlrank.data.values import Array

FOLDS = 5
SEED = 771_317  # folds are the same in every run, and no one else draws from it
Seen = tuple[Array, Array]  # sums and rows, each [n, tasks]


def sums_by(codes: Array, labels: Array, size: int) -> Seen:
    """Sums of labels and rows with one ``[size, tasks]`` by code."""
    known = ~np.isnan(labels)
    filled = np.where(known, labels, 0.0)
    tasks = range(labels.shape[1])
    sums, rows = (
        np.stack([np.bincount(codes, weights[:, i], size) for i in tasks], axis=1)
        for weights in (filled, known)
    )
    return sums, rows


def out_of_fold(keys: Array, labels: Array) -> Seen:
    """Return each row's sums over all rows outside its fold."""
    names, codes = np.unique(keys, return_inverse=True)
    fold = np.random.default_rng(SEED).integers(FOLDS, size=len(keys))
    sums, rows = sums_by(codes, labels, len(names))
    own_sums, own_rows = sums_by(codes * FOLDS + fold, labels, len(names) * FOLDS)
    own = codes * FOLDS + fold
    return sums[codes] - own_sums[own], rows[codes] - own_rows[own]


def earlier(keys: Array, labels: Array, times: Array) -> Seen:
    """Return each row's sums over all rows of an earlier time."""
    order = np.lexsort((times, keys))
    key, time = keys[order], times[order]
    new_key, new_time = np.diff(key, prepend=-1) != 0, np.diff(time, prepend=np.nan) != 0
    filled = np.nan_to_num(labels[order].astype(np.float64))
    known = ~np.isnan(labels[order])
    first = np.maximum.accumulate(np.where(new_key, np.arange(len(key)), 0))
    block = np.maximum.accumulate(np.where(new_key | new_time, np.arange(len(key)), 0))
    results: list[Any] = []
    for values in (filled, known.astype(np.float64)):
        before = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        result = np.empty_like(values)
        result[order] = before[block] - before[first]
        results.append(result)
    return results[0], results[1]
