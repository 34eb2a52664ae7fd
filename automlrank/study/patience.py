"""Patience: detect that the last trainings hardly enlarged the hypervolume."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import Dataset
from automlrank.measurement.metrics import AUC, MAE, RMSE, Floats, Metric, metric_of
from automlrank.runs.search_config import PATIENCE
from automlrank.study.attributes import TrialAttributes
from automlrank.study.hypervolume import Point, history

GAIN = 0.005  # share by which the hypervolume must have grown
FIRST = 10  # trainings whose slowest bounds the latency, if there is no budget


def has_no_patience_left(study: optuna.Study, evaluator: Evaluator) -> bool:
    """Return True if the last ``patience`` trainings failed to enlarge the hypervolume."""
    config = evaluator.config
    if not config.patience:
        return False
    floor = evaluator.metric.overall(floors(evaluator.data, evaluator.metric))
    return search_stands_still(study, floor, config.latency_ms, config.patience)


def search_stands_still(
    study: optuna.Study, floor: float, budget_ms: float | None, patience: int
) -> bool:
    """Return True if the last trainings of a study gained nothing.

    The hypervolume is measured from ``floor`` and the budget. With one objective the best metric
    counts, whatever its latency.
    """
    points = trainings_of(study)
    if len(study.directions) == 1:
        return stands_still(best_gains(points[:, 0], floor), patience)
    reference = reference_point(floor, points[:, 1].tolist(), budget_ms)
    return reference is not None and stands_still(history(points, reference), patience)


def stands_still(areas: Sequence[float], patience: int = PATIENCE, gain: float = GAIN) -> bool:
    """Return True if the last ``patience`` trials raised the area by a share ``gain`` at most.

    As long as the area is 0, a search is still looking and does not stand still.
    """
    if len(areas) <= patience:
        return False
    before = areas[-1 - patience]
    return before > 0 and areas[-1] <= before * (1 + gain)


def best_gains(gains: Floats, floor: float) -> list[float]:
    """Return the best gain above the floor after each trial; NaN is the gain of a stopped one."""
    above = np.nan_to_num(gains - floor, nan=0.0).clip(min=0.0)
    best: list[float] = np.maximum.accumulate(above).tolist()
    return best


def reference_point(
    floor: float, latencies: Sequence[float], budget_ms: float | None
) -> Point | None:
    """Return a search's reference, which is the same from its first answer on.

    Its gain is ``floor``; its latency the budget or, without one, twice the slowest of the first
    ten trainings (a pruned one has a latency too); None before there are ten.
    """
    if budget_ms is not None:
        return floor, budget_ms
    return (floor, 2 * max(latencies[:FIRST])) if len(latencies) >= FIRST else None


def floors(data: Dataset, metric: Metric) -> dict[str, float]:
    """Return the gain of a model that knows nothing, by task, and of the fused score."""
    labels, tasks = data.labels("valid"), data.schema.tasks
    found = {
        task.name: floor_of(metric_of(metric, task.kind), labels[:, i])
        for i, task in enumerate(tasks)
    }
    return {**found, metric.name: floor_of(AUC, labels[:, 0])}


def floor_of(metric: Metric, labels: npt.ArrayLike) -> float:
    """Return the gain of the best constant prediction: .5 of an AUC, else minus the least loss.

    The least loss is the labels' entropy, their standard deviation (RMSE), or their mean distance
    from the median (MAE); 0 without labels. ``labels`` ``[rows]``, null is NaN.
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
    """Return ``[n, 2]``: (gain, latency) of all trainings in the order in which they ended.

    The gain of a stopped trial is NaN. Duplicates and trials over a limit were not trained.
    """
    sign = 1.0 if study.directions[0] == StudyDirection.MAXIMIZE else -1.0
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    trials = sorted(
        (
            trial
            for trial in study.get_trials(deepcopy=False, states=states)
            if TrialAttributes(trial).began and TrialAttributes(trial).latency_ms is not None
        ),
        key=lambda trial: (trial.datetime_complete, trial.number),
    )
    points = [
        (sign * trial.values[0] if trial.values else math.nan, _p50(TrialAttributes(trial)))
        for trial in trials
    ]
    return np.array(points, np.float64).reshape(-1, 2)


def _p50(attributes: TrialAttributes) -> float:
    assert attributes.latency_ms is not None
    return float(attributes.latency_ms["p50"])
