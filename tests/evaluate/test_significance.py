"""DeLong's errors against their definition by placement values, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automlrank.evaluate.metrics import auc
from automlrank.evaluate.significance import auc_error, delong_interval, paired_delong

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-4, 4), st.integers(-4, 4)), min_size=6, max_size=40
).filter(lambda rows: 2 <= sum(row[0] for row in rows) <= len(rows) - 2)


def placements(labels, scores):
    """Per positive and per negative the share of the other class that it is in order with."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = np.array([[(p > n) + 0.5 * (p == n) for n in negatives] for p in positives])
    return wins.mean(axis=1), wins.mean(axis=0)


def standard_error(above, below):
    return math.sqrt(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)


@given(ROWS)
def test_interval_is_the_placement_values(rows):
    """``auc -+ 1.96 sqrt(var(V10) / p + var(V01) / n)``, within [0, 1]."""
    labels, scores, _ = np.array(rows).T
    half = 1.959964 * standard_error(*placements(labels, scores))
    value, low, high = delong_interval(labels, scores)
    assert value == pytest.approx(auc(labels, scores), abs=1e-12)
    assert low == pytest.approx(max(0.0, value - half), abs=1e-6)
    assert high == pytest.approx(min(1.0, value + half), abs=1e-6)


@given(ROWS)
def test_paired_error_is_that_of_the_placements_differences(rows):
    labels, one, other = np.array(rows).T
    above, below = (a - b for a, b in zip(placements(labels, one), placements(labels, other),
                                          strict=True))  # fmt: skip
    difference, error = paired_delong(labels, one, other)
    assert difference == pytest.approx(auc(labels, one) - auc(labels, other), abs=1e-12)
    assert error == pytest.approx(standard_error(above, below), abs=1e-12)


def test_interval_covers_the_truth_as_often_as_it_says():
    """Normal scores one unit apart have the AUC ``Phi(1 / sqrt(2))``."""
    draw = np.random.default_rng(7)
    truth, labels = 0.5 * (1 + math.erf(0.5)), np.repeat([0, 1], [150, 100])
    covered = 0
    for _ in range(500):
        _, low, high = delong_interval(labels, draw.normal(size=250) + labels)
        covered += low <= truth <= high
    assert 0.92 <= covered / 500 <= 0.98


def test_a_model_does_not_differ_from_itself():
    draw = np.random.default_rng(0)
    labels, scores = draw.integers(0, 2, 200), draw.normal(size=200)
    assert paired_delong(labels, scores, scores) == (0.0, 0.0)


def test_pairing_sees_what_two_intervals_hide():
    """Nearly equal scores differ by far less than each one's error."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 2000)
    scores = draw.normal(size=2000) + labels
    _, error = paired_delong(labels, scores, scores + draw.normal(0, 0.1, 2000))
    _, low, high = delong_interval(labels, scores)
    assert error < (high - low) / 20


def test_rows_without_a_label_do_not_count():
    labels, scores = np.array([0, 1, 0, 1, math.nan]), np.array([0.1, 0.8, 0.4, 0.3, math.nan])
    assert delong_interval(labels, scores) == delong_interval(labels[:4], scores[:4])


def test_wider_levels_give_wider_intervals():
    labels, scores = [0, 0, 0, 1, 1, 1], [0.1, 0.4, 0.6, 0.3, 0.5, 0.9]
    _, low, high = delong_interval(labels, scores, level=0.5)
    _, lower, higher = delong_interval(labels, scores, level=0.9)
    assert lower < low < high < higher


@pytest.mark.parametrize(
    ("labels", "defined"), [([1, 1, 1], False), ([0, 0, 0], False), ([], False), ([0, 1, 1], True)]
)
def test_what_is_not_defined_is_nan(labels, defined):
    """One row of a class gives an AUC but no error."""
    scores = [0.1, 0.2, 0.3][: len(labels)]
    value, low, high = delong_interval(labels, scores)
    assert math.isnan(value) != defined
    assert math.isnan(low)
    assert math.isnan(high)
    assert math.isnan(paired_delong(labels, scores, scores)[1])


def test_nan_scores_have_no_interval():
    assert all(math.isnan(x) for x in delong_interval([0, 1, 0, 1], [0, 1, math.nan, 2]))


def test_a_level_outside_0_and_1_is_refused():
    with pytest.raises(ValueError, match=r"0 < level < 1 must hold, but got 95"):
        delong_interval([0, 1], [0, 1], level=95)


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
