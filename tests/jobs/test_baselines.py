"""What a search compares with: the incumbent's scores and boosted trees, on the same rows."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from automlrank.candidates.available_baselines import available_baselines
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.trees import BOOSTED
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.errors import DataError, RunError, SchemaError, TrialError
from automlrank.jobs.latency import latency
from automlrank.jobs.report import load_run
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.measurement.metrics import AUC, LOGLOSS, auc
from automlrank.measurement.significance import sampling
from automlrank.report.headline import headline
from automlrank.runs.events import Event
from automlrank.runs.record import Record
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.stop_reasons import TimeIsUp
from automlrank.schema import Schema, Task, read_schema
from automlrank.training.trees.baseline import Trees, fit_trees
from automlrank.training.trees.params import SETTINGS

SPACE = {
    "name": "tiny",
    "references": ["lr", "lightgbm", "lightgbm_rates"],
    "embedding": {"dim": 4},
    "interaction": {"mlp": {"width": [4, 8], "depth": 1}},
    "training": {"epochs": 1, "batch_size": 512},
}
NULLS = slice(1100, None, 7)  # rows without a score; test begins at row 1200


def scored_frame(**columns: Any) -> tuple[pl.DataFrame, Schema]:
    """The synthetic table with a score that knows something, some rows of it null."""
    frame, schema = synthetic_frame(1500, seed=0)
    noise = np.random.default_rng(0).normal(size=len(frame))
    score = np.exp(frame["click"].to_numpy() + 1.5 * noise)
    score[NULLS] = np.nan
    return frame.with_columns(old=pl.Series(score), **columns), schema


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One search with every kind of baseline."""
    frame, schema = scored_frame()
    out = tmp_path_factory.mktemp("baselines") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMLRANK_CACHE", str(out.parent / "cache"))
        return search(frame, schema, SPACE, incumbent="old", trials=1, candidates=20, out=out)


def reference(run: Result, name: str) -> Record:
    return next(record for record in run.results.references if record.name == name)


def logits(run: Result, record: Record) -> list[np.ndarray[Any, Any]]:
    """What each seed of a finalist gave on test."""
    paths = (run.folder / "trials" / record.fingerprint).glob("final-*-test.npy")
    return [np.load(path)[:, 0] for path in sorted(paths)]


def test_the_incumbent_is_scores_and_nothing_else(run: Result) -> None:
    frame, _ = scored_frame()
    record = reference(run, "incumbent")
    assert (record.architecture, record.parameters, record.latency_ms) == ({}, None, None)
    assert record.valid is not None
    assert record.test is not None
    for split, rows in (("valid", slice(900, 1200)), ("test", slice(1200, None))):
        part = frame[rows].filter(pl.col("old").is_not_nan())
        expected = auc(part["click"].to_numpy(), part["old"].to_numpy())
        assert record.score_on(split) == pytest.approx(expected, abs=1e-12)
    assert (record.test.seeds, record.test.std) == (1, None)
    assert record.test.rows == frame[1200:]["old"].is_not_nan().sum() < 300
    assert f"{record.test.rows} of 300 test rows have a score" in (
        run.folder / "report.md"
    ).read_text(encoding="utf-8")


def test_it_is_compared_with_every_finalist_on_the_rows_that_both_scored(run: Result) -> None:
    frame, _ = scored_frame()
    test = frame[1200:]
    labels, old, users = (test[name].to_numpy() for name in ("click", "old", "user_id"))
    known = ~np.isnan(old)
    record = reference(run, "incumbent")
    assert record.test is not None
    others = [r for r in (*run.results.finalists, *run.results.references) if r is not record]
    assert set(record.test.versus) == {r.fingerprint for r in others}
    for other in others:
        assert other.test is not None
        difference, error = dataclasses.astuple(other.test.versus[record.fingerprint])
        columns = [x[known] for x in logits(run, other)]
        assert len(columns) == 3
        scores = np.stack([*columns, old[known]], axis=1)
        sampled = sampling(AUC, labels[known], scores, users[known])
        expected = sampled.difference([0, 1, 2], [3])
        assert (difference, error) == pytest.approx(expected)
        found = dataclasses.astuple(record.test.versus[other.fingerprint])
        assert found == pytest.approx((-difference, error))


def test_boosted_trees_are_references_like_others(run: Result) -> None:
    """Latency, three unseen seeds with a spread, logits kept, no parameters, no weights."""
    for name in ("lightgbm", "lightgbm_rates"):
        record = reference(run, name)
        assert record.test is not None
        assert (record.state, record.architecture, record.reason) == ("reference", {}, None)
        assert record.p50 > 0  # type: ignore[operator]
        assert record.is_measured_again  # in turn with the networks, as many trees as it has
        assert record.latency_ms.low is not None
        assert record.test_score > 0.6  # type: ignore[operator]
        assert record.test.seeds == 3
        assert record.test.std > 0
        assert set(record.test.tasks) == {"click", "buy"}
        assert len(logits(run, record)) == 3
    assert reference(run, "lightgbm").fingerprint != reference(run, "lightgbm_rates").fingerprint


def test_what_is_no_architecture_is_shown_but_never_chosen(run: Result) -> None:
    results = run.results
    chosen = (*results.front, *results.finalists, *results.within(None), run.best())
    assert all(record.architecture for record in chosen)
    assert {r.name for r in results.baselines} == {"incumbent", "lightgbm", "lightgbm_rates"}
    assert results.incumbent == reference(run, "incumbent")
    for text in ((run.folder / name).read_text("utf-8") for name in ("report.md", "report.html")):
        assert "LightGBM with target rates" in text
        assert "the current model" in text


def test_what_is_no_architecture_is_not_exported(run: Result, tmp_path: Path) -> None:
    number = reference(run, "lightgbm").number
    with pytest.raises(
        RunError, match=f"trial {number} .lightgbm. is not an architecture. Give the"
    ):
        run.export(tmp_path / "model", trial=number)
    assert not (tmp_path / "model").exists()
    assert run.export(tmp_path / "model")


def test_the_run_is_read_back_and_measured_again(run: Result) -> None:
    frame, _ = scored_frame()
    again = load_run(run.folder)
    assert again.results == run.results
    names = {timed.name for timed in latency(run.folder, frame, candidates=20)}
    assert "lr" in names
    assert not names & {"incumbent", "lightgbm", "lightgbm_rates"}


def test_kept_trees_answer_as_the_trained_ones(dataset: Dataset, tmp_path: Path) -> None:
    trees = fit_trees(dataset, with_rates=False, seed=0, tell=lambda _: None)
    trees.save(tmp_path / "trees")
    again = Trees.load(tmp_path / "trees", dataset, with_rates=False)
    batch = dataset.request("valid", 20)
    assert torch.equal(again(batch), trees(batch))
    (tmp_path / "trees" / "1.txt").write_text("tree")
    with pytest.raises(TrialError):
        Trees.load(tmp_path / "trees", dataset, with_rates=False)


def test_the_score_is_no_feature_and_no_suspect(run: Result) -> None:
    schema = read_schema(run.folder / "schema.yaml")
    assert schema.incumbent == "old"
    assert "old" not in {feature.name for feature in schema.features}
    assert not [sentence for sentence in run.facts.suspicions if "old" in sentence]


def test_each_reference_has_a_number_of_its_own(run: Result) -> None:
    assert len({record.number for record in run.results.references}) == 4


def test_a_resumed_run_trains_no_rival_again(run: Result) -> None:
    frame, schema = scored_frame()
    trained: list[object] = []
    arguments = {"trials": 1, "candidates": 20, "out": run.folder, "resume": True}
    again = search(frame, schema, SPACE, incumbent="old", listen=trained.append, **arguments)
    before, after = (
        [dataclasses.replace(record, latency_ms=None) for record in results.references]
        for results in (run.results, again.results)
    )
    assert after == before  # but for the finalists' latencies, which are measured again
    assert not [event for event in trained if type(event).__name__ == "Training"]


def test_scores_that_leak_the_label_win_and_the_headline_says_so(tmp_path: Path) -> None:
    """A 0/1 column would be set aside as an outcome; named as the incumbent it is neither that
    nor a suspect nor a feature."""
    frame, schema = synthetic_frame(1500, seed=0)
    frame = frame.select("item_id", "price", "time", "click", old=pl.col("click"))
    space = {**SPACE, "references": []}
    bare = Schema((Task("click"),), split=schema.split)
    result = search(
        frame, bare, space, incumbent="old", trials=1, candidates=20, out=tmp_path / "run"
    )
    text = headline(result.results, result.facts)
    assert text.startswith(
        "The current model ('old') scores test AUC 1.0000 ± 0.0000 and beats the recommended"
    )
    assert text.endswith("is significant at 95 %.")
    assert "old" not in result.facts.set_aside
    assert not [sentence for sentence in result.facts.suspicions if "old" in sentence]


def test_a_models_own_scores_are_a_tie_with_it(run: Result, tmp_path: Path) -> None:
    """On another scale, in a table of their own: the difference is the spread of its seeds."""
    frame, schema = synthetic_frame(1500, seed=0)
    own = logits(run, reference(run, "lr"))[0]
    scores = np.concatenate([np.zeros(1200), np.exp(own)])
    frame = frame.with_columns(old=pl.Series(scores))
    space = {**SPACE, "references": ["lr"]}
    result = search(
        frame, schema, space, incumbent="old", trials=1, candidates=20, out=tmp_path / "run"
    )
    lr, incumbent = reference(result, "lr"), reference(result, "incumbent")
    assert incumbent.test is not None
    difference, error = dataclasses.astuple(incumbent.test.versus[lr.fingerprint])
    assert abs(difference) <= 1.96 * error
    assert incumbent.test_score == pytest.approx(lr.test_score, abs=0.01)


def test_without_lightgbm_it_is_skipped_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # as if it could not be imported
    frame, schema = synthetic_frame(1000, seed=0)
    result = search(frame, schema, SPACE, trials=1, candidates=20, out=tmp_path / "run")
    assert {record.name for record in result.results.references} == {"lr"}
    why = "LightGBM is not installed: pip install 'automlrank[lightgbm]'."
    assert result.facts.skipped == {"lightgbm": why, "lightgbm_rates": why}
    assert "pip install" in (result.folder / "report.md").read_text(encoding="utf-8")


def test_rivals_that_make_no_sense_are_skipped_with_the_reason(dataset: Dataset) -> None:
    names = ("lr", "lightgbm", "lightgbm_rates", "lightgbm")
    schema = dataclasses.replace(dataset.schema, incumbent="old")
    usable, skipped = available_baselines(schema, names, AUC)
    assert [baseline.name for baseline in usable] == ["incumbent", "lightgbm", "lightgbm_rates"]
    assert not skipped
    usable, skipped = available_baselines(schema, names, LOGLOSS)
    assert skipped == {"incumbent": "its score may have any scale, which logloss cannot judge."}
    bare = dataclasses.replace(schema, features=schema.of_role("numbers"), statistics=None)
    bare = dataclasses.replace(bare, crosses=(), scenario=None, incumbent=None)
    usable, skipped = available_baselines(bare, names, AUC)
    assert [baseline.name for baseline in usable] == ["lightgbm"]
    assert skipped == {"lightgbm_rates": "the schema has no statistics."}


def test_trees_end_when_the_time_is_up_and_say_what_lightgbm_refuses(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[Event] = []
    evaluator = Evaluator(dataset, SearchConfig(), rounds.append)
    evaluator.deadline = -1.0  # long past
    with pytest.raises(TimeIsUp):
        BOOSTED["lightgbm"].train(evaluator, 0, "lightgbm")
    assert len(rounds) == 1
    monkeypatch.setitem(SETTINGS, "num_leaves", 1)
    with pytest.raises(TrialError, match="num_leaves"):
        BOOSTED["lightgbm"].train(evaluator, 0, "lightgbm")


def test_a_score_is_checked_before_anything_is_encoded(tmp_path: Path) -> None:
    frame, schema = scored_frame(words=pl.lit("high"))
    with pytest.raises(SchemaError, match=r"no column 'odl'\. Did you mean 'old'"):
        Dataset.open(frame, schema, incumbent="odl")
    with pytest.raises(SchemaError, match=r"score 'words' must be numeric, but is String, such as"):
        Dataset.open(frame, schema, incumbent="words")
    for name in ("price", "click"):
        with pytest.raises(SchemaError, match=f"score '{name}' must be no label and no feature"):
            Dataset.open(frame, schema, incumbent=name)
    gone = frame.with_columns(old=pl.when(pl.int_range(pl.len()) < 1200).then("old"))
    with pytest.raises(DataError, match="'old' is null in every row of the test split"):
        Dataset.open(gone, schema, incumbent="old")


def test_the_store_keeps_scores_apart_from_batches() -> None:
    frame, schema = scored_frame()
    data = Dataset.open(frame, dataclasses.replace(schema, incumbent="old"))
    np.testing.assert_array_equal(data.incumbent("test"), frame["old"][1200:])
    assert "incumbent" not in data.take("test", np.arange(3))
    assert "incumbent" not in data.request("test", 3)
    part = data.sample(300)
    assert part.incumbent("train").shape == (part.rows["train"],)  # type: ignore[union-attr]
    assert Dataset.open(*synthetic_frame(1000)).incumbent("test") is None
