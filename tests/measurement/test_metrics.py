"""The metrics against their definitions, written as loops, and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import (
    GAUC,
    METRICS,
    auc,
    evaluate,
    gauc,
    logloss,
    mae,
    metric_of,
    rmse,
)

ROWS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(-3, 3), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


def pairs_won(labels: np.ndarray, scores: np.ndarray) -> float:
    """The share of (positive, negative) pairs in order, a tie half: the definition of AUC."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    if not positives.size or not negatives.size:
        return math.nan
    return float(np.mean([(p > n) + 0.5 * (p == n) for p in positives for n in negatives]))


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_order(rows):
    labels, scores, _ = np.array(rows).T
    expected = pairs_won(labels, scores)
    assert auc(labels, scores) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("levels", [3, 1000, 10**9])
def test_auc_equals_scikit_learn(levels):
    """To 1e-12, with many ties, some and none."""
    draw = np.random.default_rng(levels)
    labels, scores = draw.integers(0, 2, 5000), draw.integers(0, levels, 5000) / levels
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(ROWS)
def test_gauc_is_the_mean_of_the_groups_auc_by_rows(rows):
    """Groups that hold one class do not count; without any other it is not defined."""
    labels, scores, groups = np.array(rows).T
    parts = [(pairs_won(labels[groups == g], scores[groups == g]), np.sum(groups == g))
             for g in np.unique(groups)]  # fmt: skip
    parts = [(value, size) for value, size in parts if not math.isnan(value)]
    total = sum(size for _, size in parts)
    expected = sum(value * size for value, size in parts) / total if parts else math.nan
    assert gauc(labels, scores, groups) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_gauc_takes_groups_by_name_in_any_order():
    labels, scores = [1, 0, 0, 1, 0], [0.9, 0.1, 0.8, 0.2, 0.5]
    assert gauc(labels, scores, ["b", "b", "a", "a", "b"]) == pytest.approx((3 * 1.0 + 2 * 0.0) / 5)


def test_gauc_of_one_group_is_auc():
    draw = np.random.default_rng(0)
    labels, scores = draw.integers(0, 2, 300), draw.integers(0, 50, 300)
    assert gauc(labels, scores, np.zeros(300)) == pytest.approx(auc(labels, scores), abs=1e-12)


def test_logloss_equals_scikit_learn():
    draw = np.random.default_rng(0)
    labels, logits = draw.integers(0, 2, 500), draw.normal(0, 3, 500)
    expected = log_loss(labels, 1 / (1 + np.exp(-logits)))
    assert logloss(labels, logits) == pytest.approx(expected, abs=1e-12)


def test_logloss_is_stable_where_a_probability_rounds_to_0_or_1():
    """``log(1 + exp(1000))`` is 1000; being right with certainty costs nothing."""
    assert logloss([0, 1], [1000.0, -1000.0]) == 1000.0
    assert logloss([1, 0], [math.inf, -math.inf]) == 0.0


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_row_without_a_label_does_not_count(metric):
    draw = np.random.default_rng(1)
    labels, logits, groups = draw.integers(0, 2, 60) * 1.0, draw.normal(size=60), np.arange(60) % 4
    before = evaluate(metric, labels, logits, groups)
    labels, logits = np.append(labels, [math.nan] * 3), np.append(logits, [9.0, -9.0, math.nan])
    assert evaluate(metric, labels, logits, np.append(groups, [0, 1, 9])) == before


@pytest.mark.parametrize("labels", [[1, 1], [0, 0], [], [math.nan, math.nan]])
def test_ranking_is_not_defined_with_one_class(labels):
    scores = [0.5] * len(labels)
    assert math.isnan(auc(labels, scores))
    assert math.isnan(gauc(labels, scores, scores))


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_score_that_is_nan_is_not_ranked(metric):
    """A diverged model must not score: sorting would put its NaN on top."""
    assert math.isnan(evaluate(metric, [0, 1, 1], [0.1, 0.9, math.nan], [0, 0, 0]))


def test_only_losses_go_down():
    assert {name: metric.up for name, metric in METRICS.items()} == {
        "auc": True, "gauc": True, "logloss": False, "rmse": False, "mae": False}  # fmt: skip
    assert METRICS["logloss"].better(0.4, 0.5)
    assert not METRICS["auc"].better(0.5, 0.5)


def test_what_cannot_be_evaluated_is_said():
    with pytest.raises(ValueError, match="one of auc, gauc, logloss, rmse, mae, but got 'f1'"):
        parse_metric("f1")
    with pytest.raises(ValueError, match="gauc needs a group"):
        evaluate(GAUC, [0, 1], [0, 1])


VALUES = st.lists(
    st.tuples(st.one_of(st.just(math.nan), st.floats(-100, 100)), st.floats(-100, 100)),
    min_size=1,
    max_size=20,
)


@given(VALUES)
def test_errors_of_a_regression_are_their_loops(rows):
    """Rows without a label do not count; without any, nothing is defined."""
    known = [(y, z) for y, z in rows if not math.isnan(y)]
    labels, values = np.array(rows).T
    if not known:
        assert math.isnan(rmse(labels, values))
        assert math.isnan(mae(labels, values))
        return
    squares = sum((z - y) ** 2 for y, z in known) / len(known)
    distances = sum(abs(z - y) for y, z in known) / len(known)
    assert rmse(labels, values) == pytest.approx(math.sqrt(squares))
    assert mae(labels, values) == pytest.approx(distances)


@pytest.mark.parametrize(
    ("metric", "binary", "regression"),
    [
        ("auc", "auc", "rmse"),
        ("logloss:buy=1", "logloss", "rmse"),
        ("gauc@score", "gauc", "rmse"),
        ("rmse", "auc", "rmse"),
        ("mae:stay=1", "auc", "mae"),
    ],
)
def test_a_task_is_scored_by_a_metric_of_its_kind(metric, binary, regression):
    assert metric_of(parse_metric(metric), "binary") == METRICS[binary]
    assert metric_of(parse_metric(metric), "regression") == METRICS[regression]
