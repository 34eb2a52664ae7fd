"""A fused score: its order, what it is judged by, and how sure that is."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from automlrank.measurement.fusion import fused, judged
from automlrank.measurement.metric_language import FUSED_NAMES, parse_metric
from automlrank.measurement.metrics import GAUC, METRICS, auc, gauc
from automlrank.measurement.significance import joint_sampling, sampling

EXPONENTS = (1.0, 0.0, 0.5)


def table(rows: int = 600, models: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of three tasks, the last unknown in places, logits of each, and groups."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=rows)
    labels = (signal[:, None] + rng.normal(size=(rows, 3)) > [0.0, 0.3, 0.6]).astype(float)
    labels[rng.random(rows) < 0.2, 2] = np.nan
    strength = np.linspace(0.3, 1.0, models)
    logits = signal[:, None, None] * strength + rng.normal(size=(rows, 3, models))
    return labels, logits, rng.integers(rows // 20, size=rows)


def test_its_auc_is_that_of_the_product_of_probabilities() -> None:
    """scikit-learn's, of each task's labels, averaged by the exponents."""
    labels, logits, _ = table()
    p = expit(logits[..., 0])
    product = p[:, 0] * p[:, 2] ** 0.5
    known = ~np.isnan(labels[:, 2])
    first = roc_auc_score(labels[:, 0], product)
    third = roc_auc_score(labels[known, 2], product[known])
    score = fused(logits[..., 0], EXPONENTS)
    np.testing.assert_allclose(score, np.log(product))
    found = judged(auc, labels, score, EXPONENTS)
    assert found == pytest.approx((first + 0.5 * third) / 1.5, abs=1e-12)


def test_one_task_with_exponent_1_has_that_tasks_own_metric() -> None:
    labels, logits, groups = table()
    for task in range(3):
        exponents = tuple(float(i == task) for i in range(3))
        score = fused(logits[..., 0], exponents)
        for judge in (auc, partial(gauc, groups=groups)):
            own = judge(labels[:, task], logits[:, task, 0])
            assert judged(judge, labels, score, exponents) == own


@pytest.mark.parametrize("factor", [0.1, 2.0, 30.0])
def test_exponents_scaled_together_change_nothing(factor: float) -> None:
    labels, logits, _ = table()
    scaled = tuple(factor * exponent for exponent in EXPONENTS)
    once, again = (judged(auc, labels, fused(logits[..., 0], x), x) for x in (EXPONENTS, scaled))
    assert again == pytest.approx(once, abs=1e-12)


def test_sure_predictions_are_still_told_apart() -> None:
    """Probabilities of 0 and 1 to the last bit of a float would be ties."""
    logits = np.array([-800.0, -300.0, 40.0, 80.0], np.float32)[:, None]
    assert (np.diff(fused(logits, (1.0,))) > 0).all()


def test_a_task_of_one_class_or_an_unknown_score_leaves_it_undefined() -> None:
    labels, logits, _ = table()
    score = fused(logits[..., 0], EXPONENTS)
    labels[:, 2] = 0.0
    assert np.isnan(judged(auc, labels, score, EXPONENTS))
    assert judged(auc, labels, score, (1.0, 0.0, 0.0)) > 0.5
    logits[3, :, 0] = np.nan
    assert np.flatnonzero(np.isnan(fused(logits[..., 0], EXPONENTS))).tolist() == [3]


def test_its_metrics_are_those_of_order() -> None:
    assert FUSED_NAMES == ("auc@score", "gauc@score")
    for name in FUSED_NAMES:
        metric, base = parse_metric(name), METRICS[name.partition("@")[0]]
        assert (metric.base, metric.grouped, metric.up) == (base, base.grouped, base.up)
        assert metric.label == f"{base.label} of the score"
        assert metric.overall({"click": 0.7, "buy": 0.4, name: 0.6}) == 0.6
    assert parse_metric("auc:a@score=1").weights == {"a@score": 1.0}
    for name in ("logloss@score", "auc@scor", "auc@"):
        with pytest.raises(ValueError, match="a fused score is judged by auc@score or gauc@score"):
            parse_metric(name)


def test_a_weighted_gauc_varies_as_its_resampled_groups_do() -> None:
    """The covariance over draws of groups, against 400 bootstrap draws of them."""
    labels, logits, groups = table(2000, models=2)
    metric = METRICS["gauc"]
    metric = type(metric)(**{**vars(metric), "weights": {"a": 1.0, "c": 0.5}})
    joint = joint_sampling(metric, ["a", "b", "c"], labels, logits, groups)
    rows_of = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    rng, draws = np.random.default_rng(1), []
    for _ in range(400):
        chosen = [rows_of[i] for i in rng.integers(len(rows_of), size=len(rows_of))]
        rows = np.concatenate(chosen)
        drawn = np.repeat(np.arange(len(chosen)), [len(part) for part in chosen])
        each = [
            [gauc(labels[rows, t], logits[rows, t, m], drawn) for m in range(2)] for t in (0, 2)
        ]
        draws.append((np.array(each[0]) + 0.5 * np.array(each[1])) / 1.5)
    whole = [[gauc(labels[:, t], logits[:, t, m], groups) for m in range(2)] for t in (0, 2)]
    np.testing.assert_allclose(joint.values, (np.array(whole[0]) + 0.5 * np.array(whole[1])) / 1.5)
    errors = np.sqrt(np.diag(joint.covariance))
    np.testing.assert_allclose(errors, np.std(draws, axis=0), rtol=0.12)
    _, error = joint.difference([0], [1])
    assert error == pytest.approx(float(np.std([d[0] - d[1] for d in draws])), rel=0.12)


def test_gauc_of_one_task_is_sampled_as_its_groups_are() -> None:
    """The same intervals as the bootstrap's, to its noise; without groups it says so."""
    labels, logits, groups = table(2000)
    metric = parse_metric("gauc:c=3")
    joint = joint_sampling(metric, ["a", "b", "c"], labels, logits, groups)
    alone = sampling(GAUC, labels[:, 2], logits[:, 2], groups)
    np.testing.assert_allclose(joint.values, alone.values)
    np.testing.assert_allclose(joint.covariance, alone.covariance, rtol=0.2)
    with pytest.raises(ValueError, match="gauc needs a group for each row"):
        joint_sampling(metric, ["a", "b", "c"], labels, logits)
