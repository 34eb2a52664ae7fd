"""The paired bootstrap: all models see the same resamples, which pairs their differences.

Units (rows, or groups of rows) are drawn with replacement; a resample is how often each was
drawn (Efron and Tibshirani, An Introduction to the Bootstrap, 1993).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from automlrank.measurement.metrics import Floats

RESAMPLES = 1000  # a standard error from so many has itself an error of 1 / sqrt(2 * 1000) = 2.2 %
COUNTS = 2**20  # held at once: 8 MiB

Statistic = Callable[[Floats], Floats]
"""Function of counts ``[resamples, units]`` that returns values ``[resamples, models]``."""


def bootstrap(
    statistic: Statistic, units: int, *, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Return the statistic of every model in every resample, ``[resamples, models]``.

    Raises ValueError without units, or for fewer than two resamples.
    """
    if units < 1 or resamples < 2:
        raise ValueError(
            f"units >= 1 and resamples >= 2 must hold, but got {units=}, {resamples=}."
        )
    draw = np.random.default_rng(seed)
    at_once = max(1, COUNTS // units)
    parts = []
    for start in range(0, resamples, at_once):
        n = min(at_once, resamples - start)
        drawn = draw.integers(0, units, (n, units)) + units * np.arange(n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n * units).reshape(n, units)
        parts.append(statistic(counts.astype(np.float64)))
    return np.concatenate(parts)


def weighted_mean(values: Floats, weights: Floats) -> Statistic:
    """Return the mean of the drawn units' values ``[units, models]`` by weights ``[units]``."""
    weighted = values * weights[:, None]
    return lambda counts: (counts @ weighted) / (counts @ weights)[:, None]
