"""One trial: draw, look for a twin, count, measure, train, record."""

from __future__ import annotations

import time
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.architecture import Architecture, draw
from automlrank.space.value import Space
from automlrank.trials.bench import Bench, TimeIsUp, reason_of, seed_of
from automlrank.trials.folder import RunFolder
from automlrank.trials.records_of import REPLACED
from automlrank.trials.suggest import decider

TRAINING_SEEDS = 1  # the stream of seeds that trials train with; finalists have another


class Objective:
    """The function that Optuna minimises and maximises: ``(metric, p50 latency)``."""

    def __init__(self, space: Space, bench: Bench, folder: RunFolder) -> None:
        self.space = space
        self.bench = bench
        self.folder = folder

    def __call__(self, trial: optuna.Trial) -> tuple[float, float]:
        began = time.perf_counter()
        try:
            architecture = draw(self.space, decider(trial))
            note(
                trial,
                fingerprint=architecture.fingerprint,
                architecture=architecture.to_data(),
                summary=architecture.summary,
            )
            twin = find_twin(trial, architecture.fingerprint)
            return self.answer(trial, twin) if twin else self.train(trial, architecture)
        except optuna.TrialPruned:
            raise
        except KeyboardInterrupt:
            note(trial, cut_off=True, reason="interrupted")
            raise
        except Exception as error:
            note(trial, reason=reason_of(error))
            raise
        finally:
            note(trial, seconds=round(time.perf_counter() - began, 3))

    def answer(self, trial: optuna.Trial, twin: FrozenTrial) -> tuple[float, float]:
        """A duplicate gets its twin's values; without any it is pruned, so TPE moves on."""
        note(
            trial,
            state="duplicate",
            duplicate_of=twin.number,
            reason=f"the same architecture as trial {twin.number}",
        )
        if twin.state != TrialState.COMPLETE:
            raise optuna.TrialPruned
        for key in ("cost", "latency_ms", "valid", "rows_seen", "zero_shares"):
            note(trial, **{key: twin.user_attrs[key]})
        return twin.values[0], twin.values[1]

    def train(self, trial: optuna.Trial, architecture: Architecture) -> tuple[float, float]:
        bench, goal = self.bench, self.bench.goal
        counted = bench.cost(architecture)
        note(trial, cost=vars(counted))
        if goal.parameters and counted.parameters > goal.parameters:
            over(trial, "parameters", counted.parameters, goal.parameters)
        seed = seed_of(goal.seed, TRAINING_SEEDS, trial.number)
        model = bench.build(architecture, seed)
        latency = bench.latency(model)
        note(trial, latency_ms=vars(latency))
        if goal.latency_ms and latency.p50 > goal.latency_ms:
            over(trial, "latency_ms", latency.p50, goal.latency_ms)
        note(trial, began=True)
        try:
            trained = bench.train(model, architecture, seed, f"trial {trial.number}")
        except TimeIsUp:
            note(trial, cut_off=True, reason="the search's time was up")
            raise optuna.TrialPruned from None
        valid = bench.scores(trained.scores)
        note(trial, valid=valid, rows_seen=trained.rows, zero_shares=dict(trained.zero_shares))
        self.folder.keep(architecture, trained)
        return valid[goal.metric], latency.p50


def over(trial: optuna.Trial, what: str, value: float, limit: float) -> None:
    """End a trial that exceeds a limit, with the excess as a constraint for the sampler."""
    trial.set_constraint(what, value - limit)
    note(trial, state="over_budget", reason=f"{what} {value:g} over the limit of {limit:g}")
    raise optuna.TrialPruned


def note(trial: optuna.Trial, **attributes: Any) -> None:
    """Write user attributes: a finished trial takes no more."""
    for key, value in attributes.items():
        trial.set_user_attr(key, value)


def find_twin(trial: optuna.Trial, fingerprint: str) -> FrozenTrial | None:
    """An earlier trial of the same architecture that was not cut off from outside."""
    replaced = trial.study.user_attrs.get(REPLACED, [])
    twins = [
        other
        for other in trial.study.get_trials(deepcopy=False)
        if other.number < trial.number
        and other.user_attrs.get("fingerprint") == fingerprint
        and "duplicate_of" not in other.user_attrs
        and "cut_off" not in other.user_attrs
        and other.number not in replaced
    ]
    return min(twins, key=lambda twin: twin.state != TrialState.COMPLETE, default=None)
