"""Calibration against its definition in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automlrank.measurement.calibration import BINS, calibration, intercept
from automlrank.measurement.metrics import logloss

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.floats(-6, 6).map(lambda z: round(z, 1))),
    min_size=1,
    max_size=60,
)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def by_loops(rows, bins):
    """Each row's bin by its place among the sorted; equal predictions share their middle place."""
    ordered, n = sorted(z for _, z in rows), len(rows)
    gaps = [[] for _ in range(bins)]
    for label, z in rows:
        places = [i for i, other in enumerate(ordered) if other == z]
        middle = (places[0] + places[-1] + 1) / 2
        gaps[int(middle * bins / n)].append(sigmoid(z) - label)
    return sum(len(gap) / n * abs(sum(gap) / len(gap)) for gap in gaps if gap)


@given(ROWS, st.integers(1, 12))
def test_the_error_is_the_mean_gap_of_equal_bins_by_their_rows(rows, bins):
    labels, logits = zip(*rows, strict=True)
    found = calibration(labels, logits, bins)
    assert found.error == pytest.approx(by_loops(rows, bins), abs=1e-12)


@given(ROWS)
def test_the_ratio_is_mean_prediction_over_rate(rows):
    labels, logits = zip(*rows, strict=True)
    expected = sum(map(sigmoid, logits)) / sum(labels) if sum(labels) else math.nan
    assert calibration(labels, logits).ratio == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_count(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = (calibration(*zip(*each, strict=True)) for each in (rows, shuffled))
    assert one.error == pytest.approx(other.error, abs=1e-12)


def test_bins_without_ties_have_equal_mass():
    """The first half is all wrong by .5, the second right: the error of two bins is .25."""
    logits = np.concatenate([np.linspace(-1e-9, 0, 500, endpoint=False), np.full(500, 50.0)])
    labels = np.concatenate([np.zeros(500), np.ones(500)])
    assert calibration(labels, logits, 2).error == pytest.approx(0.25)


def test_true_probabilities_leave_only_the_noise_of_a_bin():
    """About ``sqrt(2 bins rate (1 - rate) / (pi n))``; a logit shifted by 1 is far from it."""
    draw = np.random.default_rng(0)
    logits = draw.normal(size=50_000)
    labels = draw.random(50_000) < 1 / (1 + np.exp(-logits))
    floor = math.sqrt(2 * BINS * 0.25 / (math.pi * 50_000))
    good, bad = calibration(labels, logits), calibration(labels, logits + 1)
    assert good.error < 2 * floor < 0.1 < bad.error
    assert good.ratio == pytest.approx(1, abs=0.02)
    assert bad.ratio > 1.2


def test_a_row_without_a_label_does_not_count():
    assert calibration([0, 1, math.nan], [0.1, 0.2, math.nan]) == calibration([0, 1], [0.1, 0.2])


def test_extreme_logits_do_not_overflow():
    found = calibration([0, 1], [-1e4, 1e4])
    assert (found.error, found.ratio) == (0.0, 1.0)


@pytest.mark.parametrize("logits", [[], [math.nan]])
def test_what_is_not_defined_is_nan(logits):
    found = calibration([1] * len(logits), logits)
    assert math.isnan(found.error)
    assert math.isnan(found.ratio)


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="bins must be 1 or more, but got 0"):
        calibration([0, 1], [0.0, 1.0], 0)


def test_an_intercept_makes_the_log_loss_the_least() -> None:
    """Logits that were shifted are shifted back; the mean prediction is then the rate."""
    rng = np.random.default_rng(0)
    truth = rng.normal(-2.0, 1.0, size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-truth))).astype(float)
    labels[::7] = np.nan
    for shift in (-30.0, -3.0, 0.0, 5.0):
        found = intercept(labels, truth + shift)
        assert found == pytest.approx(-shift, abs=0.15)
        at = logloss(labels, truth + shift + found)
        assert at <= min(logloss(labels, truth + shift + found + step) for step in (-0.01, 0.01))
        assert calibration(labels, truth + shift + found).ratio == pytest.approx(1.0)


def test_an_intercept_of_one_class_is_not_defined() -> None:
    assert np.isnan(intercept([1.0, 1.0, np.nan], [0.0, 1.0, 2.0]))
    assert np.isnan(intercept([1.0, 0.0], [np.nan, 1.0]))
