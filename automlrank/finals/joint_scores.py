"""Logits of all finalists on one split, and the sampling of their metric on the same rows."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from automlrank.data.dataset import Dataset
from automlrank.finals.breakdown import mean_of
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
from automlrank.measurement.significance import Sampling, Spread
from automlrank.runs.scores import (
    Interval,
    PairedDifference,
    PartScore,
    Probabilities,
    SeedScores,
    difference_of,
    finite,
    interval_of,
)

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FinalRun:
    """One training of a finalist: its scores, and its logits by split."""

    scores: SeedScores
    logits: Mapping[str, Logits]


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
        split: str,
        metric: Metric,
        runs: Mapping[str, Sequence[FinalRun]],
        fixed: Collection[str],
    ) -> Self:
        """Return the joint scores of all runs on a split."""
        task = task_of(metric, data.schema)
        labels = data.labels(split)[:, task]
        each = [
            ScoredSeeds(run.logits[split], key in fixed)
            for key, mine in runs.items()
            for run in mine
        ]
        logits = np.stack([one.logits[:, task] for one in each], axis=1)
        ends = itertools.accumulate(len(mine) for mine in runs.values())
        seeds = {
            key: range(end - len(mine), end)
            for (key, mine), end in zip(runs.items(), ends, strict=True)
        }
        masks = _masks(logits, seeds)
        by_label = {
            name: _on(masks, score_sampler(data, split, metric, each, {name: 1.0}))
            for name, _ in data.schema.score
            if metric.fused
        }
        sampled = _on(masks, sampler(data, split, metric, each))
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
            logloss=mean(logloss(self.labels, column) for column in columns),
            calibration=mean(one.error for one in each),
            calibration_ratio=mean(one.ratio for one in each),
        )

    def recalibrated(self, key: str, shifts: Sequence[float | None]) -> float | None:
        """Return the log loss once each seed's logits are shifted, or None without shifts."""
        columns = self.logits[:, self.seeds[key]].T
        losses = [
            logloss(self.labels, column + shift)
            for column, shift in zip(columns, shifts, strict=True)
            if shift is not None
        ]
        return mean(losses) if losses else None

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
        if not self.shows_spread(key):
            return {}
        return self.differences(key, [other for other in self.seeds if self.shows_spread(other)])

    def differences(
        self, key: str, others: Iterable[str], pooled: Spread | None = None
    ) -> dict[str, PairedDifference]:
        """Return the differences to others, by the spread of both, or by a pooled one."""
        mine = self.seeds[key]
        return {
            other: difference_of(
                self.on_rows_of(key, other).difference(mine, self.seeds[other], pooled)
            )
            for other in others
            if other != key
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


def mean(values: Iterable[float]) -> float | None:
    """Return the mean of numbers; None if it is not finite."""
    return finite(float(np.mean(list(values))))
