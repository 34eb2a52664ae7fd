"""Metrics of ranking: AUC, AUC within groups, log loss; of regression: RMSE, MAE.

NumPy alone: exported code copies them. A binary task's labels are 0 or 1; a row whose label is NaN
does not count. A metric that is not defined (one class only, no rows, a score that is NaN) is NaN.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def midranks(values: npt.ArrayLike) -> Floats:
    """Ranks from 1; equal values share the mean of their ranks. ``[n]``, O(n log n)."""
    _, which, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks


def auc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """The probability that a positive row outscores a negative one; a tie counts half.

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
    """The AUC of each group that has both classes, and its rows; O(n log n) for all of them.

    Arguments ``[rows]``, results ``[groups]``. One score that is NaN leaves every AUC NaN.
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
    """The mean of the groups' AUC, weighted by their rows; groups of one class do not count.

    All arguments ``[rows]`` (Zhu et al., KDD 2017, https://arxiv.org/abs/1703.02091).
    """
    aucs, rows = group_aucs(labels, scores, groups)
    return float(np.average(aucs, weights=rows)) if rows.size else math.nan


def cross_entropies(labels: npt.ArrayLike, logits: npt.ArrayLike) -> Floats:
    """Of each labelled row, in nats: ``log(1 + exp(-z))``, ``z`` the logit of the true class."""
    truth, logit = np.asarray(labels, np.float64), np.asarray(logits, np.float64)
    known = ~np.isnan(truth)
    against = (1 - 2 * truth[known]) * logit[known]
    if np.isnan(against).any():
        return np.full(against.size, math.nan)
    losses: Floats = np.logaddexp(0.0, against)
    return losses


def logloss(labels: npt.ArrayLike, logits: npt.ArrayLike) -> float:
    """The mean cross entropy of the labelled rows. Both arguments ``[rows]``."""
    losses = cross_entropies(labels, logits)
    return float(losses.mean()) if losses.size else math.nan


def rmse(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """The root of the mean squared error of the labelled rows, in the label's units."""
    truth = np.asarray(labels, np.float64)
    known = ~np.isnan(truth)
    errors = np.asarray(predictions, np.float64)[known] - truth[known]
    return float(np.sqrt(np.mean(errors**2))) if errors.size else math.nan


def mae(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """The mean absolute error of the labelled rows, in the label's units."""
    truth = np.asarray(labels, np.float64)
    known = ~np.isnan(truth)
    errors = np.asarray(predictions, np.float64)[known] - truth[known]
    return float(np.mean(np.abs(errors))) if errors.size else math.nan


@dataclass(frozen=True)
class Metric:
    """A metric's name, how people write it, whether more is better, whether it needs groups.

    ``kind`` is that of the tasks that it judges; a task of the other is scored by its usual one.
    ``weights`` are those of the tasks whose scores are averaged; without any it is the primary
    task's. A ``fused`` one is of the schema's score, judged by the labels of its tasks, and
    stands beside the tasks' own scores under its name. ``base`` is the name of what each task is
    scored by.
    """

    name: str
    label: str
    up: bool
    grouped: bool
    function: Callable[..., float]
    kind: str = "binary"
    weights: Mapping[str, float] = field(default_factory=dict)
    fused: bool = False

    @property
    def base(self) -> str:
        return re.split("[:@]", self.name)[0]

    def better(self, a: float, b: float) -> bool:
        """Whether ``a`` is strictly better than ``b``."""
        return a > b if self.up else a < b

    def overall(self, scores: Mapping[str, float]) -> float:
        """One number of the tasks' scores: the primary one's, which is first, or their mean.

        Of a fused metric it is the one beside them.
        """
        if self.fused:
            return scores[self.name]
        if not self.weights:
            return next(iter(scores.values()))
        total = sum(weight * scores[task] for task, weight in self.weights.items())
        return total / sum(self.weights.values())


class Metrics(dict[str, Metric]):
    """Metrics by name; ``auc:is_click=1,auc:long_view=0.5`` names a weighted mean of tasks.

    ``auc@score`` is that of the schema's fused score.
    Raises ValueError with what is wrong where a name names none.
    """

    def __missing__(self, name: str) -> Metric:
        if name in FUSED:
            base = self[name.partition("@")[0]]
            return replace(base, name=name, label=f"{base.label} of the score", fused=True)
        if "@" in name and ":" not in name:
            raise ValueError(f"a fused score is judged by {' or '.join(FUSED)}, but got {name!r}.")
        if ":" not in name:
            raise ValueError(f"metric must be one of {', '.join(self)}, but got {name!r}.")
        parts = list(PART.finditer(name))
        if "".join(part[0] for part in parts) != name:
            raise ValueError(
                f"a metric of several tasks is METRIC:TASK=WEIGHT,METRIC:TASK=WEIGHT, each weight "
                f"above 0, but got {name!r}."
            )
        found = [(p["base"], p["task"], float(p["weight"])) for p in parts]
        bases = list(dict.fromkeys(base for base, _, _ in found))
        weights = {task: weight for _, task, weight in found}
        if len(bases) > 1:
            raise ValueError(f"unlike metrics have no mean, but got {' and '.join(bases)}.")
        if bases[0] not in self:
            raise ValueError(
                f"tasks are averaged by one of {', '.join(self)}, but got {bases[0]!r}."
            )
        if len(weights) < len(found) or not all(weights.values()):
            raise ValueError(f"a task stands once, with a weight above 0, but got {name!r}.")
        label = f"weighted {self[bases[0]].label}"
        if len(weights) == 1:
            label = f"{self[bases[0]].label} of {found[0][1]}"
        return replace(self[bases[0]], name=name, label=label, weights=weights)

    def knows(self, name: str) -> bool:
        """Whether a name is that of a metric, weighted ones included."""
        try:
            return self[name] is not None
        except ValueError:
            return False


PART = re.compile(
    r"\s*(?P<base>\w+):(?P<task>.+?)=(?P<weight>\d+(\.\d+)?)\s*(,(?=\s*\w+:)|$)", re.DOTALL
)
METRICS = Metrics(
    (metric.name, metric)
    for metric in (
        Metric("auc", "AUC", up=True, grouped=False, function=auc),
        Metric("gauc", "GAUC", up=True, grouped=True, function=gauc),
        Metric("logloss", "log loss", up=False, grouped=False, function=logloss),
        Metric("rmse", "RMSE", up=False, grouped=False, function=rmse, kind="regression"),
        Metric("mae", "MAE", up=False, grouped=False, function=mae, kind="regression"),
    )
)


OF_ORDER = ("auc", "gauc")  # metrics that a score on any scale has
FUSED = tuple(f"{name}@score" for name in OF_ORDER)
USUAL = {"binary": "auc", "regression": "rmse"}
"""What a task is scored by unless told, by its kind."""


def judges(kind: str) -> list[str]:
    """The metrics of tasks of a kind."""
    return [name for name, metric in METRICS.items() if metric.kind == kind]


def metric_of(metric: str, kind: str) -> str:
    """What a task of a kind is scored by in a search for ``metric``: the same, if it judges such.

    ``rmse`` beside ``gauc`` for a regression task, ``auc`` beside ``mae`` for a binary one.
    """
    base = METRICS[metric].base
    return base if METRICS[base].kind == kind else USUAL[kind]


def evaluate(
    metric: str,
    labels: npt.ArrayLike,
    logits: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
) -> float:
    """A metric of one task; raises ValueError for an unknown one, or one that lacks its groups."""
    chosen = METRICS[metric]
    if not chosen.grouped:
        return chosen.function(labels, logits)
    if groups is None:
        raise ValueError(f"{metric} needs a group for each row, but got none.")
    return chosen.function(labels, logits, groups)
