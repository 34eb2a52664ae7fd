"""Errors against their definitions in loops: DeLong's placements, Welch's degrees, the seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from automlrank.measurement.metrics import AUC, GAUC, LOGLOSS, METRICS, auc, evaluate
from automlrank.measurement.significance import (
    Sampling,
    Spread,
    auc_error,
    sampling,
    student_95,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-4, 4), st.integers(-4, 4)), min_size=6, max_size=40
).filter(lambda rows: 2 <= sum(row[0] for row in rows) <= len(rows) - 2)
SCORES = st.floats(0.3, 0.9).map(lambda score: round(score, 3))


def placements(labels, scores):
    """Per positive and per negative the share of the other class that it is in order with."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = np.array([[(p > n) + 0.5 * (p == n) for n in negatives] for p in positives])
    return wins.mean(axis=1), wins.mean(axis=0)


def standard_error(above, below):
    return math.sqrt(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)


def rows_of(seed, n=400):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, n)
    return draw, labels, labels[:, None] + draw.normal(size=(n, 2))


@given(ROWS)
def test_auc_interval_is_the_placement_values(rows):
    """``auc -+ 1.96 sqrt(var(V10) / p + var(V01) / n)``."""
    labels, scores, _ = np.array(rows).T
    half = 1.959964 * standard_error(*placements(labels, scores))
    found = sampling(AUC, labels, scores[:, None])
    value = auc(labels, scores)
    assert found.values[0] == pytest.approx(value, abs=1e-12)
    assert found.interval([0]) == pytest.approx((value - half, value + half), abs=1e-6)


@given(ROWS)
def test_paired_error_is_that_of_the_placements_differences(rows):
    labels, one, other = np.array(rows).T
    above, below = (a - b for a, b in zip(placements(labels, one), placements(labels, other),
                                          strict=True))  # fmt: skip
    found = sampling(AUC, labels, np.stack([one, other], axis=1))
    difference, error = found.difference([0], [1])
    assert difference == pytest.approx(auc(labels, one) - auc(labels, other), abs=1e-12)
    assert error == pytest.approx(standard_error(above, below), abs=1e-7)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_model_does_not_differ_from_itself(metric):
    _, labels, scores = rows_of(0)
    found = sampling(metric, labels, scores[:, [0, 0]], np.arange(400) % 40)
    difference, error = found.difference([0], [1])
    assert difference == 0
    assert error < 1e-8 < 1e-3 < found.interval([0])[1] - found.interval([0])[0]


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_pairing_sees_what_two_intervals_hide(metric):
    """Nearly equal scores differ by far less than each one's error."""
    draw, labels, scores = rows_of(0, 2000)
    scores[:, 1] = scores[:, 0] + draw.normal(0, 0.05, 2000)
    found = sampling(metric, labels, scores, np.arange(2000) // 10)
    low, high = found.interval([0])
    assert 0 < found.difference([0], [1])[1] < (high - low) / 20


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_rows_without_a_label_do_not_count(metric):
    _, labels, scores = rows_of(1)
    groups = np.arange(400) % 40
    more = np.append(labels, [math.nan]), np.vstack([scores, [math.nan, 9.0]])
    found = sampling(metric, *more, np.append(groups, 3))
    without = sampling(metric, labels, scores, groups)
    np.testing.assert_array_equal(found.covariance, without.covariance)
    assert found.values[1] == evaluate(metric, labels, scores[:, 1], groups)


@pytest.mark.parametrize(
    ("metric", "labels"),
    [
        (AUC, [0, 1, 1]),
        (AUC, [1, 1, 1]),
        (AUC, []),
        (GAUC, [0, 1, 1]),
        (GAUC, [0, 0, 0]),
        (LOGLOSS, [1]),
        (LOGLOSS, []),
    ],
)
def test_what_shows_no_spread_has_no_error(metric, labels):
    """One row of a class, one group, one row: a value perhaps, but no error."""
    n = len(labels)
    found = sampling(metric, labels, np.linspace(0.1, 0.3, 2 * n).reshape(n, 2), np.zeros(n))
    assert math.isnan(found.difference([0], [1])[1])
    assert all(math.isnan(x) for x in found.interval([0]))


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_scores_that_are_no_numbers_have_no_error(metric):
    scores = np.array([[0.0, 1.0], [1.0, 0.5], [math.nan, 2.0], [2.0, 0.1]])
    assert np.isnan(sampling(metric, [0, 1, 0, 1], scores, [0, 0, 1, 1]).covariance).all()


def test_what_cannot_be_evaluated_is_said():
    with pytest.raises(ValueError, match="gauc needs a group"):
        sampling(GAUC, [0, 1], [[0.0], [1.0]])


@given(st.lists(SCORES, min_size=2, max_size=4), st.lists(SCORES, min_size=2, max_size=4))
def test_without_row_noise_the_difference_is_welchs(a, b):
    """The error is ``sqrt(S_a / n_a + S_b / n_b) t / 1.96`` at Welch's degrees of freedom."""
    found = Sampling(np.array(a + b), np.zeros((len(a + b),) * 2))
    indices = range(len(a)), range(len(a), len(a + b))
    value, error = found.difference(*indices)
    assert value == pytest.approx(np.mean(a) - np.mean(b), abs=1e-12)
    parts = [np.var(x, ddof=1) / len(x) for x in (a, b)]
    if sum(parts) == 0:
        assert error == 0
        return
    degrees = sum(parts) ** 2 / sum(p**2 / (len(x) - 1) for p, x in zip(parts, (a, b), strict=True))
    expected = math.sqrt(sum(parts)) * student.ppf(0.975, degrees) / 1.959964
    assert error == pytest.approx(expected, rel=0.025)


def test_row_noise_that_seeds_do_not_share_is_averaged():
    """Equal scores, so no spread: what is left is the covariance between seeds, .2 + .3 - .2."""
    own = np.array([[1.0, 0.2], [0.2, 1.0]])
    other = np.array([[2.0, 0.3], [0.3, 2.0]])
    covariance = np.block([[own, np.full((2, 2), 0.1)], [np.full((2, 2), 0.1), other]])
    found = Sampling(np.full(4, 0.7), covariance)
    assert found.difference([0, 1], [2, 3]) == (0.0, pytest.approx(math.sqrt(0.3)))
    low, high = found.interval([0, 1])
    assert (low + high) / 2 == pytest.approx(0.7)
    assert (high - low) / 2 == pytest.approx(1.959964)  # of one model, not of the mean of two


@given(st.permutations(range(4)))
def test_a_difference_does_not_depend_on_the_order_of_seeds_but_for_its_sign(order):
    _, labels, scores = rows_of(2)
    four = np.hstack([scores, scores[:, ::-1] + np.sin(np.arange(800)).reshape(400, 2)])
    found, moved = sampling(AUC, labels, four), sampling(AUC, labels, four[:, order])
    places = [order.index(i) for i in range(4)]
    value, error = found.difference([0, 1], [2, 3])
    assert moved.difference(places[:2], places[2:]) == pytest.approx((value, error), abs=1e-12)
    assert moved.difference(places[2:], places[:2]) == pytest.approx((-value, error), abs=1e-12)


def test_students_quantiles_are_close_and_never_too_small():
    inverse = np.linspace(0, 1, 500)[1:]
    ratios = np.array([student_95(x) for x in inverse]) / student.ppf(0.975, 1 / inverse)
    assert ratios.min() > 0.9999
    assert ratios.max() < 1.022
    assert student_95(0.0) == pytest.approx(1.959964)


def test_the_error_without_rows_is_that_of_simulated_ones():
    """Exponential scores with means 1 and 3 have the AUC ``3 / 4``, and the formula is exact."""
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1], [60, 40])
    found = [
        auc(labels, np.r_[draw.exponential(1, 60), draw.exponential(3, 40)]) for _ in range(4000)
    ]
    assert auc_error(0.75, 40, 60) == pytest.approx(np.std(found), rel=0.04)


def test_the_error_without_rows_falls_with_their_root():
    assert auc_error(0.7, 400, 400) == pytest.approx(auc_error(0.7, 40_000, 40_000) * 10, rel=0.01)
    assert auc_error(1.0, 5, 5) == 0
    assert math.isnan(auc_error(0.7, 0, 5))
    assert math.isnan(auc_error(0.7, 5, 0))


# -- rows of one group ----------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_row_that_a_group_repeats_tells_nothing_new(metric):
    """A group of k equal rows is one row: its errors are not those of k independent rows."""
    if metric.grouped:
        pytest.skip("it draws groups in any case")
    _, labels, scores = rows_of(2, 300)
    once = sampling(metric, labels, scores, np.arange(300)).difference([0], [1])
    again = (np.repeat(labels, 4), np.repeat(scores, 4, axis=0))
    told = sampling(metric, *again, np.repeat(np.arange(300), 4)).difference([0], [1])
    blind = sampling(metric, *again).difference([0], [1])
    assert told == pytest.approx(once, rel=1e-3)
    assert blind[1] == pytest.approx(once[1] / 2, rel=0.1)


def test_groups_of_one_row_are_rows():
    """To the factor by which DeLong counts each class for itself."""
    _, labels, scores = rows_of(3)
    found = sampling(AUC, labels, scores, np.arange(400)).covariance
    np.testing.assert_allclose(found, sampling(AUC, labels, scores).covariance, rtol=0.01)


def test_the_error_of_an_auc_over_groups_is_that_of_draws_of_groups():
    """Against 2,000 draws of whole groups, whose rows share a part of their score and label."""
    draw = np.random.default_rng(0)
    shared = np.repeat(draw.normal(size=(100, 2)), 8, axis=0)
    labels = (shared[:, 0] + draw.normal(size=800) > 0).astype(float)
    scores = labels + 2 * shared[:, 1] + draw.normal(size=800)
    groups = np.repeat(np.arange(100), 8)
    drawn = []
    for _ in range(2000):
        rows = (8 * draw.integers(0, 100, 100)[:, None] + np.arange(8)).ravel()
        drawn.append(auc(labels[rows], scores[rows]))
    error = math.sqrt(sampling(AUC, labels, scores[:, None], groups).covariance[0, 0])
    assert error == pytest.approx(np.std(drawn), rel=0.1)
    assert error > 1.3 * math.sqrt(sampling(AUC, labels, scores[:, None]).covariance[0, 0])


# -- the spread of several architectures together -------------------------------------------------


def test_a_pooled_spread_counts_its_own_degrees():
    """``sqrt(S / n_a + S / n_b)``, widened by Student's quantile at the pooled degrees."""
    values = np.array([0.7, 0.71, 0.72, 0.6, 0.6, 0.6])
    found = Sampling(values, np.zeros((6, 6)))
    value, error = found.difference(range(3), range(3, 6), Spread(3e-4, 10))
    assert value == pytest.approx(0.11)
    assert error == pytest.approx(math.sqrt(2e-4) * 2.2281 / 1.959964, rel=1e-3)
