"""Scores of finalists over all their trainings: means, intervals, and paired differences.

Three uncertainties are kept apart: the interval covers the sampling of test rows for one trained
model, ``std`` is the spread over seeds, and ``versus`` covers both, for the difference to another
finalist on the same rows.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from automlrank.candidates.evaluator import by_task
from automlrank.data.dataset import Dataset
from automlrank.finals.breakdown import Breakdown, breakdown, mean_of
from automlrank.finals.row_sampling import (
    Rows,
    Sampler,
    ScoredSeeds,
    sampler,
    score_sampler,
    task_of,
)
from automlrank.measurement.calibration import calibration
from automlrank.measurement.metrics import Metric, logloss
from automlrank.measurement.significance import Sampling
from automlrank.runs.scores import (
    FinalScores,
    Interval,
    PairedDifference,
    PartScore,
    Probabilities,
    SeedScores,
    SpecialistScore,
    difference_of,
    finite,
    interval_of,
)
from automlrank.schema import Schema

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FinalRun:
    """One training of a finalist: its scores, and its logits on the test split."""

    scores: SeedScores
    logits: Logits


@dataclass(frozen=True)
class FinalistScores:
    """Scores of a finalist over its seeds."""

    valid_mean: float | None
    test: FinalScores

    def with_seesaw(self, parts: Mapping[str, Mapping[str, SpecialistScore]]) -> Self:
        """Return the scores with the comparisons with specialists."""
        return dataclasses.replace(self, test=dataclasses.replace(self.test, seesaw=parts))


def final_scores(
    data: Dataset,
    metric: Metric,
    runs: Mapping[str, Sequence[FinalRun]],
    fixed: Collection[str] = (),
) -> dict[str, FinalistScores]:
    """Return the scores of the finalists by fingerprint, as ``runs`` are given.

    ``fixed`` are the fingerprints of scores that no seed changes: they have one run, on a scale of
    its own.
    """
    if not runs:
        return {}
    field = JointScores.of(data, metric, runs, fixed)
    parts = breakdown(data, metric, {k: [x.logits for x in mine] for k, mine in runs.items()})
    found = {}
    for key, mine in runs.items():
        own = Breakdown(_tasks(metric, data.schema, mine))
        valid = _mean(metric.overall(run.scores.valid) for run in mine)
        found[key] = FinalistScores(valid, _on_test(field, key, mine, parts.get(key, own)))
    return found


def _on_test(
    field: JointScores, key: str, runs: Sequence[FinalRun], parts: Breakdown
) -> FinalScores:
    values = [field.metric.overall(run.scores.test) for run in runs]
    return FinalScores(
        metric=field.metric,
        value=_mean(values),
        seeds=len(values),
        std=finite(float(np.std(values, ddof=1))) if len(values) > 1 else None,
        interval=field.interval(key),
        tasks=parts.tasks,
        probabilities=field.probabilities(key),
        logloss_recalibrated=field.recalibrated(key, [run.scores.shift for run in runs]),
        versus=field.versus(key),
        by_label={task: field.score_by_label(key, task) for task in field.by_label},
        rows=field.rows(key),
        scenarios=parts.scenarios,
    )


@dataclass(frozen=True)
class JointScores:
    """Logits ``[rows, runs]`` of all finalists for one task, and the sampling of their metric.

    A score that some rows lack is compared on the rows that have it.
    """

    metric: Metric
    is_binary: bool
    """True if the task has probabilities."""
    labels: npt.NDArray[Any]
    logits: Logits
    seeds: Mapping[str, range]
    """Columns of each finalist, by fingerprint."""
    fixed: Collection[str]
    sampled: Mapping[str | None, Sampling]
    """Sampling on all rows (None), and on the rows that a score knows, by its fingerprint."""
    by_label: Mapping[str, Mapping[str | None, Sampling]]
    """The same for a fused score, judged by the label of one task."""

    @classmethod
    def of(
        cls,
        data: Dataset,
        metric: Metric,
        runs: Mapping[str, Sequence[FinalRun]],
        fixed: Collection[str],
    ) -> Self:
        """Return the joint scores of all runs on the test split."""
        task = task_of(metric, data.schema)
        labels = data.labels("test")[:, task]
        logits = np.stack([x.logits[:, task] for mine in runs.values() for x in mine], axis=1)
        ends = itertools.accumulate(len(mine) for mine in runs.values())
        seeds = {
            key: range(end - len(mine), end)
            for (key, mine), end in zip(runs.items(), ends, strict=True)
        }
        masks = _masks(logits, seeds)
        each = [ScoredSeeds(x.logits, key in fixed) for key, mine in runs.items() for x in mine]
        by_label = {
            name: _on(masks, score_sampler(data, metric, each, {name: 1.0}))
            for name, _ in data.schema.score
            if metric.fused
        }
        sampled = _on(masks, sampler(data, metric, each))
        is_binary = data.schema.tasks[task].kind == "binary"
        return cls(metric, is_binary, labels, logits, seeds, fixed, sampled, by_label)

    def probabilities(self, key: str) -> Probabilities | None:
        """Return the quality of the predictions as probabilities.

        A regression task and a score on a scale of its own have none.
        """
        if not self.is_binary or key in self.fixed:
            return None
        columns = self.logits[:, self.seeds[key]].T
        each = [calibration(self.labels, column) for column in columns]
        return Probabilities(
            logloss=_mean(logloss(self.labels, column) for column in columns),
            calibration=_mean(one.error for one in each),
            calibration_ratio=_mean(one.ratio for one in each),
        )

    def recalibrated(self, key: str, shifts: Sequence[float | None]) -> float | None:
        """Return the log loss once each seed's logits are shifted, or None without shifts."""
        columns = self.logits[:, self.seeds[key]].T
        losses = [
            logloss(self.labels, column + shift)
            for column, shift in zip(columns, shifts, strict=True)
            if shift is not None
        ]
        return _mean(losses) if losses else None

    def interval(self, key: str) -> Interval:
        """Return the interval of one trained model."""
        return interval_of(self.on_rows_of(key).interval(self.seeds[key]))

    def rows(self, key: str) -> int | None:
        """Return the number of rows with a score, or None if all have one."""
        if key not in self.sampled:
            return None
        return int((~np.isnan(self.logits[:, self.seeds[key][0]])).sum())

    def versus(self, key: str) -> dict[str, PairedDifference]:
        """Return the differences to other finalists.

        One seed would not show its spread and has none; a fixed score has no spread to show.
        """
        mine = self.seeds[key]
        return {
            other: difference_of(self.on_rows_of(key, other).difference(mine, theirs))
            for other, theirs in self.seeds.items()
            if other != key and self.shows_spread(key) and self.shows_spread(other)
        }

    def score_by_label(self, key: str, task: str) -> PartScore:
        """Return the score of a fused score by a task's label: the mean over the seeds."""
        known = self.by_label[task]
        sampled = known[key if key in known else None]
        return PartScore(self.metric.base, *mean_of(sampled, self.seeds[key]))

    def on_rows_of(self, *keys: str) -> Sampling:
        """Return the sampling on the rows that every one of the finalists has a score of."""
        return self.sampled[next((key for key in keys if key in self.sampled), None)]

    def shows_spread(self, key: str) -> bool:
        """Return True if the spread over seeds is known, or there is none."""
        return key in self.fixed or len(self.seeds[key]) > 1


def _masks(logits: Logits, seeds: Mapping[str, range]) -> dict[str | None, Rows]:
    """Return all rows (None), and for each finalist that lacks some the rows that it scores."""
    known = {key: ~np.isnan(logits[:, columns[0]]) for key, columns in seeds.items()}
    masks: dict[str | None, Rows] = {None: np.ones(len(logits), bool)}
    masks.update({key: rows for key, rows in known.items() if not rows.all()})
    return masks


def _on(masks: Mapping[str | None, Rows], sampled: Sampler) -> dict[str | None, Sampling]:
    return {key: sampled(rows) for key, rows in masks.items()}


def _tasks(metric: Metric, schema: Schema, runs: Sequence[FinalRun]) -> dict[str, PartScore]:
    """Return each task's mean over the seeds."""
    scores = [run.scores.test for run in runs]
    means = {task: float(np.mean([score[task] for score in scores])) for task in scores[0]}
    return by_task(metric, schema, means)


def _mean(values: Iterable[float]) -> float | None:
    return finite(float(np.mean(list(values))))
