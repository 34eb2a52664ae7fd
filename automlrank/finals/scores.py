"""What finalists' trainings say together: means over seeds, intervals, and who differs from whom.

Three things stand apart. ``METRIC_low`` and ``METRIC_high`` hold the sampling of test rows for
one trained model, ``METRIC_std`` the spread over seeds, and ``versus`` both: the difference to
another finalist on the same rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from automlrank.candidates.evaluator import by_task
from automlrank.data.dataset import Dataset
from automlrank.finals.breakdown import breakdown
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
from automlrank.schema import Schema

Logits = npt.NDArray[np.float32]
FinalRun = tuple[Mapping[str, Any], Logits]
"""One training: the metric by split and task, and the logits of the test split."""
SHIFT = "shift"
"""What validation would add to the logits of the task whose probabilities are told, where its loss
bends them."""


def final_scores(
    data: Dataset,
    metric: Metric,
    runs: Mapping[str, Sequence[FinalRun]],
    fixed: Collection[str] = (),
) -> dict[str, dict[str, Any]]:
    """``valid`` and ``test`` as a record holds them, by the fingerprint of ``runs``.

    ``fixed`` are those whose scores no seed changes: one run says all, on a scale of its own.
    """
    if not runs:
        return {}
    field = Field.of(data, metric, runs, fixed)
    overall = metric.overall
    parts = breakdown(data, metric, {k: [x for _, x in mine] for k, mine in runs.items()})
    return {
        fingerprint: {
            "valid": {f"{metric.name}_mean": _mean(overall(scores["valid"]) for scores, _ in mine)},
            "test": {
                **_own(metric, data.schema, mine),
                **({} if fingerprint in fixed else field.probabilities(fingerprint)),
                **field.recalibrated(fingerprint, [run.get(SHIFT) for run, _ in mine]),
                **field.sureness(fingerprint),
                **parts.get(fingerprint, {}),
            },
        }
        for fingerprint, mine in runs.items()
    }


@dataclass(frozen=True)
class Field:
    """All finalists' logits ``[rows, runs]`` of one task, and how sure their metric is.

    A score that some rows lack is compared on those that have it.
    """

    metric: Metric
    is_binary: bool
    """Whether the task has probabilities."""
    labels: npt.NDArray[Any]
    logits: Logits
    seeds: Mapping[str, range]
    """Its columns, by fingerprint."""
    fixed: Collection[str]
    sampled: Mapping[str | None, Sampling]
    """On all rows, and on those that a score knows, by the fingerprint of it."""
    by_label: Mapping[str, Mapping[str | None, Sampling]]
    """The same of a fused score, judged by the label of one task."""

    @classmethod
    def of(
        cls,
        data: Dataset,
        metric: Metric,
        runs: Mapping[str, Sequence[FinalRun]],
        fixed: Collection[str],
    ) -> Self:
        task = task_of(metric, data.schema)
        labels = data.labels("test")[:, task]
        logits = np.stack([x[:, task] for mine in runs.values() for _, x in mine], axis=1)
        ends = itertools.accumulate(len(mine) for mine in runs.values())
        seeds = {
            fingerprint: range(end - len(mine), end)
            for (fingerprint, mine), end in zip(runs.items(), ends, strict=True)
        }
        known = {name: ~np.isnan(logits[:, columns[0]]) for name, columns in seeds.items()}
        partial = {name: rows for name, rows in known.items() if not rows.all()}
        masks: dict[str | None, Rows] = {None: np.ones(len(labels), bool)}
        masks.update(partial)
        each = [ScoredSeeds(x, name in fixed) for name, mine in runs.items() for _, x in mine]
        sampled = _on(masks, sampler(data, metric, each))
        by_label = {
            name: _on(masks, score_sampler(data, metric, each, {name: 1.0}))
            for name, _ in data.schema.score
            if metric.fused
        }
        is_binary = data.schema.tasks[task].kind == "binary"
        return cls(metric, is_binary, labels, logits, seeds, fixed, sampled, by_label)

    def probabilities(self, fingerprint: str) -> dict[str, float]:
        """How good predictions are as probabilities, whatever the metric: means over the seeds.

        Values of a regression task are none.
        """
        if not self.is_binary:
            return {}
        columns = self.logits[:, self.seeds[fingerprint]].T
        each = [calibration(self.labels, column) for column in columns]
        return {
            "logloss": _mean(logloss(self.labels, column) for column in columns),
            "calibration": _mean(one.error for one in each),
            "calibration_ratio": _mean(one.ratio for one in each),
        }

    def recalibrated(self, fingerprint: str, shifts: Sequence[float | None]) -> dict[str, float]:
        """The log loss once each seed's logits are shifted; nothing where none are to be."""
        columns = self.logits[:, self.seeds[fingerprint]].T
        losses = [
            logloss(self.labels, column + shift)
            for column, shift in zip(columns, shifts, strict=True)
            if shift is not None
        ]
        return {"logloss_recalibrated": _mean(losses)} if losses else {}

    def sureness(self, fingerprint: str) -> dict[str, Any]:
        """The interval, ``versus``, and the rows where they are not all.

        One seed would not show its spread, so it has no ``versus``; a fixed score has none.
        """
        mine = self.seeds[fingerprint]
        low, high = self.on_rows_of(fingerprint).interval(mine)
        score = {name: self.score(fingerprint, name) for name in self.by_label}
        versus = {
            other: list(self.on_rows_of(fingerprint, other).difference(mine, theirs))
            for other, theirs in self.seeds.items()
            if other != fingerprint and self.shows_spread(fingerprint) and self.shows_spread(other)
        }
        found = {f"{self.metric.name}_low": low, f"{self.metric.name}_high": high, "versus": versus}
        if score:
            found["score"] = score
        if fingerprint in self.sampled:
            found["rows"] = int((~np.isnan(self.logits[:, mine[0]])).sum())
        return found

    def score(self, fingerprint: str, task: str) -> dict[str, float]:
        """How a fused score orders by a task's label: the mean over the seeds, its interval."""
        mine, base = list(self.seeds[fingerprint]), self.metric.base.name
        known = self.by_label[task]
        sampled = known[fingerprint if fingerprint in known else None]
        low, high = sampled.interval(mine)
        value = float(sampled.values[mine].mean())
        return {base: value, f"{base}_low": low, f"{base}_high": high}

    def on_rows_of(self, *fingerprints: str) -> Sampling:
        """The sampling on the rows that every one of them has a score of."""
        return self.sampled[next((name for name in fingerprints if name in self.sampled), None)]

    def shows_spread(self, fingerprint: str) -> bool:
        return fingerprint in self.fixed or len(self.seeds[fingerprint]) > 1


def _on(masks: Mapping[str | None, Rows], sampled: Sampler) -> dict[str | None, Sampling]:
    return {name: sampled(rows) for name, rows in masks.items()}


def _own(metric: Metric, schema: Schema, runs: Sequence[FinalRun]) -> dict[str, Any]:
    """The metric's mean and spread over the seeds, and each task's mean."""
    scores = [run["test"] for run, _ in runs]
    values = [metric.overall(score) for score in scores]
    return {
        metric.name: _mean(values),
        "seeds": len(values),
        f"{metric.name}_std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "tasks": by_task(metric, schema, {k: _mean(s[k] for s in scores) for k in scores[0]}),
    }


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
