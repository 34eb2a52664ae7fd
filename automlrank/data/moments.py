"""Statistics that transforms are fitted to: moments over chunks, quantiles of sorted numbers."""

from __future__ import annotations

import math

import numpy as np

from automlrank.data.values import Array, signed_log

POINTS = 1000  # of a quantile transform


class Moments:
    """Mean and deviation of numbers that come in chunks (Chan et al., 1979)."""

    def __init__(self, log: bool) -> None:
        self.log = log
        self.n, self.mean, self.squares = 0, 0.0, 0.0
        self.low, self.high = np.inf, -np.inf

    def add(self, x: Array) -> None:
        x = x[~np.isnan(x)]
        if not len(x):
            return
        if self.log:
            x = signed_log(x)
        n, mean = len(x), float(x.mean())
        apart = mean - self.mean
        self.squares += float(((x - mean) ** 2).sum()) + apart**2 * self.n * n / (self.n + n)
        self.mean += apart * n / (self.n + n)
        self.n += n
        self.low, self.high = min(self.low, float(x.min())), max(self.high, float(x.max()))

    @property
    def scale(self) -> float:
        """1 / the deviation; 0 where all numbers are equal, whose deviation is not always 0.

        It is 0 as well where the squares of the deviations are too small for a float.
        """
        if self.low == self.high or not self.squares:
            return 0.0
        return math.sqrt(self.n) / math.sqrt(self.squares)  # their quotient may be infinite


def edges_of(x: Array, buckets: int) -> tuple[float, ...]:
    """Edges between ``buckets`` ranges of equally many of the sorted numbers, each once."""
    if not len(x):
        return ()
    at = np.arange(1, buckets) * len(x) // buckets
    edges = np.unique(x[at])
    return tuple(float(edge) for edge in edges[edges > x[0]])


def shares_of(x: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Points of the sorted numbers and the mean share of rows at or below each."""
    if not len(x):
        return (0.0,), (0.5,)
    points = np.unique(x[np.linspace(0, len(x) - 1, POINTS).astype(np.int64)])
    below, upto = (np.searchsorted(x, points, side=side) for side in ("left", "right"))
    return tuple(map(float, points)), tuple(map(float, (below + upto) / (2 * len(x))))
