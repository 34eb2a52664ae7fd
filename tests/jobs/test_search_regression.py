"""A regression task alone, from the table without a schema to the report and the export."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest
from optuna.study import StudyDirection

from automlrank.data.synthetic import synthetic_frame
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.jobs.train import train
from automlrank.measurement.metrics import MAE, RMSE, rmse
from automlrank.measurement.significance import sampling
from automlrank.runs.events import DataReady, Event
from automlrank.runs.record import Record

SPACE = {
    "name": "tiny",
    "references": ["lr"],
    "embedding": {"dim": 4},
    "statistics": {"rate_fields": {"replace_ids": False}},
    "interaction": {"mlp": {"width": [4, 64], "depth": 1}},
    "training": {
        "learning_rate": [0.003, 0.01],
        "epochs": 4,
        "batch_size": 256,
        "dropout": 0.0,
        "batch_norm": False,
    },
}


def table() -> pl.DataFrame:
    """Seconds stayed: they grow with the price and with the user; what they decide is left out."""
    frame, _ = synthetic_frame(2500, seed=0)
    noise = np.random.default_rng(0).normal(scale=0.5, size=2500)
    stay = 40 * (3 + pl.col("price").log() + pl.col("user_id").cast(pl.Float64) / 25 + noise)
    return frame.with_columns(stay=stay).drop("click", "buy")


@pytest.fixture(scope="module")
def told() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, told: list[Event]) -> Result:
    out = tmp_path_factory.mktemp("stay") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMLRANK_CACHE", str(out.parent / "cache"))
        return search(
            table(), None, SPACE, label="stay", trials=2, candidates=20, out=out, listen=told.append
        )


def finals(run: Result, record: Record) -> list[np.ndarray]:
    """The values of each seed of a finalist on test."""
    paths = (run.folder / "trials" / record.fingerprint).glob("final-*-test.npy")
    return [np.load(path)[:, 0] for path in sorted(paths)]


def test_the_label_decides_the_metric_and_everyone_hears_of_it(
    run: Result, told: list[Event]
) -> None:
    assert (run.results.metric, run.facts.metric) == (RMSE, "rmse")
    assert run.facts.regression == ("stay",)
    ready = next(event for event in told if isinstance(event, DataReady))
    assert (ready.metric, ready.regression) == (RMSE, ("stay",))
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{run.folder / 'study.db'}")
    assert study.directions == [StudyDirection.MINIMIZE, StudyDirection.MINIMIZE]


def test_the_front_has_low_errors_and_low_latencies(run: Result) -> None:
    """No trial is as good in both as one of the front, and better in one."""
    assert run.results.counts["failed"] == 0
    points = [(r.valid_score, r.p50) for r in run.results.complete]
    front = [(r.valid_score, r.p50) for r in run.front]
    for point, other in itertools.product(front, points):
        assert not all(b <= a for a, b in zip(point, other, strict=True)) or point == other
    assert min(points)[0] == min(front)[0]


def test_the_best_has_the_least_error_on_validation(run: Result) -> None:
    means = [record.choice_score for record in run.results.finalists]
    assert run.best(prefer="score").choice_score == min(x for x in means if x is not None)


def test_a_finalists_error_is_that_of_its_values(run: Result) -> None:
    """With the interval and the differences of its rows; no figure of probabilities."""
    stay = table()["stay"].to_numpy()
    record = run.best()
    assert record.test is not None
    values = finals(run, record)
    labels = stay_of_test(run, stay)
    errors = [rmse(labels, x) for x in values]
    assert record.test_score == pytest.approx(np.mean(errors), rel=1e-5)
    assert max(errors) < 0.9 * labels.std()
    low, high = sampling(RMSE, labels, np.stack(values, axis=1)).interval(range(3))
    assert record.test.interval.low == pytest.approx(low, rel=1e-5)
    assert record.test.interval.high == pytest.approx(high, rel=1e-5)
    assert record.test.probabilities is None


def stay_of_test(run: Result, stay: np.ndarray) -> np.ndarray:
    """The labels of the test split, which is drawn at random."""
    store = Path((run.folder / "data" / "store.txt").read_text().strip())
    splits = pl.read_parquet(store / "rows.parquet")[:, -1].to_numpy()
    return stay[splits == 2].astype(np.float32)


def test_no_report_speaks_of_auc(run: Result) -> None:
    text = (run.folder / "report.md").read_text()
    page = (run.folder / "report.html").read_text()
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    for said in (text, body):
        assert "RMSE" in said
        assert not re.search(r"AUC|log loss|[Cc]alibration", said)
    assert "stay mean" in text


def test_it_is_exported_with_its_statistics(run: Result, tmp_path: Path) -> None:
    run.export(tmp_path / "code")
    assert "metric: rmse\n" in (tmp_path / "code" / "config.yaml").read_text()
    assert "encode_training" in (tmp_path / "code" / "training" / "table.py").read_text()
    assert (tmp_path / "code" / "rates.npz").is_file()
    assert "the RMSE of weights" in (tmp_path / "code" / "README.md").read_text()


def test_one_architecture_is_scored_by_what_was_asked_for() -> None:
    """The mean absolute error, which never exceeds the root mean squared one of the same epoch."""
    architecture: Any = {"architecture": "a", "interaction": "linear", "training": {"epochs": 1}}

    def scores(metric: str | None) -> Any:
        return train(architecture, table(), label="stay", metric=metric, candidates=20)

    absolute, usual = scores("mae"), scores(None)
    assert (absolute.metric, usual.metric) == (MAE, RMSE)
    assert absolute.scores["valid"].value < usual.scores["valid"].value
