"""A regression task beside a binary one: its scale, its score, its place in every report."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import automlrank
from automlrank.architecture import Architecture
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.metric_checks import check_weights
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import parse_document
from automlrank.errors import SchemaError
from automlrank.finals.breakdown import breakdown
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import AUC, RMSE, rmse
from automlrank.measurement.significance import sampling
from automlrank.model.network import build_model
from automlrank.runs.events import ignore
from automlrank.runs.search_config import SearchConfig
from automlrank.schema import Schema, Task
from automlrank.training.loop import fit, predict, score
from automlrank.training.trees.baseline import fit_trees

MEAN, DEVIATION = 50_000.0, 20_000.0


def table(rows: int = 3000) -> tuple[pl.DataFrame, Schema]:
    """Seconds watched, which grow with the item's price, unknown in every fifth row."""
    frame, schema = synthetic_frame(rows, seed=0)
    noise = np.random.default_rng(0).normal(size=rows)
    price = np.log(frame["price"].to_numpy())
    watched = MEAN + DEVIATION * (price / price.std() + 0.3 * noise)
    known = pl.Series(watched).set(pl.Series(np.arange(rows) % 5 == 0), None)
    tasks = (Task("click"), Task("watched", "regression"))
    return frame.with_columns(watched=known), dataclasses.replace(
        schema, tasks=tasks, statistics=None, crosses=()
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset.open(*table(), cache=tmp_path_factory.mktemp("store"))


def architecture(loss: str = "bce", bf16: str = "auto") -> Architecture:
    text = (
        f"{{architecture: a, embedding: {{dim: 8}}, interaction: {{mlp: {{width: 32}}}}, "
        f"loss: {loss}, "
        f"training: {{learning_rate: 0.01, batch_size: 128, epochs: 6, bf16: {bf16}}}}}"
    )
    return Architecture.read(parse_document(text).data)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset.open(*table(6000), cache=tmp_path_factory.mktemp("larger"))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("bf16", ["true", "false"])
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_it_learns_values_in_the_labels_units(
    larger: Dataset, loss: str, bf16: str, seed: int
) -> None:
    """Far below the labels' own deviation, and click learns beside it: .34 and .75 or better."""
    chosen = architecture(loss, bf16)
    model = build_model(chosen, larger.schema, seed)
    for _ in fit(model, chosen, larger, seed=seed):
        pass
    scores = score(model, larger, "valid", AUC)
    assert scores["watched"] < 0.6 * DEVIATION
    assert scores["click"] > 0.6
    labels = larger.labels("valid")[:, 1]
    assert scores["watched"] == rmse(labels, predict(model, larger, "valid")[:, 1])


def test_an_untrained_model_says_the_mean(data: Dataset) -> None:
    """Once training has begun: the scale is the training rows', and stays with the weights."""
    model = build_model(architecture(), data.schema, 0)
    next(iter(fit(model, architecture(), data, seed=0)))
    state, labels = model.state_dict(), data.labels("train")[:, 1]
    assert state["scale.mean"].tolist() == pytest.approx([0.0, np.nanmean(labels)], rel=1e-5)
    assert state["scale.deviation"].tolist() == pytest.approx([1.0, np.nanstd(labels)], rel=1e-5)


def test_the_error_is_its_loop() -> None:
    labels, guesses = [1.0, np.nan, -2.0, 0.5], [0.0, 9.0, -2.5, 0.5]
    assert rmse(labels, guesses) == pytest.approx(((1.0 + 0.25 + 0.0) / 3) ** 0.5)
    assert np.isnan(rmse([np.nan], [1.0]))


def test_an_error_varies_as_its_resampled_rows_do() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=500)
    guesses = labels[:, None] + rng.normal(size=(500, 2)) * [0.5, 0.8]
    found = sampling(RMSE, labels, guesses)
    drawn = []
    for _ in range(400):
        rows = rng.integers(500, size=500)
        drawn.append([rmse(labels[rows], guesses[rows, m]) for m in range(2)])
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), np.std(drawn, axis=0), rtol=0.12)
    assert found.values.tolist() == pytest.approx([rmse(labels, guesses[:, m]) for m in range(2)])
    assert np.isnan(sampling(RMSE, labels[:1], guesses[:1]).covariance).all()


def test_its_part_has_no_positives(data: Dataset) -> None:
    logits = np.stack([np.zeros(data.rows["test"]), np.full(data.rows["test"], MEAN)], axis=1)
    found = breakdown(data, AUC, {"a": [logits, logits]})["a"].tasks["watched"]
    labels = data.labels("test")[:, 1]
    assert found.value == pytest.approx(rmse(labels, logits[:, 1]))
    assert found.interval.low < found.value < found.interval.high
    assert found.rows == (~np.isnan(labels)).sum()
    assert found.positives is None


def test_what_a_metric_does_not_judge_is_named(data: Dataset) -> None:
    """A task of the other kind, the primary one or one that is weighed."""
    tasks = data.schema.tasks[::-1]
    first = dataclasses.replace(data, schema=dataclasses.replace(data.schema, tasks=tasks))
    problem = "auc judges binary tasks, but 'watched' is a regression task. .* by rmse, mae"
    with pytest.raises(SchemaError, match=problem):
        Evaluator(first, SearchConfig(), ignore)
    with pytest.raises(SchemaError, match=problem):
        Evaluator(data, SearchConfig(metric="auc:click=1,auc:watched=1"), ignore)
    with pytest.raises(SchemaError, match="rmse judges regression tasks, but 'click' is a binary"):
        Evaluator(data, SearchConfig(metric="rmse"), ignore)
    with pytest.raises(SchemaError, match="a task 'clik' that the schema does not have"):
        check_weights(parse_metric("auc:clik=1"), data.schema)
    for name, allowed in (("rmse", first), ("mae:watched=1", data), ("auc:click=1", first)):
        Evaluator(allowed, SearchConfig(metric=name), ignore)


def test_trees_learn_it_too(data: Dataset) -> None:
    trees = fit_trees(data, with_rates=False, seed=0, tell=lambda progress: None)
    scores = score(trees, data, "valid", AUC)
    assert scores["watched"] < 0.6 * DEVIATION
    assert scores["click"] > 0.6


def test_a_search_reports_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the table to the report, an export's script among it."""
    monkeypatch.setattr("automlrank.finals.specialists.LEAST_ROWS", 0)
    frame, schema = table(2000)
    frame.write_parquet(tmp_path / "t.parquet")
    space = {
        "name": "tiny",
        "references": ["lr"],
        "embedding": {"dim": 4},
        "interaction": {"mlp": {"width": [8, 16], "depth": 1}},
        "balance": {"choose": ["uncertainty", "gradnorm"]},
        "training": {"learning_rate": 0.01, "batch_size": 512, "epochs": 1, "dropout": 0.0}
        | {"batch_norm": False},
    }
    result = automlrank.search(
        tmp_path / "t.parquet", schema, space, trials=2, out=tmp_path / "run"
    )
    assert result.results.counts["failed"] == 0
    best = result.best()
    assert best.test is not None
    assert best.test.tasks["watched"].value > 0
    assert set(best.test.seesaw) == {"tasks", "scenarios"}
    assert all(record.weights for record in result.results.complete)
    text = (tmp_path / "run" / "report.md").read_text()
    for heading in ("## Tasks", "RMSE of watched", "## Scenarios", "## Seesaw", "## Task weights"):
        assert heading in text
    result.export(tmp_path / "code")
    assert "label_deviations" in (tmp_path / "code" / "objective.py").read_text()
