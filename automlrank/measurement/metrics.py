"""Metrics of ranking (AUC, AUC within groups, log loss) and of regression (RMSE, MAE).

NumPy alone: exported code copies them. Labels of a binary task are 0 or 1; rows whose label is NaN
are ignored. A metric that is not defined (one class only, no rows, a score that is NaN) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def midranks(values: npt.ArrayLike) -> Floats:
    """Return ranks from 1; equal values share the mean of their ranks. ``[n]``, O(n log n)."""
    _, which, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks


def auc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Probability that a positive row outscores a negative one; a tie counts half.

    ``(sum of the positives' ranks - p (p + 1) / 2) / (p n)`` for ``p`` positives and ``n``
    negatives (Mann and Whitney, 1947). Both arguments ``[rows]``.
    """
    truth, score = np.asarray(labels, np.float64), np.asarray(scores)
    known = ~np.isnan(truth)
    positive, score = truth[known] == 1, score[known]
    p = int(positive.sum())
    n = positive.size - p
    if not p or not n or np.isnan(score).any():
        return math.nan
    won = midranks(score)[positive].sum() - p * (p + 1) / 2
    return float(won / (p * n))


def group_aucs(
    labels: npt.ArrayLike, scores: npt.ArrayLike, groups: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """AUC and number of rows of each group that has both classes; O(n log n) for all groups.

    Arguments ``[rows]``, results ``[groups]``. A single NaN score makes every AUC NaN.
    """
    truth = np.asarray(labels, np.float64)
    known = ~np.isnan(truth)
    positive, score = truth[known] == 1, np.asarray(scores)[known]
    group = np.unique(np.asarray(groups)[known], return_inverse=True)[1]
    order = np.lexsort((score, group))
    positive, score, group = positive[order], score[order], group[order]
    first = np.ones(group.size, bool)  # of a run of rows with one group and one score
    first[1:] = (score[1:] != score[:-1]) | (group[1:] != group[:-1])
    start = np.flatnonzero(first)
    rank = (start + (np.diff(start, append=group.size) + 1) / 2)[np.cumsum(first) - 1]
    rows = np.bincount(group)
    rank -= (np.cumsum(rows) - rows)[group]  # from 1 within each group
    if np.isnan(score).any():
        rank[:] = math.nan
    p = np.bincount(group, positive)
    mixed = (p > 0) & (p < rows)
    won = np.bincount(group, rank * positive) - p * (p + 1) / 2
    aucs: Floats = won[mixed] / (p * (rows - p))[mixed]
    return aucs, rows[mixed].astype(np.float64)


def gauc(labels: npt.ArrayLike, scores: npt.ArrayLike, groups: npt.ArrayLike) -> float:
    """Mean of the groups' AUC, weighted by their rows; groups of one class are left out.

    All arguments ``[rows]`` (Zhu et al., KDD 2017, https://arxiv.org/abs/1703.02091).
    """
    aucs, rows = group_aucs(labels, scores, groups)
    return float(np.average(aucs, weights=rows)) if rows.size else math.nan


def cross_entropies(labels: npt.ArrayLike, logits: npt.ArrayLike) -> Floats:
    """Cross entropy of each labelled row in nats: ``log(1 + exp(-z))``, z of its true class."""
    truth, logit = np.asarray(labels, np.float64), np.asarray(logits, np.float64)
    known = ~np.isnan(truth)
    against = (1 - 2 * truth[known]) * logit[known]
    if np.isnan(against).any():
        return np.full(against.size, math.nan)
    losses: Floats = np.logaddexp(0.0, against)
    return losses


def logloss(labels: npt.ArrayLike, logits: npt.ArrayLike) -> float:
    """Mean cross entropy of the labelled rows. Both arguments ``[rows]``."""
    losses = cross_entropies(labels, logits)
    return float(losses.mean()) if losses.size else math.nan


def rmse(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """Root mean squared error of the labelled rows, in the units of the label."""
    truth = np.asarray(labels, np.float64)
    known = ~np.isnan(truth)
    errors = np.asarray(predictions, np.float64)[known] - truth[known]
    return float(np.sqrt(np.mean(errors**2))) if errors.size else math.nan


def mae(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """Mean absolute error of the labelled rows, in the units of the label."""
    truth = np.asarray(labels, np.float64)
    known = ~np.isnan(truth)
    errors = np.asarray(predictions, np.float64)[known] - truth[known]
    return float(np.mean(np.abs(errors))) if errors.size else math.nan


@dataclass(frozen=True)
class Metric:
    """A metric of one task, of the weighted mean of several, or of the schema's fused score.

    A fused metric judges the schema's score by the labels of its tasks; its value stands beside
    the tasks' own scores under the metric's name.
    """

    name: str
    """Text that ``parse_metric`` reads."""
    label: str
    """Name in reports."""
    up: bool
    """True if more is better."""
    grouped: bool
    """True if every row needs a group."""
    function: Callable[..., float]
    """Function of labels, logits or values, and groups if ``grouped``."""
    kind: str = "binary"
    """Kind of the tasks that it judges; others are scored by their default metric."""
    of_order: bool = False
    """True if it depends on the order of the scores alone, whatever their scale."""
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Weights of the tasks whose scores are averaged; empty for the primary task's score."""
    fused: bool = False
    """True for a metric of the schema's fused score."""

    @property
    def base(self) -> Metric:
        """Metric that scores each task."""
        return next(metric for metric in METRICS.values() if metric.function is self.function)

    def better(self, a: float, b: float) -> bool:
        """Return True if ``a`` is strictly better than ``b``."""
        return a > b if self.up else a < b

    def overall(self, scores: Mapping[str, float]) -> float:
        """Combine the scores by task into one number.

        It is the primary task's score, which comes first, or the weighted mean, or the value that
        stands under the name of a fused metric.
        """
        if self.fused:
            return scores[self.name]
        if not self.weights:
            return next(iter(scores.values()))
        total = sum(weight * scores[task] for task, weight in self.weights.items())
        return total / sum(self.weights.values())


AUC = Metric("auc", "AUC", up=True, grouped=False, function=auc, of_order=True)
GAUC = Metric("gauc", "GAUC", up=True, grouped=True, function=gauc, of_order=True)
LOGLOSS = Metric("logloss", "log loss", up=False, grouped=False, function=logloss)
RMSE = Metric("rmse", "RMSE", up=False, grouped=False, function=rmse, kind="regression")
MAE = Metric("mae", "MAE", up=False, grouped=False, function=mae, kind="regression")

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in (AUC, GAUC, LOGLOSS, RMSE, MAE)}
"""Metrics of one task by name."""
USUAL: Mapping[str, Metric] = {"binary": AUC, "regression": RMSE}
"""Default metric of a task by its kind."""


def metric_of(metric: Metric, kind: str) -> Metric:
    """Return the metric for tasks of a kind in a search for ``metric``: its base if it fits.

    ``rmse`` beside ``gauc`` for a regression task, ``auc`` beside ``mae`` for a binary one.
    """
    return metric.base if metric.kind == kind else USUAL[kind]


def evaluate(
    metric: Metric,
    labels: npt.ArrayLike,
    logits: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
) -> float:
    """Return a metric of one task; raises ValueError if it needs groups and gets none."""
    if not metric.grouped:
        return metric.function(labels, logits)
    if groups is None:
        raise ValueError(f"{metric.name} needs a group for each row, but got none.")
    return metric.function(labels, logits, groups)
