"""How sure an AUC is, and whether two AUCs on the same rows differ.

DeLong's variance by midranks, O(n log n) (DeLong et al., Biometrics 1988; Sun and Xu, IEEE
Signal Processing Letters 2014, https://doi.org/10.1109/LSP.2014.2337313). It holds the sampling
of rows, not the spread between training seeds.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from automlrank.evaluate.metrics import Floats, midranks


def delong_interval(
    labels: npt.ArrayLike, scores: npt.ArrayLike, level: float = 0.95
) -> tuple[float, float, float]:
    """``(auc, low, high)``: the AUC and its interval, ``auc -+ z * se`` cut to [0, 1].

    Arguments ``[rows]``; rows whose label is NaN do not count. Fewer than two rows of a class
    leave ``low`` and ``high`` NaN. Raises ValueError for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"0 < level < 1 must hold, but got {level}.")
    positives, negatives = _placements(labels, scores)
    if not positives.size or not negatives.size:
        return math.nan, math.nan, math.nan
    value = float(positives.mean())
    half = NormalDist().inv_cdf((1 + level) / 2) * _standard_error(positives, negatives)
    if math.isnan(half):
        return value, math.nan, math.nan
    return value, max(0.0, value - half), min(1.0, value + half)


def paired_delong(
    labels: npt.ArrayLike, scores_a: npt.ArrayLike, scores_b: npt.ArrayLike
) -> tuple[float, float]:
    """``(auc_a - auc_b, standard error)`` of two models' scores of the same rows.

    Arguments ``[rows]``; rows whose label is NaN do not count. The pairing takes out what the
    rows have in common, so the error is far below that of two separate intervals.
    """
    positives_a, negatives_a = _placements(labels, scores_a)
    positives_b, negatives_b = _placements(labels, scores_b)
    positives, negatives = positives_a - positives_b, negatives_a - negatives_b
    if not positives.size or not negatives.size:
        return math.nan, math.nan
    return float(positives.mean()), _standard_error(positives, negatives)


def auc_error(auc: float, positives: int, negatives: int) -> float:
    """The standard error of an AUC on so many rows of each class, without the rows themselves.

    ``var = (a (1 - a) + (p - 1) (q1 - a^2) + (n - 1) (q2 - a^2)) / (p n)`` with
    ``q1 = a / (2 - a)`` and ``q2 = 2 a^2 / (1 + a)``: exact for exponential scores (Hanley and
    McNeil, Radiology 1982, https://doi.org/10.1148/radiology.143.1.7063747). NaN without rows of
    both classes.
    """
    if not positives or not negatives:
        return math.nan
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return math.sqrt(max(auc * (1 - auc) + spread, 0.0) / (positives * negatives))


def _placements(labels: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Per positive the share of negatives below it, per negative that of positives above it."""
    truth, score = np.asarray(labels, np.float64), np.asarray(scores)
    known = ~np.isnan(truth)
    positive, score = truth[known] == 1, score[known]
    if np.isnan(score).any():
        return np.full(int(positive.sum()), np.nan), np.full(int((~positive).sum()), np.nan)
    p, n = max(1, int(positive.sum())), max(1, int((~positive).sum()))
    ranks = midranks(score)
    above = (ranks[positive] - midranks(score[positive])) / n
    below = 1 - (ranks[~positive] - midranks(score[~positive])) / p
    return above, below


def _standard_error(positives: Floats, negatives: Floats) -> float:
    if positives.size < 2 or negatives.size < 2:
        return math.nan
    variance = positives.var(ddof=1) / positives.size + negatives.var(ddof=1) / negatives.size
    return float(np.sqrt(variance))
