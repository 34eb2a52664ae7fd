"""A metric of several tasks: its name, its mean, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import AUC, GAUC, METRICS, auc, gauc, logloss
from automlrank.measurement.significance import joint_sampling, relative_error, sampling

NAME = "auc:click=1,auc:buy=0.5"


def test_a_weighted_metric_is_the_mean_of_its_tasks() -> None:
    metric = parse_metric(NAME)
    assert (metric.base, metric.up, metric.label) == (AUC, True, "weighted AUC")
    assert metric.overall({"click": 0.7, "buy": 0.4, "like": 0.1}) == pytest.approx(0.6)
    assert parse_metric("logloss:buy=2").overall({"click": 0.7, "buy": 0.4}) == pytest.approx(0.4)
    assert parse_metric("logloss:buy=2").label == "log loss of buy"
    assert AUC.overall({"click": 0.7, "buy": 0.4}) == 0.7
    assert list(METRICS) == ["auc", "gauc", "logloss", "rmse", "mae"]  # no name was added


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("acu", "metric must be one of auc, gauc, logloss, rmse, mae, but got 'acu'"),
        ("auc:click=1,logloss:buy=1", "different metrics have no mean, but got auc and logloss"),
        ("gauc:click=1,auc:buy=1", "different metrics have no mean, but got gauc and auc"),
        (
            "acu:click=1",
            "tasks are averaged by one of auc, gauc, logloss, rmse, mae, but got 'acu'",
        ),
        ("auc:click=1,auc:click=2", "each task is given once, with a weight above 0"),
        ("auc:click=0", "each task is given once, with a weight above 0"),
        ("auc:click", "a metric of several tasks is METRIC:TASK=WEIGHT"),
        ("auc:click=-1", "a metric of several tasks is METRIC:TASK=WEIGHT"),
    ],
)
def test_what_is_no_metric_is_said(name: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_metric(name)


def table(rows: int = 800) -> tuple[np.ndarray, np.ndarray]:
    """Two related labels, one unknown in places, and three models' logits of both."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=rows)
    click = (signal + rng.normal(size=rows) > 0).astype(float)
    buy = np.where(rng.random(rows) < 0.2, np.nan, click * (rng.random(rows) < 0.4))
    scores = signal[:, None, None] * [[0.2, 0.6, 1.0]] + rng.normal(size=(rows, 2, 3))
    return np.stack([click, buy], axis=1), scores


@pytest.mark.parametrize("base", ["auc", "logloss"])
def test_one_task_alone_is_sampled_as_ever(base: str) -> None:
    """DeLong's covariance, or that of a mean, to a part in the rows of a class."""
    labels, scores = table()
    joint = joint_sampling(parse_metric(f"{base}:buy=3"), ["click", "buy"], labels, scores)
    known = ~np.isnan(labels[:, 1])
    alone = sampling(METRICS[base], labels[known, 1], scores[known, 1])
    np.testing.assert_allclose(joint.values, alone.values)
    if base == "auc":
        np.testing.assert_allclose(joint.covariance, alone.covariance, rtol=0.02)
    else:
        losses = [np.logaddexp(0, (1 - 2 * labels[known, 1]) * x) for x in scores[known, 1].T]
        np.testing.assert_allclose(
            joint.covariance, np.cov(losses, bias=True) / known.sum(), rtol=1e-6
        )


@pytest.mark.parametrize(("base", "function"), [("auc", auc), ("logloss", logloss)])
def test_two_tasks_vary_together_as_their_resampled_rows_do(base: str, function) -> None:
    """The covariance over draws of rows, against 400 bootstrap draws of them."""
    labels, scores = table()
    metric = parse_metric(f"{base}:click=1,{base}:buy=0.5")
    joint = joint_sampling(metric, ["click", "buy"], labels, scores)
    rng, draws = np.random.default_rng(1), []
    for _ in range(400):
        rows = rng.integers(len(labels), size=len(labels))
        per_task = [
            [function(labels[rows, t], scores[rows, t, m]) for m in range(3)] for t in range(2)
        ]
        draws.append((np.array(per_task[0]) + 0.5 * np.array(per_task[1])) / 1.5)
    drawn = np.cov(np.array(draws).T)
    np.testing.assert_allclose(
        np.sqrt(np.diag(joint.covariance)), np.sqrt(np.diag(drawn)), rtol=0.12
    )
    value, error = joint.difference([0], [2])
    assert error == pytest.approx(float(np.std([d[0] - d[2] for d in draws])), rel=0.12)
    assert value == pytest.approx(joint.values[0] - joint.values[2])


def groups_of(rows: int) -> np.ndarray:
    """Ever larger groups, of which many have one class only."""
    return np.sqrt(np.arange(rows) * 9).astype(int)


def test_a_weighted_gauc_is_the_mean_of_its_tasks() -> None:
    labels, scores = table()
    groups, metric = groups_of(len(labels)), parse_metric("gauc:click=1,gauc:buy=0.5")
    assert (metric.base, metric.grouped, metric.label) == (GAUC, True, "weighted GAUC")
    joint = joint_sampling(metric, ["click", "buy"], labels, scores, groups)
    for model in range(3):
        each = [gauc(labels[:, t], scores[:, t, model], groups) for t in range(2)]
        assert joint.values[model] == pytest.approx((each[0] + 0.5 * each[1]) / 1.5)


def test_a_gauc_of_one_task_varies_as_its_bootstrap_says() -> None:
    """Standard errors of models and of their difference, to what 1,000 draws are sure to."""
    labels, scores = table(4000)
    groups, metric = groups_of(len(labels)), parse_metric("gauc:buy=3")
    joint = joint_sampling(metric, ["click", "buy"], labels, scores, groups)
    alone = sampling(GAUC, labels[:, 1], scores[:, 1], groups, resamples=4000)
    np.testing.assert_allclose(joint.values, alone.values)
    errors = [np.sqrt(np.diag(found.covariance)) for found in (joint, alone)]
    np.testing.assert_allclose(*errors, rtol=0.08)
    assert joint.difference([0], [2])[1] == pytest.approx(alone.difference([0], [2])[1], rel=0.08)


def test_two_tasks_gauc_varies_as_resampled_groups_do() -> None:
    """Whole groups are drawn: the tasks of a row, and rows of a group, vary together."""
    labels, scores = table(2000)
    groups, metric = groups_of(len(labels)), parse_metric("gauc:click=1,gauc:buy=0.5")
    joint = joint_sampling(metric, ["click", "buy"], labels, scores, groups)
    rng, draws = np.random.default_rng(1), []
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    for _ in range(400):
        drawn = [members[i] for i in rng.integers(len(members), size=len(members))]
        rows, names = np.concatenate(drawn), np.repeat(np.arange(len(drawn)), [*map(len, drawn)])
        each = [
            [gauc(labels[rows, t], scores[rows, t, m], names) for m in (0, 2)] for t in range(2)
        ]
        draws.append((np.array(each[0]) + 0.5 * np.array(each[1])) / 1.5)
    error = float(np.std([a - b for a, b in draws]))
    assert joint.difference([0], [2])[1] == pytest.approx(error, rel=0.15)
    kept = joint.covariance[np.ix_([0, 2], [0, 2])]
    np.testing.assert_allclose(np.sqrt(np.diag(kept)), np.std(draws, axis=0), rtol=0.15)


def test_one_group_alone_shows_no_spread() -> None:
    labels, scores = table()
    metric = parse_metric("gauc:click=1,gauc:buy=0.5")
    joint = joint_sampling(metric, ["click", "buy"], labels, scores, np.zeros(len(labels)))
    assert np.isfinite(joint.values).all()
    assert np.isnan(joint.covariance).all()


def test_a_task_of_one_class_leaves_nothing_defined() -> None:
    labels, scores = table()
    labels[:, 1] = 0.0
    joint = joint_sampling(parse_metric(NAME), ["click", "buy"], labels, scores)
    assert np.isnan(joint.values).all()
    assert np.isnan(joint.covariance).all()


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_errors_of_two_regressions_vary_as_their_resampled_rows_do(metric: str) -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(500, 2))
    labels[::4, 1] = np.nan
    values = np.nan_to_num(labels)[:, :, None] + rng.laplace(size=(500, 2, 2)) * [0.5, 0.8]
    mean = parse_metric(f"{metric}:a=1,{metric}:b=3")
    found = joint_sampling(mean, ["a", "b"], labels, values)

    def loop(rows: np.ndarray) -> list[float]:
        errors = [
            [METRICS[metric].function(labels[rows, t], values[rows, t, m]) for t in range(2)]
            for m in range(2)
        ]
        return [(a + 3 * b) / 4 for a, b in errors]

    assert found.values.tolist() == pytest.approx(loop(np.arange(500)))
    drawn = [loop(rng.integers(500, size=500)) for _ in range(400)]
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), np.std(drawn, axis=0), rtol=0.12)


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_one_regression_is_sampled_jointly_as_alone(metric: str) -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(3000, 1))
    values = labels[:, :, None] + rng.normal(size=(3000, 1, 2))
    joint = joint_sampling(parse_metric(f"{metric}:a=2"), ["a"], labels, values)
    alone = sampling(METRICS[metric], labels[:, 0], values[:, 0])
    np.testing.assert_allclose(joint.values, alone.values)
    deviations = np.sqrt(np.diag(joint.covariance))
    np.testing.assert_allclose(deviations, np.sqrt(np.diag(alone.covariance)), rtol=0.1)


def test_the_relative_error_of_a_mean_is_that_of_the_kurtosis() -> None:
    labels = np.random.default_rng(0).normal(size=2000)
    centred = labels - labels.mean()
    kurtosis = (centred**4).mean() / (centred**2).mean() ** 2
    assert relative_error([*labels, np.nan]) == pytest.approx(np.sqrt((kurtosis - 1) / 8000))
    assert relative_error(labels * 40 + 3) == pytest.approx(relative_error(labels))
    assert np.isnan(relative_error([1.0, 1.0, np.nan]))
