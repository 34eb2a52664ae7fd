"""The ways to search: who proposes, who is stopped, one objective or two, when it ends early."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from automlrank.errors import RunError, UsageError
from automlrank.jobs.search import search
from automlrank.measurement.metric_language import parse_metric
from automlrank.study import rungs
from automlrank.study.samplers import SAMPLERS
from automlrank.study.study import NAME

SPACE = """
name: tiny
references: [lr]
embedding: {dim: [2, 4, 8], l2: {log: [0.01, 10.0]}}
interaction:
  parallel: [{optional: {linear: {l2: 0.1}}}, {mlp: {width: [4, 8, 16], depth: [1, 2]}}]
training: {learning_rate: {log: [1.0e-4, 0.1]}, batch_size: 256, dropout: 0.0, batch_norm: false,
           epochs: 3}
"""


@pytest.fixture
def inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    return {**inputs, "candidates": 20, "seed": 3}


def study_of(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name=NAME, storage=f"sqlite:///{folder}/study.db")


def test_what_falls_behind_is_stopped_at_a_rung(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped trials say where, keep no score, and leave their values at rungs to their peers."""
    monkeypatch.setattr(rungs, "MOST_ERROR", 1.0)  # the small sample of a small table will do
    result = search(**inputs, trials=14, pruner="halving")
    pruned = [r for r in result.results.records if r.state == "pruned"]
    assert pruned
    assert all(record.valid is None and record.rows_seen for record in pruned)
    rows = result.facts.rows["train"]
    places = {rows // 4, rows}
    assert {int(str(r.reason).split()[-2].replace(",", "")) for r in pruned} <= places
    assert all(record.valid for record in result.results.references)
    values = [t.user_attrs for t in study_of(result.folder).get_trials(deepcopy=False)]
    later = [r for r in pruned if f" {rows:,} rows" in str(r.reason)]
    reached = len(result.results.complete) + len(later)
    assert sum(f"rung:{rows}" in attributes for attributes in values) == reached


@pytest.mark.slow
def test_none_stops_nobody(inputs: dict[str, Any]) -> None:
    result = search(**inputs, trials=8, pruner="none")
    assert result.results.counts["pruned"] == 0
    assert len(result.results.complete) == 8


@pytest.mark.parametrize(
    "sampler",
    [
        name if name == "nsga2" else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(SAMPLERS)
    ],
)
def test_every_sampler_searches(inputs: dict[str, Any], sampler: str) -> None:
    """The same number of trials, each inside the space; the same seed gives the same ones."""
    space = inputs["space"]
    space.write_text(SPACE.replace("epochs: 3", "epochs: 1"))
    result = search(**inputs, trials=12, sampler=sampler, pruner="none")
    assert len(result.results.complete) == 12
    assert {r.architecture["embedding"]["dim"] for r in result.results.complete} <= {2, 4, 8}


def test_with_one_objective_latency_is_a_budget_only(inputs: dict[str, Any]) -> None:
    """Optuna's own pruner is asked, the study has one direction, and records are as ever."""
    result = search(**inputs, trials=8, objectives=1, latency_ms=50.0)
    study = study_of(result.folder)
    assert len(study.directions) == 1
    assert all(record.p50 for record in result.results.complete)
    assert result.results.front
    trained = [t for t in study.get_trials(deepcopy=False) if "began" in t.user_attrs]
    assert any(trial.intermediate_values for trial in trained)
    with pytest.raises(RunError, match="belongs to another number of objectives"):
        search(**inputs, trials=8, latency_ms=50.0, resume=True)


@pytest.mark.slow
def test_a_search_that_stands_still_ends(inputs: dict[str, Any]) -> None:
    """After so many trainings without a larger hypervolume, and it says so."""
    result = search(**inputs, trials=40, patience=4, pruner="none")
    assert result.facts.ended == "4 trainings brought no better front"
    assert len(result.results.complete) < 40


@pytest.mark.slow
def test_a_trial_has_its_time(inputs: dict[str, Any]) -> None:
    """What takes longer is over a limit, as with parameters and latency, and never failed."""
    result = search(**inputs, trials=2, trial_time=1e-3)
    assert result.results.counts["over_budget"] == 2
    reasons = [r.reason for r in result.results.records if r.state == "over_budget"]
    assert all(str(reason).startswith("seconds ") for reason in reasons)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sampler": "tpee"}, "--sampler must be one of .* but got 'tpee'. Did you mean 'tpe'"),
        (
            {"pruner": "halve"},
            "--pruner must be halving or none, but got 'halve'. Did you mean 'halving'",
        ),
        ({"workers": 0}, "--workers must be 1 or more"),
        ({"objectives": 3}, "--objectives must be 1 or 2"),
        ({"patience": -1}, "--patience must be 0 or more"),
        ({"trial_time": 0.0}, "--trial-time must be above 0"),
    ],
)
def test_wrong_ways_are_one_sentence(
    inputs: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        search(**{**inputs, **options})
    assert not inputs["out"].exists()


def test_a_search_by_several_tasks_and_a_loss_that_bends(inputs: dict[str, Any]) -> None:
    """The metric is the weighted mean everywhere; log loss is told recalibrated, too."""
    name = "auc:buy=2,auc:click=1"
    inputs["space"] = {
        "name": "bent",
        "references": ["lr"],
        "embedding": {"dim": 4},
        "interaction": {"mlp": {"width": [8, 16], "depth": 1}},
        "loss": {"weighted_bce": {"w1": 4.0, "prior": False}},
        "balance": "pareto",
        "training": {"learning_rate": 0.01, "batch_size": 512, "epochs": 1, "dropout": 0.0}
        | {"batch_norm": False},
    }
    result = search(**inputs, trials=1, metric=name)
    best = result.results.finalists[0]
    assert best.valid is not None
    assert best.test is not None
    tasks = {task: score.value for task, score in best.valid.tasks.items()}
    assert best.valid_score == pytest.approx((2 * tasks["buy"] + tasks["click"]) / 3)
    assert best.test.logloss_recalibrated < best.test.probabilities.logloss
    assert "weighted AUC" in (result.folder / "report.md").read_text()
    result.export(result.folder / "code", trial=best.number)
    config = yaml.safe_load((result.folder / "code" / "config.yaml").read_text())
    assert parse_metric(config["metric"]).weights == {"buy": 2.0, "click": 1.0}


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        ("auc:click=1,logloss:buy=1", "different metrics have no mean"),
        ("auc:clik=1", "the metric weighs a task 'clik' that the schema does not have"),
        ("gauc@score", "gauc@score needs a score in the schema. Write score: click \\* buy, with"),
        ("auc@scor", "a fused score is judged by .* but got 'auc@scor'. Did you mean 'auc@score'"),
    ],
)
def test_a_metric_that_cannot_be_is_named(
    inputs: dict[str, Any], metric: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        search(**inputs, trials=1, metric=metric)
