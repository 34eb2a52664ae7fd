"""Who stops a trial at a rung: our halving with two objectives, Optuna's pruner with one, or none.

Optuna raises NotImplementedError for ``report`` and ``should_prune`` with two objectives, and its
TPE fails on intermediate values there. So a trial's values at a rung are kept in its user
attributes, where no sampler looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from automlrank.study.halving import ParetoHalving
from automlrank.study.rungs import SPACING, Rungs

RUNG = "rung:"  # prefix of a trial's attributes: [metric, latency] at so many training rows
STOPPED = "stopped_at"  # a trial's attribute: the rung at which halving stopped it
PEERS = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)
"""A failed trial broke or is being retried; a waiting one has not begun."""


class Pruner(Protocol):
    """What an objective asks at a rung."""

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        """Whether the trial, with this metric after ``rung`` training rows, is to end here."""


class NoPruner:
    """Every trial is trained to its end."""

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        return False


@dataclass(frozen=True)
class Halving:
    """Pareto halving among the trials of a study with the objectives (metric, latency).

    Each trial writes its own attributes only, so workers cannot disturb one another; two that judge
    at the same moment may not see each other's stop.
    """

    rule: ParetoHalving = field(default_factory=ParetoHalving)

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        if math.isnan(value):  # one class only in the rung's sample: nothing to compare
            return False
        trial.set_user_attr(f"{RUNG}{rung}", [value, latency])
        others = [
            other
            for other in trial.study.get_trials(deepcopy=False, states=PEERS)
            if other.number != trial.number
        ]
        here = [other.user_attrs.get(f"{RUNG}{rung}") for other in others]
        sign = 1.0 if trial.study.directions[0] == StudyDirection.MAXIMIZE else -1.0
        peers = np.array([point for point in here if point]).reshape(-1, 2) * (sign, 1.0)
        reached = 1 + sum(_reached(other) for other in others)
        stopped = sum(STOPPED in other.user_attrs for other in others)
        stops = self.rule.stops(peers, (sign * value, latency), reached, stopped)
        if stops:
            trial.set_user_attr(STOPPED, rung)
        return stops


class OptunaPruner:
    """The pruner of a study with one objective; latency is a constraint there."""

    def stops(self, trial: optuna.Trial, rung: int, value: float, latency: float) -> bool:
        if math.isnan(value):
            return False
        trial.report(value, rung)
        return trial.should_prune()


def make_pruner(name: str, study: optuna.Study, rungs: Rungs) -> Pruner:
    """A pruner by name for a study.

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


def _reached(trial: FrozenTrial) -> bool:
    return any(key.startswith(RUNG) for key in trial.user_attrs)
