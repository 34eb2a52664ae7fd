"""Calibration: distance of predicted probabilities from observed rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automlrank.measurement.metrics import midranks

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error, and the mean prediction over the observed rate."""

    error: float
    ratio: float


def calibration(labels: npt.ArrayLike, logits: npt.ArrayLike, bins: int = BINS) -> Calibration:
    """Return the calibration in ``bins`` bins of equal mass along the predictions.

    ``error`` is the sum over bins of ``rows / n |mean prediction - rate|``: by quantiles, since
    click rates crowd at one end (Nixon et al., 2019, https://arxiv.org/abs/1904.01685). Equal
    predictions share a bin, so that the order of rows does not count. Arguments ``[rows]``; a row
    whose label is NaN does not count. NaN without rows, for a logit that is NaN, and ``ratio``
    without positives. Raises ValueError for fewer than one bin.
    """
    if bins < 1:
        raise ValueError(f"bins must be 1 or more, but got {bins}.")
    truth, logit = np.asarray(labels, np.float64), np.asarray(logits, np.float64)
    known = ~np.isnan(truth)
    truth, logit = truth[known], logit[known]
    n = truth.size
    if not n or np.isnan(logit).any():
        return Calibration(math.nan, math.nan)
    predicted = np.exp(-np.logaddexp(0.0, -logit))  # a sigmoid that does not overflow
    which = ((midranks(logit) - 0.5) / n * bins).astype(np.int64)
    gaps = np.bincount(which, predicted - truth)  # rows of the bin times the gap of its means
    ratio = float(predicted.sum() / truth.sum()) if truth.any() else math.nan
    return Calibration(float(np.abs(gaps).sum() / n), ratio)


def intercept(labels: npt.ArrayLike, logits: npt.ArrayLike) -> float:
    """Return the number that, added to all logits, minimises their log loss.

    The mean prediction is then the observed rate; bisection finds it. Arguments ``[rows]``; a
    row whose label is NaN does not count. NaN for one class, or a logit that is NaN.
    """
    truth, logit = np.asarray(labels, np.float64), np.asarray(logits, np.float64)
    known = ~np.isnan(truth)
    truth, logit = truth[known], logit[known]
    if not 0 < truth.sum() < truth.size or np.isnan(logit).any():
        return math.nan
    rate, reach = truth.mean(), np.abs(logit).max() + 40  # beyond, all predictions are 0 or 1
    low, high = -reach, reach
    for _ in range(100):
        middle = (low + high) / 2
        predicted = np.exp(-np.logaddexp(0.0, -logit - middle)).mean()
        low, high = (middle, high) if predicted < rate else (low, middle)
    return float((low + high) / 2)
