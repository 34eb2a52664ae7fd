"""Specialists: the same architecture for one task's labels, or one scenario's rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from automlrank.architecture import Architecture
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.trees import BOOSTED
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.finals.finalists import FINAL_SEEDS, SEEDS
from automlrank.finals.specialists import only_scenario, only_task, seesaw, specialists
from automlrank.model.network import build_model
from automlrank.runs.events import Event, Notice
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import Record
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.seeds import seed_of
from automlrank.schema import Task
from automlrank.training.trainer import make_trainer


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automlrank.finals.specialists.LEAST_ROWS", 0)


@pytest.fixture
def architecture() -> Architecture:
    text = (
        "{architecture: a, embedding: {dim: 4}, interaction: {mlp: {width: 8}}, tasks: mmoe, "
        "loss: esmm, balance: uncertainty, "
        "training: {epochs: 1, batch_size: 512, learning_rate: 0.01}}"
    )
    return Architecture.read(parse_document(text).data)  # type: ignore[arg-type]


def test_there_is_one_for_each_task_and_each_scenario(
    dataset: Dataset, architecture: Architecture
) -> None:
    """The largest first; a part's rows are those of its test split."""
    found = list(specialists(architecture, dataset))
    assert [x.name for x in found if x.kind == "tasks"] == ["click", "buy"]
    scenarios = [x for x in found if x.kind == "scenarios"]
    assert len(scenarios) == 3
    sizes = [int(x.rows.sum()) for x in scenarios]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == dataset.rows["test"]
    assert sum(x.data.rows["train"] for x in scenarios) == dataset.rows["train"]
    one = {x.architecture.loss.name for x in found if x.kind == "tasks"}
    assert one == {"bce"}
    assert {x.architecture.balance.name for x in found if x.kind == "tasks"} == {"fixed"}


def test_one_task_alone_trains_no_other(dataset: Dataset, architecture: Architecture) -> None:
    """The other task's head stays where it began, and nothing is a product any more."""
    special = next(x for x in specialists(architecture, dataset) if x.name == "buy")
    model = build_model(special.architecture, special.data.schema, 0)
    trainer = make_trainer(
        model, special.architecture, special.data.schema, special.data.labels("train"), "cpu"
    )
    before = {k: v.clone() for k, v in model.state_dict().items()}
    trainer.step(special.data.take("train", np.arange(256)))
    after = model.state_dict()
    moved = {name for name in before if not before[name].equal(after[name])}
    assert "task_buy_head.weight" in moved
    assert "task_click_head.weight" not in moved
    assert "chain" not in model.plan.modules
    assert [task.of for task in only_task(dataset, 1).schema.tasks] == [None, None]


def test_a_scenario_of_one_class_has_no_specialist(dataset: Dataset) -> None:
    ids, labels = dataset.scenarios("train"), dataset.labels("train")
    assert ids is not None
    value = int(ids[0])
    positive = np.flatnonzero((ids != value) | (labels[:, 0] == 1))
    assert only_scenario(dataset, value) is not None
    assert only_scenario(dataset.of_rows("train", positive), value) is None


def test_parts_with_few_training_rows_have_none(
    dataset: Dataset, architecture: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automlrank.finals.specialists.LEAST_ROWS", dataset.rows["train"])
    assert [x.kind for x in specialists(architecture, dataset)] == ["tasks", "tasks"]
    monkeypatch.setattr("automlrank.finals.specialists.LEAST_ROWS", dataset.rows["train"] + 1)
    assert list(specialists(architecture, dataset)) == []


def run_with_finals(
    dataset: Dataset, architecture: Architecture, path: Path, seed: int = 0
) -> tuple[list[Event], Evaluator, RunFolder, Record]:
    """Return events, evaluator, folder and best: a record whose finals are made-up logits."""
    events: list[Event] = []
    evaluator = Evaluator(dataset, dataclasses.replace(SearchConfig(), seed=seed), events.append)
    folder = RunFolder(path)
    rng = np.random.default_rng(0)
    labels = np.nan_to_num(dataset.labels("test"))
    for n in range(SEEDS):
        logits = 3 * labels + rng.normal(size=labels.shape)
        folder.write_final(
            architecture.fingerprint, seed_of(seed, FINAL_SEEDS, n), {}, {"test": logits}
        )
    best = Record(0, "complete", architecture.fingerprint, architecture.to_data(), "a")
    return events, evaluator, folder, best


def test_the_best_is_compared_with_each_and_nothing_is_trained_twice(
    dataset: Dataset, architecture: Architecture, tmp_path
) -> None:
    """The best knows the labels by heart: every part has gained, beyond noise."""
    events, evaluator, folder, best = run_with_finals(dataset, architecture, tmp_path)
    found = seesaw(evaluator, folder, best)
    assert list(found) == ["tasks", "scenarios"]
    assert list(found["tasks"]) == ["click", "buy"]
    for part in (*found["tasks"].values(), *found["scenarios"].values()):
        value, error = part.difference.value, part.difference.error
        assert part.seeds == SEEDS
        assert value == pytest.approx(part.whole - part.alone)
        assert value > 1.96 * error > 0
    trainings = len(events)
    assert trainings
    assert seesaw(evaluator, folder, best) == found
    assert len(events) == trainings


def test_the_trees_of_a_task_are_its_specialists_too(
    dataset: Dataset, architecture: Architecture, tmp_path
) -> None:
    """Where they were finalists: they are not trained again, and whoever loses to them has lost."""
    events, evaluator, folder, best = run_with_finals(dataset, architecture, tmp_path)
    labels = np.nan_to_num(dataset.labels("test"))
    signs = np.array([-1.0, 1.0])  # of click they know nothing, of buy more than the best
    for n in range(SEEDS):
        seed = seed_of(evaluator.config.seed, FINAL_SEEDS, n)
        noise = np.random.default_rng(n).normal(size=labels.shape)
        trees = np.where(signs > 0, 30 * labels, 0.0) + noise
        folder.write_final(BOOSTED["lightgbm_rates"].fingerprint, seed, {}, {"test": trees})
    found = seesaw(evaluator, folder, best)
    assert list(found) == ["tasks", "boosted", "scenarios"]
    click, buy = found["boosted"]["click"], found["boosted"]["buy"]
    assert click.seeds == buy.seeds == SEEDS
    assert click.difference.value > 1.96 * click.difference.error
    assert buy.difference.value < -1.96 * buy.difference.error
    assert buy.whole == found["tasks"]["buy"].whole
    assert not any("LightGBM" in str(event) for event in events)


def test_a_regression_task_has_a_specialist_of_the_rows_that_it_counts(
    dataset: Dataset, architecture: Architecture
) -> None:
    """Those of its parent; a binary one has all of them."""
    tasks = (dataset.schema.tasks[0], Task("buy", "regression", of="click"))
    data = dataclasses.replace(dataset, schema=dataclasses.replace(dataset.schema, tasks=tasks))
    found = [x for x in specialists(architecture, data) if x.kind == "tasks"]
    assert [x.name for x in found] == ["click", "buy"]
    assert [[task.of for task in x.data.schema.tasks] for x in found] == [
        [None, None],
        [None, "click"],
    ]


def test_what_the_time_allows_stands(
    dataset: Dataset, architecture: Architecture, tmp_path
) -> None:
    events, evaluator, folder, best = run_with_finals(dataset, architecture, tmp_path, seed=1)
    evaluator.deadline = -1.0  # long past
    assert seesaw(evaluator, folder, best) == {}
    assert any(isinstance(event, Notice) and "time was up" in event.text for event in events)
