"""A search by the schema's fused score, from its epochs to its report and its export."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from automlrank.data.synthetic import synthetic_frame
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.measurement.fusion import fused
from automlrank.measurement.metrics import AUC, auc
from automlrank.measurement.significance import sampling
from automlrank.runs.record import Record

NAME = "auc@score"
SPACE = {
    "name": "tiny",
    "references": ["lr"],
    "embedding": {"dim": 4},
    "interaction": {"mlp": {"width": [4, 8], "depth": 1}},
    "balance": "uncertainty",
    "training": {"epochs": 1, "batch_size": 512, "dropout": 0.0, "batch_norm": False},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One search with a reference and an incumbent, whose score some rows lack."""
    frame, schema = synthetic_frame(2500, seed=0)
    score = frame["click"].to_numpy() + np.random.default_rng(0).normal(size=len(frame))
    score[::9] = np.nan
    said = schema.to_data() | {"score": "click * buy^0.5"}
    out = tmp_path_factory.mktemp("score") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMLRANK_CACHE", str(out.parent / "cache"))
        return search(
            frame.with_columns(old=pl.Series(score)),
            said,
            SPACE,
            incumbent="old",
            trials=1,
            candidates=20,
            metric=NAME,
            out=out,
        )


def labels(run: Result) -> np.ndarray:
    frame, _ = synthetic_frame(2500, seed=0)
    return frame[2000:]["click", "buy"].to_numpy()


def scores(run: Result, record: Record) -> list[np.ndarray]:
    """The fused scores of each seed of a finalist on test."""
    paths = (run.folder / "trials" / record.fingerprint).glob("final-*-test.npy")
    return [fused(np.load(path), (1.0, 0.5)) for path in sorted(paths)]


def test_finalists_have_the_scores_auc_by_the_labels_of_its_tasks(run: Result) -> None:
    """The mean over the seeds, weighted by the exponents, with an interval round it."""
    truth = labels(run)
    users = synthetic_frame(2500, seed=0)[0][2000:]["user_id"].to_numpy()
    for record in (r for r in run.results.finalists if r.architecture):
        assert record.test is not None
        each = [[auc(truth[:, task], s) for task in (0, 1)] for s in scores(run, record)]
        click, buy = np.mean(each, axis=0)
        found = record.test.by_label
        assert found["click"].value == pytest.approx(click)
        assert found["buy"].value == pytest.approx(buy)
        assert record.test.value == pytest.approx((click + 0.5 * buy) / 1.5)
        assert record.test.interval.low < record.test.value < record.test.interval.high
        assert record.test.std is not None
        columns = np.stack(scores(run, record), 1)
        low, high = sampling(AUC, truth[:, 1], columns, users).interval([0, 1, 2])
        assert found["buy"].interval.low == pytest.approx(low, abs=1e-3)
        assert found["buy"].interval.high == pytest.approx(high, abs=1e-3)
        assert set(record.test.tasks) == {"click", "buy"}


def test_the_incumbents_score_is_taken_for_the_fused_one(run: Result) -> None:
    """On the rows that have it, by the labels of all tasks; compared with every finalist."""
    record = next(r for r in run.results.references if r.name == "incumbent")
    assert record.test is not None
    (path,) = (run.folder / "trials" / record.fingerprint).glob("final-*-test.npy")
    (score,) = np.load(path).T
    known, truth = ~np.isnan(score), labels(run)
    click, buy = (auc(truth[known, task], score[known]) for task in (0, 1))
    assert record.test.value == pytest.approx((click + 0.5 * buy) / 1.5)
    assert record.test.rows == known.sum()
    best = run.results.finalists[0]
    value, error = dataclasses.astuple(record.test.versus[best.fingerprint])
    other = [[auc(truth[known, t], s[known]) for t in (0, 1)] for s in scores(run, best)]
    mean = np.mean(other, axis=0) @ [1, 0.5] / 1.5
    assert value == pytest.approx(record.test.value - mean)
    assert error > 0


def test_epochs_are_judged_by_the_score_and_tell_each_task_too(run: Result) -> None:
    record = run.results.complete[0]
    assert record.valid is not None
    assert set(record.valid.tasks) == {"click", "buy"}
    assert 0 < record.valid.value < 1
    assert record.valid_score not in [x.value for x in record.valid.tasks.values()]
    assert set(record.weights or {}) == {"click", "buy"}


def test_the_report_names_the_score(run: Result, tmp_path: Path) -> None:
    text = (run.folder / "report.md").read_text()
    assert "architectures by AUC of the score" in text
    assert "AUC of the score click \\* buy^0.5, the mean by the labels of its tasks" in text
    assert "Fused score" in text
    assert "AUC by buy" in text
    run.export(tmp_path / "code", trial=run.results.complete[0].number)
    assert "exponents: [1.0, 0.5]" in (tmp_path / "code" / "config.yaml").read_text()
    assert "def score(self" in (tmp_path / "code" / "model.py").read_text()
