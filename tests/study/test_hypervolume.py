"""Hypervolume against a grid and against Optuna's, and when a search stands still."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume

from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import AUC, GAUC, LOGLOSS, METRICS, RMSE, evaluate
from automlrank.study.hypervolume import history, hypervolume
from automlrank.study.patience import (
    best_gains,
    floor_of,
    floors,
    reference_point,
    search_stands_still,
    stands_still,
    trainings_of,
)

POINTS = st.lists(st.tuples(st.integers(-2, 10), st.integers(-2, 12)), max_size=12)


@given(POINTS)
def test_it_is_the_number_of_cells_that_are_covered(points):
    """On whole numbers: cells above gain 0 and below latency 8 that some point dominates."""
    cells = [(g, ms) for g in range(10) for ms in range(-2, 8)]
    covered = sum(any(p[0] > g and p[1] <= ms for p in points) for g, ms in cells)
    assert hypervolume(points, (0, 8)) == covered


def test_it_agrees_with_optunas():
    rng = np.random.default_rng(0)
    for n in (1, 2, 10, 200):
        points = rng.uniform((0.4, 0), (0.8, 30), size=(n, 2))
        inside = points[(points[:, 0] > 0.5) & (points[:, 1] < 20)]
        theirs = compute_hypervolume(inside * (-1, 1), np.array([-0.5, 20.0]))
        assert hypervolume(points, (0.5, 20)) == pytest.approx(theirs, abs=1e-12)


def test_it_agrees_with_darts():
    rng = np.random.default_rng(1)
    points = rng.uniform((0, 0), (1, 1), size=(5, 2))
    darts = rng.uniform(size=(100_000, 2))
    hit = ((points[:, 0] >= darts[:, :1]) & (points[:, 1] <= darts[:, 1:])).any(axis=1)
    assert hypervolume(points, (0, 1)) == pytest.approx(hit.mean(), abs=0.006)


def test_with_one_objective_the_best_metric_counts():
    """A better model that is slow is a gain; a stopped trial, and one below chance, is none."""
    gains = np.array([math.nan, 0.4, 0.6, 0.55, math.nan, 0.7])
    assert best_gains(gains, 0.5) == pytest.approx([0.0, 0.0, 0.1, 0.1, 0.1, 0.2])


def test_no_points_cover_nothing():
    assert hypervolume(np.empty((0, 2)), (0.5, 10)) == 0


@given(POINTS, st.sets(st.integers(0, 11)))
def test_history_is_the_hypervolume_of_all_points_so_far(points, pruned):
    """A trial without a score changes nothing and still counts."""
    scored = [(math.nan if i in pruned else g, ms) for i, (g, ms) in enumerate(points)]
    areas = history(np.array(scored, float).reshape(-1, 2), (0, 8))
    assert areas == [
        hypervolume([p for p in scored[: i + 1] if p[0] == p[0]], (0, 8))
        for i in range(len(scored))
    ]
    assert areas == sorted(areas)


def test_a_search_stands_still_after_so_many_trials_without_a_gain():
    rising = [1.0 + i / 10 for i in range(20)]
    assert not stands_still(rising, patience=5, gain=0.01)
    assert not stands_still([*rising, *[2.9] * 4], patience=5, gain=0.01)
    assert stands_still([*rising, *[2.9] * 5], patience=5, gain=0.01)
    assert stands_still([*rising, *[2.92] * 5], patience=5, gain=0.01)  # less than one percent
    assert not stands_still([*rising, *[2.95] * 5], patience=5, gain=0.01)


def test_a_search_that_found_nothing_does_not_stand():
    assert not stands_still([0.0] * 1000, patience=5, gain=0.01)
    assert not stands_still([], patience=5, gain=0.01)


def test_the_reference_stays_what_it_was():
    """The budget, or twice the slowest of the first ten; later trials do not move it."""
    latencies = [float(i) for i in range(1, 10)]
    assert reference_point(0.5, latencies, 30.0) == (0.5, 30.0)
    assert reference_point(0.5, latencies, None) is None
    assert reference_point(0.5, [*latencies, 4.0], None) == (0.5, 18.0)
    assert reference_point(0.5, [*latencies, 4.0, 99.0], None) == (0.5, 18.0)


def test_knowing_nothing_is_half_an_auc_or_the_labels_entropy():
    assert floor_of(AUC, [0, 1]) == floor_of(GAUC, [1, 1, 0]) == 0.5
    entropy = 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
    assert floor_of(LOGLOSS, [0, 1, math.nan]) == pytest.approx(-math.log(2))
    assert floor_of(LOGLOSS, [0, 1, 0, 0]) == pytest.approx(entropy)
    assert floor_of(LOGLOSS, [0, 0]) == floor_of(RMSE, [math.nan]) == 0


def test_each_task_has_the_floor_of_its_kind(dataset):
    """So that a mean of a metric over tasks has one, and a search for errors begins below 0."""
    tasks = (dataset.schema.tasks[0], replace(dataset.schema.tasks[1], kind="regression", of=None))
    data = replace(dataset, schema=replace(dataset.schema, tasks=tasks))
    deviation = np.nanstd(data.labels("valid")[:, 1].astype(np.float64))
    assert floors(data, AUC) == {"click": 0.5, "buy": pytest.approx(-deviation), "auc": 0.5}
    assert floors(data, parse_metric("rmse:buy=1"))["buy"] == pytest.approx(-deviation)


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_no_constant_has_less_error_than_the_floor(metric):
    """And one has as little: the mean, or the median."""
    labels = np.random.default_rng(0).lognormal(size=201)
    errors = [evaluate(METRICS[metric], labels, np.full(201, c)) for c in np.linspace(0, 5, 2001)]
    best = {"rmse": labels.mean(), "mae": np.median(labels)}[metric]
    assert -floor_of(METRICS[metric], labels) <= min(errors)
    assert -floor_of(METRICS[metric], labels) == pytest.approx(
        evaluate(METRICS[metric], labels, [best] * 201)
    )


def finished(study: optuna.Study, value: float | None, latency: float, **attrs: object) -> None:
    trial = study.ask()
    for key, attr in {"latency_ms": {"p50": latency}, **attrs}.items():
        trial.set_user_attr(key, attr)
    if value is None:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, [value, latency])


def test_trainings_in_the_order_they_ended():
    """No duplicates, nothing over a limit; signed so that more is better."""
    study = optuna.create_study(directions=["minimize", "minimize"])
    late = study.ask()
    finished(study, 0.5, 3.0, began=True)
    finished(study, 0.5, 3.0, duplicate_of=1)
    finished(study, None, 9.0)
    finished(study, None, 4.0, began=True)
    late.set_user_attr("began", True)
    late.set_user_attr("latency_ms", {"p50": 5.0})
    study.tell(late, [0.4, 5.0])
    expected = [(-0.5, 3.0), (math.nan, 4.0), (-0.4, 5.0)]
    assert np.array_equal(trainings_of(study), np.array(expected), equal_nan=True)


def test_a_study_stands_still_by_its_own_trials():
    study = optuna.create_study(directions=["maximize", "minimize"])
    assert not search_stands_still(study, 0.5, None, 60)
    finished(study, 0.7, 3.0, began=True)
    for _ in range(59):
        finished(study, None, 3.0, began=True)
    assert not search_stands_still(study, 0.5, None, 60)
    finished(study, 0.65, 4.0, began=True)
    assert search_stands_still(study, 0.5, None, 60)
    assert not search_stands_still(study, 0.5, 2.0, 60)  # nothing within this budget so far
    finished(study, 0.8, 3.0, began=True)
    assert not search_stands_still(study, 0.5, None, 60)
