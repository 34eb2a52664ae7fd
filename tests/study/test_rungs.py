"""Rungs: where they lie, and the sample that scores the one inside an epoch."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.measurement.metrics import AUC, GAUC, auc
from automlrank.model.network import build_model
from automlrank.study.rungs import COST_SHARE, FORWARD, Rungs, error_of, sample_rows
from automlrank.training.loop import fit, predict, score
from automlrank.training.progress import Progress

LR = "architecture: lr\ninteraction: linear\nscenario: none\ntraining: {epochs: 2, batch_size: %d}"


def at(epoch: int, rows: int, *, end: bool = False) -> Progress:
    return Progress(epoch, rows, 0.0, 0.0, scores={"click": 0.7} if end else None)


def test_a_quarter_of_an_epoch_then_ends_of_epochs_1_4_16(dataset):
    rungs = Rungs(1000, dataset, 0.01)
    steps = [(rows, at(rows // 1000, rows)) for rows in range(100, 20_001, 100)]
    ends = [(rows, at(rows // 1000 - 1, rows, end=True)) for rows in range(1000, 20_001, 1000)]
    found = [rungs.due(rows - 100, progress, 20) for rows, progress in [*steps, *ends]]
    assert [rung for rung in found if rung] == [250, 1000, 4000, 16_000]


def test_an_epoch_that_leaves_out_negatives_has_its_rungs_at_its_own_quarter(dataset):
    """They are told by the same numbers, so trials are compared by their share of an epoch."""
    rungs = Rungs(1000, dataset, 0.01)
    steps = [
        (rows, dataclasses.replace(at(0, rows), epoch_rows=200)) for rows in range(10, 201, 10)
    ]
    found = [rungs.due(rows - 10, progress, 20) for rows, progress in steps]
    assert [(rows, rung) for (rows, _), rung in zip(steps, found, strict=True) if rung] == [
        (50, 250)
    ]


def test_the_end_of_the_last_epoch_is_no_rung(dataset):
    rungs = Rungs(1000, dataset, 0.01)
    assert rungs.due(900, at(0, 1000, end=True), epochs=1) is None
    assert rungs.due(900, at(0, 1000, end=True), epochs=2) == 1000


def test_a_rung_is_due_once(dataset):
    """At the first report that is past it, whatever the batch size."""
    rungs = Rungs(1000, dataset, 0.01)
    assert rungs.due(0, at(0, 249), 5) is None
    assert rungs.due(249, at(0, 700), 5) == 250
    assert rungs.due(700, at(0, 900), 5) is None


def test_an_end_of_an_epoch_counts_though_its_last_row_was_left_out(dataset):
    """Batch norm has no statistics of one row, so a shuffled epoch may be a row short."""
    rows = dataset.rows["train"]
    assert rows % 257 == 1
    lr = Architecture.read(parse_document(LR % 257).data)  # type: ignore[arg-type]
    model = build_model(lr, dataset.schema, 0)
    rungs = Rungs(rows, dataset, 0.01)
    before, found = 0, []
    for progress in fit(model, lr, dataset, seed=0):
        found.append(rungs.due(before, progress, lr.training.epochs))
        before = progress.rows
    assert before == 2 * (rows - 1)
    assert [rung for rung in found if rung] == [rows // 4, rows]


@pytest.mark.parametrize("rows", [0, 3, 1000, 35_000, 10**7])
def test_scoring_costs_at_most_a_twentieth_of_the_training_it_judges(rows):
    assert sample_rows(rows) * FORWARD <= COST_SHARE * (rows // 4)


def test_the_sample_is_the_same_for_all_trials_and_its_error_is_known():
    data = Dataset.open("kuairand")
    rungs, again = Rungs.of(data, AUC, seed=3), Rungs.of(data, AUC, seed=3)
    assert rungs.sample is not None
    assert again.sample is not None
    assert rungs.first == 8750
    assert rungs.sample.rows == {"train": 35_000, "valid": sample_rows(35_000), "test": 7500}
    assert 0.015 < rungs.error < 0.025
    assert np.array_equal(rungs.sample.part["valid"], again.sample.part["valid"])
    other = Rungs.of(data, AUC, seed=4).sample
    assert other is not None
    assert not np.array_equal(rungs.sample.part["valid"], other.part["valid"])


def test_scoring_the_sample_is_scoring_those_rows(dataset):
    model = build_model(
        Architecture.read(parse_document(LR % 64).data),  # type: ignore[arg-type]
        dataset.schema,
        0,
    )
    sample = dataset.part_of("valid", 100, seed=1)
    rows = sample.part["valid"]
    task = dataset.schema.tasks[0].name
    whole = auc(dataset.labels("valid")[rows, 0], predict(model, dataset, "valid")[rows, 0])
    assert score(model, sample, "valid", AUC)[task] == pytest.approx(whole, abs=1e-9)


def test_a_sample_that_tells_nothing_makes_no_rung(dataset):
    """Some 40 rows: the error is above .03, and the first rung is the epoch's end."""
    rungs = Rungs.of(dataset, AUC, seed=0)
    assert rungs.error > 0.03
    assert rungs.sample is None
    assert rungs.first == dataset.rows["train"]
    assert rungs.due(0, at(0, 2000), 5) is None


def test_of_a_regression_the_error_is_the_rmses_as_a_share_of_it():
    """Some 600 normal labels suffice; a heavy tail needs more of them."""
    rng = np.random.default_rng(0)
    normal, tailed = rng.normal(size=1000), rng.lognormal(0, 1.5, size=1000)
    assert error_of(normal, "regression") == pytest.approx(1 / math.sqrt(2000), rel=0.1)
    assert error_of(normal * 60 + 5, "regression") == pytest.approx(error_of(normal, "regression"))
    assert error_of(tailed, "regression") > 0.03 > error_of(normal, "regression")
    assert math.isnan(error_of(np.ones(9), "regression"))


def test_a_grouped_metric_has_whole_groups_in_its_sample():
    rungs = Rungs.of(Dataset.open("kuairand"), GAUC, seed=0)
    assert rungs.sample is not None
    data = Dataset.open("kuairand")
    groups, kept = data.groups("valid"), rungs.sample.groups("valid")
    assert groups is not None
    assert kept is not None
    assert np.isin(groups, kept).sum() == len(kept)


def test_no_rows_no_sample(dataset):
    """A table too small for one row of sample."""
    tiny = dataclasses.replace(dataset, part={"train": np.arange(3)})
    rungs = Rungs.of(tiny, AUC, seed=0)
    assert rungs.sample is None
    assert math.isnan(rungs.error)
