"""Sampling error of a metric over a split's rows: of one task, several tasks or a fused score."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automlrank.data.dataset import Dataset
from automlrank.measurement.fusion import fused
from automlrank.measurement.metrics import Metric
from automlrank.measurement.significance import Sampling, joint_sampling, sampling
from automlrank.schema import Schema

Rows = npt.NDArray[np.bool_]
Logits = npt.NDArray[Any]
Sampler = Callable[[Rows], Sampling]


@dataclasses.dataclass(frozen=True)
class ScoredSeeds:
    """Logits ``[rows, tasks]`` of one training, or a fixed score ``[rows, 1]`` of any scale."""

    logits: Logits
    is_fixed: bool


def task_of(metric: Metric, schema: Schema) -> int:
    """Return the index of the task that is reported: the metric's first, or the primary one."""
    names = [task.name for task in schema.tasks]
    return names.index(next(iter(metric.weights), names[0]))


def sampler(data: Dataset, split: str, metric: Metric, runs: Sequence[ScoredSeeds]) -> Sampler:
    """Return a function that samples all runs' metric on chosen rows of a split.

    A fixed score belongs to one task and takes no part in a metric of several.
    """
    labels, groups = data.labels(split), data.groups(split)
    if metric.fused:
        return score_sampler(data, split, metric, runs, dict(data.schema.score))
    if len(metric.weights) > 1:
        scores = np.stack([run.logits for run in runs], axis=2)
        return lambda rows: joint_sampling(
            metric, _tasks(data), _of_rows(labels, rows), scores, groups
        )
    task = task_of(metric, data.schema)
    column = np.nan_to_num(np.stack([run.logits[:, task] for run in runs], axis=1))
    return lambda rows: sampling(metric.base, _of_rows(labels, rows)[:, task], column, groups)


def score_sampler(
    data: Dataset,
    split: str,
    metric: Metric,
    runs: Sequence[ScoredSeeds],
    weights: dict[str, float],
) -> Sampler:
    """Return a function that samples the fused score's metric by the labels of weighted tasks.

    Every task is scored by the one fused score; a fixed score stands for it.
    """
    labels, groups, exponents = data.labels("test"), data.groups("test"), data.schema.exponents
    known = [run.logits[:, 0] if run.is_fixed else fused(run.logits, exponents) for run in runs]
    columns = np.nan_to_num(np.stack(known, axis=1))
    scores = np.broadcast_to(columns[:, None], (len(columns), len(exponents), len(runs)))
    mean = dataclasses.replace(metric.base, weights=weights)
    return lambda rows: joint_sampling(mean, _tasks(data), _of_rows(labels, rows), scores, groups)


def _tasks(data: Dataset) -> list[str]:
    return [task.name for task in data.schema.tasks]


def _of_rows(labels: Logits, rows: Rows) -> Logits:
    """Return the labels of chosen rows, NaN elsewhere."""
    return np.where(rows[:, None], labels, np.nan)
