"""Scores of finalists over all their trainings: means, intervals, and paired differences.

Three uncertainties are kept apart: the interval covers the sampling of test rows for one trained
model, ``std`` is the spread over seeds, and ``versus`` covers both, for the difference to another
finalist on the same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from automlrank.candidates.evaluator import by_task
from automlrank.data.dataset import Dataset
from automlrank.finals.breakdown import Breakdown, breakdown
from automlrank.finals.joint_scores import FinalRun, JointScores, mean
from automlrank.measurement.metrics import Metric
from automlrank.measurement.stability import pooled_spread, unstable
from automlrank.runs.scores import FinalScores, PartScore, SplitScores, finite
from automlrank.schema import Schema


@dataclass(frozen=True)
class FinalistScores:
    """Scores of a finalist over its seeds: those that it is chosen by, and those on test."""

    valid: SplitScores
    test: FinalScores


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
    field = JointScores.of(data, "test", metric, runs, fixed)
    chosen = validation(JointScores.of(data, "valid", metric, runs, fixed), runs)
    tested = {k: [x.logits["test"] for x in mine] for k, mine in runs.items()}
    parts = breakdown(data, metric, tested)
    found = {}
    for key, mine in runs.items():
        own = Breakdown(_tasks(metric, data.schema, mine))
        found[key] = FinalistScores(chosen[key], _on_test(field, key, mine, parts.get(key, own)))
    return found


def validation(
    field: JointScores, runs: Mapping[str, Sequence[FinalRun]]
) -> dict[str, SplitScores]:
    """Return the scores by which one finalist is chosen, without those of the search.

    The spread between seeds is that of all stable architectures together: with three seeds each,
    an own one would let nearly any two tie.
    """
    everywhere = field.sampled[None]
    own = {key: seeds for key, seeds in field.seeds.items() if key not in field.fixed}
    wild = unstable(everywhere, own, field.metric)
    pooled = pooled_spread(everywhere, {k: seeds for k, seeds in own.items() if k not in wild})
    found = {}
    for key, mine in runs.items():
        seeds = [field.metric.overall(run.scores.valid) for run in mine]
        found[key] = SplitScores(
            metric=field.metric,
            value=None,
            mean=mean(seeds),
            seeds=tuple(finite(score) for score in seeds),
            versus=field.differences(key, own, pooled) if pooled and key in own else {},
            unstable=key in wild,
        )
    return found


def _on_test(
    field: JointScores, key: str, runs: Sequence[FinalRun], parts: Breakdown
) -> FinalScores:
    values = [field.metric.overall(run.scores.test) for run in runs]
    return FinalScores(
        metric=field.metric,
        value=mean(values),
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


def _tasks(metric: Metric, schema: Schema, runs: Sequence[FinalRun]) -> dict[str, PartScore]:
    """Return each task's mean over the seeds."""
    scores = [run.scores.test for run in runs]
    means = {task: float(np.mean([score[task] for score in scores])) for task in scores[0]}
    return by_task(metric, schema, means)
