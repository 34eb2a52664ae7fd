"""Row weights that give every scenario the same total weight."""

from __future__ import annotations

import numpy as np

from automlrank.data.values import FIRST_ID, Array

MOST = 10.0  # of a row's weight: beyond, few rows of a small scenario would be learned by heart


def scenario_weights(ids: Array) -> Array:
    """Return the weight of each training row, float32, by the id of its scenario ``[rows]``.

    Rows without a scenario, and those of values outside the vocabulary, count 1 and no more.
    """
    values, which, counts = np.unique(ids, return_inverse=True, return_counts=True)
    weights, known = np.ones(len(values), np.float32), values >= FIRST_ID
    weights[known] = equal_weights(counts[known])
    return weights[which]


def equal_weights(counts: Array) -> Array:
    """Return a row's weight in each of ``S`` scenarios: ``n / (S n_s)``, 1 on average.

    ``counts`` are the scenarios' rows. No weight is above ``MOST``: the rest of the share of a
    scenario that is too small is divided equally among the others.
    """
    weights, left = np.empty(len(counts)), float(counts.sum())
    for done, i in enumerate(np.argsort(counts)):  # the smallest first
        weights[i] = min(left / (len(counts) - done) / counts[i], MOST)
        left -= weights[i] * counts[i]
    return weights
