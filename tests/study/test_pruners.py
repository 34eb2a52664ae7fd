"""Pruners in studies: who counts as a peer, where values are kept, what samplers survive."""

from __future__ import annotations

import math

import optuna
import pytest
from optuna.trial import TrialState

from automlrank.study.halving import ParetoHalving
from automlrank.study.pruners import (
    Halving,
    NoPruner,
    OptunaPruner,
    Pruner,
    make_pruner,
)
from automlrank.study.rungs import Rungs
from automlrank.study.samplers import make_sampler

RUNGS = Rungs(1000, None, math.nan)


def two(*directions: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(directions=directions or ["maximize", "minimize"])


def reach(study: optuna.Study, value: float, latency: float, rung: int = 1000) -> bool:
    """A new trial comes to a rung and stays RUNNING; whether it is to stop."""
    return Halving().stops(study.ask(), rung, value, latency)


def test_running_peers_count():
    study = two()
    for i in range(5):
        reach(study, 0.7 + i / 100, 5.0 + i)
    assert all(trial.state == TrialState.RUNNING for trial in study.trials)
    assert reach(study, 0.6, 20.0)
    assert not reach(study, 0.8, 1.0)


@pytest.mark.parametrize(
    ("state", "stops"),
    [(TrialState.COMPLETE, True), (TrialState.PRUNED, True), (TrialState.FAIL, False)],
)
def test_failed_trials_are_no_peers(state, stops):
    study = two()
    for i in range(5):
        reach(study, 0.7 + i / 100, 5.0 + i)
        study.tell(i, [0.7, 5.0] if state == TrialState.COMPLETE else None, state=state)
    assert reach(study, 0.6, 20.0) == stops


def test_a_rungs_peers_are_those_that_reached_it():
    study = two()
    for i in range(5):
        reach(study, 0.7 + i / 100, 5.0 + i, rung=250)
    assert not reach(study, 0.6, 20.0, rung=1000)


def test_a_metric_that_is_minimised_is_better_when_less():
    study = two("minimize", "minimize")
    for i in range(5):
        reach(study, 0.3 + i / 100, 5.0 + i)
    assert not reach(study, 0.2, 20.0)
    assert reach(study, 0.9, 20.0)


def test_a_metric_that_is_not_defined_stops_nobody_and_is_nobodys_peer():
    study = two()
    for i in range(5):
        reach(study, 0.7 + i / 100, 5.0 + i)
    assert not reach(study, math.nan, 20.0)
    assert study.trials[5].user_attrs == {}


def test_values_are_in_user_attributes_only():
    study = two()
    for i in range(7):
        reach(study, 0.75 - i / 64, 5.0 + i)
    assert study.trials[6].user_attrs == {"rung:1000": [0.65625, 11.0], "stopped_at": 1000}
    assert not any(trial.intermediate_values for trial in study.trials)


def test_a_study_of_tpe_survives_50_stopped_trials():
    """Two rungs; at most nine tenths of those that reached one are stopped at any time."""
    study = two()
    study.sampler = make_sampler("tpe", 0, 0)
    pruner = Halving(ParetoHalving(min_peers=3))

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        latency = trial.suggest_float("latency", 1, 20)
        value = 0.5 + trial.suggest_float("value", 0, 0.3)
        if trial.suggest_categorical("block", ["none", "fm"]) == "fm":
            value += trial.suggest_float("fm.gain", 0, 0.01)
        for rung in (250, 1000):
            if pruner.stops(trial, rung, value - 10 / rung, latency):
                raise optuna.TrialPruned
        return value, latency

    stopped = 0
    while stopped < 50:
        study.optimize(objective, n_trials=1)
        stopped = sum("stopped_at" in trial.user_attrs for trial in study.trials)
        assert stopped <= 0.9 * len(study.trials)
        assert len(study.trials) < 200
    assert stopped == sum(trial.state == TrialState.PRUNED for trial in study.trials)
    assert study.best_trials


def test_the_share_counts_trials_of_all_rungs():
    """Twenty trials at one rung let more of the next one's be stopped than its own number would."""
    study = two()
    for _ in range(20):
        assert not reach(study, 0.7, 5.0, rung=250)
    stops = [reach(study, -i, i, rung=1000) for i in range(100)]
    assert not any(stops[:5])
    assert all(stops[5:])


def test_none_stops_nobody():
    study = two()
    pruner = make_pruner("none", study, RUNGS)
    assert isinstance(pruner, NoPruner)
    assert not any(pruner.stops(study.ask(), 1000, -i, i) for i in range(20))


def test_with_one_objective_optunas_own_halving_stops():
    """The first rung is the study's smallest resource; worse than all peers ends there."""
    study = optuna.create_study(direction="maximize")
    pruner = make_pruner("halving", study, RUNGS)
    assert isinstance(pruner, OptunaPruner)
    assert isinstance(study.pruner, optuna.pruners.SuccessiveHalvingPruner)
    assert not pruner.stops(study.ask(), RUNGS.first, 0.7, 1.0)
    assert pruner.stops(study.ask(), RUNGS.first, 0.6, 1.0)
    assert not pruner.stops(study.ask(), RUNGS.first, 0.8, 1.0)
    assert not pruner.stops(study.ask(), RUNGS.first, math.nan, 1.0)


def test_two_objectives_have_our_halving():
    pruner: Pruner = make_pruner("halving", two(), RUNGS)
    assert isinstance(pruner, Halving)
