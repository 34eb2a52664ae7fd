"""How much of the plane a front covers, and whether a search still gains.

Points are (gain, latency): more gain is better, less latency is. The hypervolume is the area that
is dominated by the points and dominates the reference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from automlrank.measurement.metrics import MAE, RMSE, Floats, Metric
from automlrank.runs.search_config import PATIENCE
from automlrank.study.study_records import BEGAN

Point = tuple[float, float]
GAIN = 0.005
FIRST = 10  # trainings whose slowest says what slow is, where there is no budget


def hypervolume(points: npt.ArrayLike, reference: Point) -> float:
    """The area of ``points`` ``[n, 2]``; what does not dominate the reference adds nothing.

    One sweep by latency: between two points' latencies, the area is as high as the best gain so
    far.
    """
    gain, latency = np.asarray(points, np.float64).reshape(-1, 2).T
    inside = (gain > reference[0]) & (latency < reference[1])
    order = np.argsort(latency[inside])
    heights = np.maximum.accumulate(gain[inside][order]) - reference[0]
    widths = np.diff(latency[inside][order], append=reference[1])
    return float(heights @ widths)


def history(points: Floats, reference: Point) -> list[float]:
    """The hypervolume after each point of ``[n, 2]``; a gain of NaN is a trial without a score."""
    front: list[Point] = []
    areas: list[float] = []
    area = 0.0
    for gain, latency in points.tolist():
        inside = gain > reference[0] and latency < reference[1]
        if inside and not any(g >= gain and ms <= latency for g, ms in front):
            front = [(g, ms) for g, ms in front if g > gain or ms < latency]
            front.append((gain, latency))
            area = hypervolume(front, reference)
        areas.append(area)
    return areas


def stands_still(areas: Sequence[float], patience: int = PATIENCE, gain: float = GAIN) -> bool:
    """Whether the last ``patience`` trials raised the hypervolume by no more than a share ``gain``.

    While nothing is covered, a search is still looking and does not stand.
    """
    if len(areas) <= patience:
        return False
    before = areas[-1 - patience]
    return before > 0 and areas[-1] <= before * (1 + gain)


def best_gains(gains: Floats, floor: float) -> list[float]:
    """The best gain above the floor after each; NaN is a trial without a score."""
    above = np.nan_to_num(gains - floor, nan=0.0).clip(min=0.0)
    best: list[float] = np.maximum.accumulate(above).tolist()
    return best


def search_stands_still(
    study: optuna.Study, floor: float, budget_ms: float | None, patience: int
) -> bool:
    """Whether the last trainings of a study gained nothing; ``floor``, budget: the reference's.

    With one objective the best metric counts, whatever its latency.
    """
    points = trainings_of(study)
    if len(study.directions) == 1:
        return stands_still(best_gains(points[:, 0], floor), patience)
    reference = reference_point(floor, points[:, 1].tolist(), budget_ms)
    return reference is not None and stands_still(history(points, reference), patience)


def reference_point(
    floor: float, latencies: Sequence[float], budget_ms: float | None
) -> Point | None:
    """The reference of a search: the same from its first answer on, whatever is found later.

    ``floor`` by the budget or, without one, by twice the slowest of the first ten trainings
    (latency is known of pruned ones too); None before there are ten.
    """
    if budget_ms is not None:
        return floor, budget_ms
    return (floor, 2 * max(latencies[:FIRST])) if len(latencies) >= FIRST else None


def floor_of(metric: Metric, labels: npt.ArrayLike) -> float:
    """The gain of a model that says the same of every row: .5 of an AUC, else minus the least loss.

    That is the labels' entropy, their standard deviation (RMSE), or their mean distance from the
    median (MAE); 0 without labels. ``labels`` ``[rows]``, null is NaN.
    """
    if metric.up:
        return 0.5
    known = np.asarray(labels, np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        return 0.0
    if metric.base == RMSE:
        return -float(known.std())
    if metric.base == MAE:
        return -float(np.abs(known - np.median(known)).mean())
    rates = [rate for rate in (float(known.mean()), 1 - float(known.mean())) if rate > 0]
    return sum(rate * math.log(rate) for rate in rates)


def trainings_of(study: optuna.Study) -> Floats:
    """``[n, 2]`` of (gain, latency) of all trainings that ended, in that order.

    The gain is NaN where a trial was stopped. Duplicates and trials over a limit were not trained.
    """
    sign = 1.0 if study.directions[0] == StudyDirection.MAXIMIZE else -1.0
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    trials = [
        (trial.datetime_complete, trial.number, trial)
        for trial in study.get_trials(deepcopy=False, states=states)
        if trial.user_attrs.get(BEGAN) and "latency_ms" in trial.user_attrs
    ]
    points = [
        (
            sign * trial.values[0] if trial.values else math.nan,
            trial.user_attrs["latency_ms"]["p50"],
        )
        for *_, trial in sorted(trials, key=lambda trial: trial[:2])
    ]
    return np.array(points, np.float64).reshape(-1, 2)
