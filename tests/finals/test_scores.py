"""What is said of finalists, against the means and loops that define it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest

from automlrank.data.dataset import Dataset
from automlrank.finals.joint_scores import FinalRun, Logits
from automlrank.finals.scores import final_scores
from automlrank.measurement.calibration import calibration
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import AUC, METRICS, Metric, logloss
from automlrank.runs.scores import SeedScores
from automlrank.training.loop import score_logits


def logits_of(dataset: Dataset, split: str, metric: Metric, strength: float, seed: int) -> Logits:
    labels = np.nan_to_num(dataset.labels(split))
    noise = np.random.default_rng(seed).normal(size=labels.shape)
    if metric.kind == "regression":
        return (labels + noise / strength).astype(np.float32)
    return (strength * (labels - 0.5) + noise).astype(np.float32)


def trained(dataset: Dataset, metric: Metric, strength: float, seed: int) -> FinalRun:
    """A made-up training: logits that hold the label by ``strength``."""
    valid, logits = (
        logits_of(dataset, split, metric, strength, seed) for split in ("valid", "test")
    )
    on_valid = score_logits(valid, dataset, "valid", metric)
    scores = score_logits(logits, dataset, "test", metric)
    return FinalRun(SeedScores(on_valid, scores), {"valid": valid, "test": logits})


@pytest.fixture(params=METRICS)
def metric(request) -> Metric:
    return METRICS[request.param]


@pytest.fixture
def data(dataset, metric) -> Dataset:
    """The table with tasks of the metric's kind."""
    tasks = (replace(task, kind=metric.kind, of=None) for task in dataset.schema.tasks)
    return replace(dataset, schema=replace(dataset.schema, tasks=tuple(tasks)))


@pytest.fixture
def runs(data, metric) -> dict[str, list[FinalRun]]:
    """Three seeds of a weak model and three of a strong one."""
    return {
        name: [trained(data, metric, strength, 10 * i + n) for n in range(3)]
        for i, (name, strength) in enumerate({"weak": 0.3, "strong": 2.0}.items())
    }


def test_a_score_stands_with_its_interval_and_apart_from_it_the_spread(data, metric, runs):
    task = data.schema.tasks[0].name
    for name, found in final_scores(data, metric, runs).items():
        values = [run.scores.test[task] for run in runs[name]]
        test = found.test
        assert test.metric == metric
        assert test.value == pytest.approx(np.mean(values))
        assert test.std == pytest.approx(np.std(values, ddof=1))
        assert test.interval.low < test.value < test.interval.high
        assert test.seeds == 3
        assert test.tasks[task].value == pytest.approx(test.value)
        assert found.valid.mean == pytest.approx(np.mean(found.valid.seeds))


def test_log_loss_and_calibration_are_told_whatever_the_metric(data, metric, runs):
    """Of probabilities, that is: values of a regression have none."""
    if metric.kind == "regression":
        test = final_scores(data, metric, runs)["weak"].test
        assert test.probabilities is None
        return
    labels = data.labels("test")[:, 0]
    test = final_scores(data, metric, runs)["weak"].test
    columns = [run.logits["test"][:, 0] for run in runs["weak"]]
    assert test.probabilities.logloss == pytest.approx(
        np.mean([logloss(labels, x) for x in columns])
    )
    each = [calibration(labels, x) for x in columns]
    assert test.probabilities.calibration == pytest.approx(np.mean([one.error for one in each]))
    assert test.probabilities.calibration_ratio == pytest.approx(
        np.mean([one.ratio for one in each])
    )


def test_a_real_difference_is_seen_from_both_sides(data, metric, runs):
    found = final_scores(data, metric, runs)
    weak, strong = found["weak"].test, found["strong"].test
    value, error = dataclasses.astuple(strong.versus["weak"])
    assert weak.versus["strong"].value == -value
    assert weak.versus["strong"].error == pytest.approx(error)
    assert value == pytest.approx(strong.value - weak.value)
    assert abs(value) > 1.96 * error > 0
    assert metric.better(strong.value, weak.value)


def test_a_single_seed_has_an_interval_but_no_verdict(data, metric, runs):
    """Its spread over seeds is not known, so no error of a difference is."""
    cut = {"weak": runs["weak"][:1], "strong": runs["strong"]}
    found = final_scores(data, metric, cut)
    assert found["weak"].test.std is None
    assert math.isfinite(found["weak"].test.interval.low)
    assert found["weak"].test.versus == found["strong"].test.versus == {}


def test_finalists_that_were_not_reached_have_no_scores(dataset):
    assert final_scores(dataset, AUC, {}) == {}


def test_bent_probabilities_are_told_once_they_are_shifted_back(dataset):
    """The mean over the seeds, each by its own shift; nothing where no loss bends them."""
    labels = dataset.labels("test")[:, 0]
    bent = []
    for n in range(2):
        run = trained(dataset, AUC, 1.0, n)
        scores = replace(run.scores, shift=-1.5 - n)
        bent.append(FinalRun(scores, {k: x + 1.5 + n for k, x in run.logits.items()}))
    plain = [trained(dataset, AUC, 1.0, n) for n in range(2)]
    found = final_scores(dataset, AUC, {"bent": bent, "plain": plain})
    expected = np.mean([logloss(labels, run.logits["test"][:, 0]) for run in plain])
    assert found["bent"].test.logloss_recalibrated == pytest.approx(expected, rel=1e-5)
    assert found["bent"].test.probabilities.logloss > expected
    assert found["plain"].test.logloss_recalibrated is None


def test_a_weighted_metric_is_the_tasks_mean_with_one_interval(dataset):
    name = "auc:click=1,auc:buy=0.5"
    runs = {
        key: [trained(dataset, parse_metric(name), strength, 10 * i + n) for n in range(3)]
        for i, (key, strength) in enumerate({"weak": 0.3, "strong": 2.0}.items())
    }
    found = final_scores(dataset, parse_metric(name), runs)
    test = found["strong"].test
    tasks = {task: score.value for task, score in test.tasks.items()}
    assert test.value == pytest.approx((tasks["click"] + 0.5 * tasks["buy"]) / 1.5)
    assert test.interval.low < test.value < test.interval.high
    value, error = dataclasses.astuple(test.versus["weak"])
    assert value == pytest.approx(test.value - found["weak"].test.value)
    assert value > 1.96 * error > 0


# -- validation, by which one finalist is chosen --------------------------------------------------


def test_finalists_are_chosen_by_seeds_and_rows_of_validation(data, metric, runs):
    """Each seed's score, and differences of the means on the same rows, seen from both sides."""
    found = final_scores(data, metric, runs)
    task = data.schema.tasks[0].name
    for name, mine in runs.items():
        valid = found[name].valid
        assert list(valid.seeds) == [run.scores.valid[task] for run in mine]
        assert valid.mean == pytest.approx(np.mean(valid.seeds))
    weak, strong = found["weak"].valid, found["strong"].valid
    value, error = dataclasses.astuple(strong.versus["weak"])
    assert value == pytest.approx(strong.mean - weak.mean)
    assert weak.versus["strong"].error == pytest.approx(error)
    assert abs(value) > 1.96 * error > 0
    assert not weak.unstable


def test_one_spread_serves_finalists_whose_other_seeds_the_clock_cut_off(data, metric, runs):
    cut = {"weak": runs["weak"][:1], "strong": runs["strong"]}
    assert final_scores(data, metric, cut)["weak"].valid.versus["strong"].error > 0
    cut = {name: mine[:1] for name, mine in runs.items()}
    assert final_scores(data, metric, cut)["weak"].valid.versus == {}


def test_a_collapsed_seed_makes_one_unstable_and_widens_no_other_comparison(dataset):
    steady = {name: [trained(dataset, AUC, s, 10 * i + n) for n in range(3)]
              for i, (name, s) in enumerate({"a": 3.0, "b": 3.1, "c": 3.2}.items())}  # fmt: skip
    wild = [*steady["a"][:2], trained(dataset, AUC, -1.0, 99)]
    found = final_scores(dataset, AUC, {**steady, "wild": wild})
    assert [name for name, one in found.items() if one.valid.unstable] == ["wild"]
    alone = final_scores(dataset, AUC, steady)
    for other in ("b", "c"):
        mine, without = found["a"].valid.versus[other], alone["a"].valid.versus[other]
        assert mine.error == pytest.approx(without.error)
