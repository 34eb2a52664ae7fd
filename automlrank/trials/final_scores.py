"""What finalists' trainings say together: means over seeds, intervals, and who differs from whom.

Three things stand apart. ``METRIC_low`` and ``METRIC_high`` hold the sampling of test rows for
one trained model, ``METRIC_std`` the spread over seeds, and ``versus`` both: the difference to
another finalist on the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automlrank.data.dataset import Dataset
from automlrank.evaluate.calibration import calibration
from automlrank.evaluate.metrics import logloss
from automlrank.evaluate.significance import Sampling, sampling

Logits = npt.NDArray[np.float32]
FinalRun = tuple[Mapping[str, Any], Logits]
"""One training: the metric by split and task, and the logits of the test split."""


def final_scores(
    data: Dataset, metric: str, runs: Mapping[str, Sequence[FinalRun]]
) -> dict[str, dict[str, Any]]:
    """``valid`` and ``test`` as a record holds them, by the fingerprint of ``runs``."""
    if not runs:
        return {}
    labels, groups = data.labels("test")[:, 0], data.groups("test")
    logits = np.stack([x[:, 0] for mine in runs.values() for _, x in mine], axis=1)
    sampled = sampling(metric, labels, logits, groups)
    seeds: dict[str, range] = {}
    for fingerprint, mine in runs.items():
        start = max((last.stop for last in seeds.values()), default=0)
        seeds[fingerprint] = range(start, start + len(mine))
    task = data.schema.tasks[0].name
    return {
        fingerprint: {
            "valid": {f"{metric}_mean": _mean(scores["valid"][task] for scores, _ in mine)},
            "test": {
                **_own(metric, mine, task),
                **_probabilities(labels, logits[:, seeds[fingerprint]]),
                **_sureness(metric, sampled, seeds, fingerprint),
            },
        }
        for fingerprint, mine in runs.items()
    }


def _own(metric: str, runs: Sequence[FinalRun], task: str) -> dict[str, Any]:
    """The metric's mean and spread over the seeds, and each task's mean."""
    scores = [run["test"] for run, _ in runs]
    values = [score[task] for score in scores]
    return {
        metric: _mean(values),
        "seeds": len(values),
        f"{metric}_std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "tasks": {name: {metric: _mean(s[name] for s in scores)} for name in scores[0]},
    }


def _probabilities(labels: npt.NDArray[Any], logits: Logits) -> dict[str, float]:
    """How good the predictions are as probabilities, whatever the metric: means over the seeds."""
    each = [calibration(labels, column) for column in logits.T]
    return {
        "logloss": _mean(logloss(labels, column) for column in logits.T),
        "calibration": _mean(one.error for one in each),
        "calibration_ratio": _mean(one.ratio for one in each),
    }


def _sureness(
    metric: str, sampled: Sampling, seeds: Mapping[str, Sequence[int]], fingerprint: str
) -> dict[str, Any]:
    """The interval and ``versus``; one seed would not show its spread, so it has no ``versus``."""
    mine = seeds[fingerprint]
    low, high = sampled.interval(mine)
    versus = {
        other: list(sampled.difference(mine, theirs))
        for other, theirs in seeds.items()
        if other != fingerprint and min(len(mine), len(theirs)) > 1
    }
    return {f"{metric}_low": low, f"{metric}_high": high, "versus": versus}


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
