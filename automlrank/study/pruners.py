"""Pruners stop a trial at a rung: halving with two objectives, Optuna's with one, or none.

Optuna raises NotImplementedError for ``report`` and ``should_prune`` with two objectives, and its
TPE fails on intermediate values there. Therefore a trial's values at a rung are kept in its user
attributes, which no sampler reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from automlrank.study.attributes import TrialAttributes
from automlrank.study.halving import ParetoHalving
from automlrank.study.rungs import SPACING, Rungs

PEERS = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)
"""States in which a trial counts: a failed one broke or is retried, a waiting one has not begun."""


class Pruner(Protocol):
    """Decides at each rung if a trial continues."""

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        """Return True if a trial with this metric after ``rung`` training rows stops here."""


class NoPruner:
    """Every trial is trained to its end."""

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        return False


@dataclass(frozen=True)
class Halving:
    """Pareto halving among the trials of a study with the objectives (metric, latency).

    Each trial writes only its own attributes: workers cannot disturb one another. Two that judge at
    the same moment may not see each other's stop.
    """

    rule: ParetoHalving = field(default_factory=ParetoHalving)

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        if math.isnan(value):  # one class only in the rung's sample: nothing to compare
            return False
        attributes = TrialAttributes(trial)
        attributes.keep_rung(rung, value, latency)
        others = [
            TrialAttributes(other)
            for other in trial.study.get_trials(deepcopy=False, states=PEERS)
            if other.number != trial.number
        ]
        sign = 1.0 if trial.study.directions[0] == StudyDirection.MAXIMIZE else -1.0
        points = [point for other in others if (point := other.at_rung(rung))]
        peers = np.array(points).reshape(-1, 2) * (sign, 1.0)
        reached = 1 + sum(other.has_reached_a_rung for other in others)
        stopped = sum(other.stopped_at is not None for other in others)
        stops = self.rule.stops(peers, (sign * value, latency), reached, stopped)
        if stops:
            attributes.stopped_at = rung
        return stops


class OptunaPruner:
    """The study's own pruner, with one objective; latency is a constraint there."""

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        if math.isnan(value):
            return False
        trial.report(value, rung)
        return trial.should_prune()


def make_pruner(name: str, study: optuna.Study, rungs: Rungs) -> Pruner:
    """Return a pruner by its name.

    With one objective ``halving`` is Optuna's own, which becomes the study's pruner.
    """
    if name == "none":
        return NoPruner()
    if len(study.directions) > 1:
        return Halving()
    study.pruner = optuna.pruners.SuccessiveHalvingPruner(
        min_resource=rungs.first, reduction_factor=SPACING
    )
    return OptunaPruner()
