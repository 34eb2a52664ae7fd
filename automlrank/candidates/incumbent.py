"""The incumbent (the user's current model) as a baseline: a score column of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from automlrank.candidates.baseline import BaselineRun, Logits, Scores, WithoutArchitecture
from automlrank.candidates.evaluator import Evaluator
from automlrank.measurement.fusion import judged
from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import evaluate
from automlrank.runs.folder import RunFolder


@dataclass(frozen=True)
class FixedRun:
    """Scores from a column of the table; rows without a score are ignored."""

    evaluator: Evaluator

    @property
    def facts(self) -> Mapping[str, Any]:
        return {}

    def scores(self, split: str) -> Scores:
        data, metric = self.evaluator.data, self.evaluator.metric
        logits = self.logits(split)[:, 0]
        judge = partial(evaluate, metric, groups=data.groups(split))
        labels = where_scored(data.labels(split).T, logits).T
        if metric.fused:
            return {metric.name: judged(judge, labels, logits, data.schema.exponents)}
        return {data.schema.tasks[0].name: judge(labels[:, 0], logits)}

    def logits(self, split: str) -> Logits:
        scores = self.evaluator.data.incumbent(split)
        assert scores is not None
        return scores[:, None]

    def latency(self) -> Latency | None:
        return None

    def keep(self, folder: RunFolder) -> None:
        """Write nothing: the store has the scores."""


@dataclass(frozen=True)
class Incumbent(WithoutArchitecture):
    """The current model, known by its score: of the primary task, or the fused score."""

    is_fixed: ClassVar[bool] = True

    @property
    def settings(self) -> object:
        return self.summary

    def train(self, evaluator: Evaluator, seed: int, what: str) -> BaselineRun:
        return FixedRun(evaluator)

    def served(self, evaluator: Evaluator, folder: RunFolder) -> None:
        return None


def where_scored(labels: Logits, *scores: Logits) -> Logits:
    """Return the labels with NaN for rows, the last axis, that a score does not know."""
    unknown = np.isnan(np.stack(scores)).any(axis=0)
    return np.where(unknown, np.nan, labels)
