"""Watch one trial's training, and stop it at a rung if the pruner decides to."""

from __future__ import annotations

from dataclasses import dataclass

import optuna

from automlrank.candidates.evaluator import Evaluator
from automlrank.model.network import RankingModel
from automlrank.study.attributes import TrialAttributes
from automlrank.study.pruners import Pruner
from automlrank.study.rungs import Rungs
from automlrank.training.loop import score
from automlrank.training.progress import Progress


@dataclass
class RungWatch:
    """Receives a training's progress, and judges the trial at every rung.

    At a rung a trial counts by the best that it has reached: inside the first epoch by its score
    on the rung's sample, at the end of an epoch by its best epoch's.
    """

    evaluator: Evaluator
    rungs: Rungs
    pruner: Pruner
    trial: optuna.Trial
    model: RankingModel
    epochs: int
    latency: float
    rows: int = 0
    """Training rows seen when progress was last reported."""

    def __call__(self, progress: Progress) -> None:
        """Raise TrialPruned if the training has come to a rung and stops there."""
        rung = self.rungs.due(self.rows, progress, self.epochs)
        self.rows = progress.rows
        if rung is None:
            return
        attributes = TrialAttributes(self.trial)
        stops = self.pruner.stops(self.trial, rung, self.value(progress), self.latency)
        if stops and not attributes.is_reference:  # a reference is always trained to its end
            attributes.rows_seen = progress.rows
            attributes.reason = f"behind its peers at {rung:,} rows"
            attributes.stopped_at = rung
            raise optuna.TrialPruned

    def value(self, progress: Progress) -> float:
        """Return the metric that the trial has reached."""
        evaluator, metric = self.evaluator, self.evaluator.metric
        if progress.best is not None:
            return metric.overall(progress.best)
        assert self.rungs.sample is not None
        with evaluator.computing():
            device = evaluator.config.device
            scores = score(self.model, self.rungs.sample, "valid", metric, device)
        return metric.overall(scores)
