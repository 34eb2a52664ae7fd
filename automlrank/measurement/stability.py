"""Stability of an architecture: agreement of its seeds, beside what rows and peers explain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from automlrank.measurement.metrics import AUC, GAUC, Metric
from automlrank.measurement.significance import Sampling, Spread

TIMES = 6.0
"""Deviation between seeds that is no chance, in those that rows and peers explain.

Of three normal seeds it comes by chance once in e^-36 beside exact ones, and in less than 1 % of
searches with three peers or more, whose median is rough.
"""
SHARE = 0.01
"""Least deviation that counts, as a share of a score (of AUC above .5): a failed seed loses more.

Peers without any deviation (a convex model, trees) would else make every other one unstable.
"""


def unstable(found: Sampling, seeds: Mapping[str, Sequence[int]], metric: Metric) -> set[str]:
    """Return the architectures whose seeds disagree beyond what rows and peers explain.

    The deviation between seeds is held against the deviation that rows explain, as far as the
    seeds do not share it, and against the median of the other architectures' deviations. ``seeds``
    are the indices of each architecture's models in ``found``; single seeds show no deviation.
    """
    several = {key: own for key, own in seeds.items() if len(own) > 1}
    spreads = {key: found.spread(own).variance for key, own in several.items()}
    return {
        key
        for key, own in several.items()
        if math.sqrt(spreads[key]) > SHARE * _lead(found, own, metric)
        and spreads[key] > TIMES**2 * max(_unshared(found, own), _typical(spreads, key))
    }


def pooled_spread(found: Sampling, seeds: Mapping[str, Sequence[int]]) -> Spread | None:
    """Return the spread between seeds over several architectures; None without two seeds of one."""
    each = [found.spread(own) for own in seeds.values()]
    degrees = sum(one.degrees for one in each)
    if not degrees:
        return None
    return Spread(sum(one.variance * one.degrees for one in each) / degrees, degrees)


def _lead(found: Sampling, seeds: Sequence[int], metric: Metric) -> float:
    """Return the size of an architecture's score: of AUC above chance."""
    value = float(median(found.values[list(seeds)].tolist()))
    return abs(value - 0.5) if metric.base in (AUC, GAUC) else abs(value)


def _unshared(found: Sampling, seeds: Sequence[int]) -> float:
    """Return the variance over draws of rows that the seeds do not share; 0 if it is not known."""
    own = found.covariance[list(seeds), list(seeds)].mean() - found.shared(seeds)
    return max(float(own), 0.0) if math.isfinite(own) else 0.0


def _typical(spreads: Mapping[str, float], key: str) -> float:
    """Return the median variance between seeds of the other architectures; 0 without others."""
    return median([value for other, value in spreads.items() if other != key] or [0.0])
