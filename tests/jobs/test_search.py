"""The main job on a small table: every trial has a record, budgets hold, kills lose nothing."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import automlrank
from automlrank.blocks.history.dsin import SessionPool
from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import read_document
from automlrank.errors import BudgetError, RunError, SpaceError, TrialError, UsageError
from automlrank.jobs.latency import latency
from automlrank.jobs.report import load_run, rewrite
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.jobs.train import train
from automlrank.measurement.latency import ROUNDS, Latency
from automlrank.model.network import RankingModel
from automlrank.runs.events import Event, Notice, TrainingUpdate, TrialEnded
from automlrank.runs.folder import RunFolder

SPACE = """
name: tiny
references: [lr, deepfm]
embedding: {dim: [4, 8], l2: 0.1}
history: {choose: [none, mean_pool]}
interaction: {parallel: [{optional: {linear: {l2: 0.1}}}, {mlp: {width: [8, 16], depth: 1}}]}
training: {learning_rate: 0.01, batch_size: 512, dropout: 0.0, batch_norm: false, epochs: 2}
"""


def test_from_a_table_to_a_front(searched: Result, events: list[Event]) -> None:
    result, results = searched, searched.results
    assert results.counts["complete"] == 6
    assert results.counts["failed"] == 0
    assert {r.name for r in results.references} == {"lr", "deepfm"}
    assert all(record.valid_score for record in results.complete)
    for record in (*results.front, *results.references):
        assert record.test is not None
        assert record.test.seeds == 3
        assert record.test.interval.low < record.test.value < record.test.interval.high
        assert (result.folder / "trials" / record.fingerprint / "weights.safetensors").is_file()
    for name in (
        "report.html",
        "report.md",
        "front.json",
        "trials.csv",
        "run.yaml",
        "space.yaml",
        "schema.yaml",
        "study.db",
    ):
        assert (result.folder / name).is_file(), name
    assert load_run(result.folder).results == results
    assert any(isinstance(event, TrialEnded) for event in events)
    assert len(result.trials) == len(results.records)
    assert result.best() in results.finalists


def test_seeds_of_finalists_are_unseen_and_their_spread_is_real(searched: Result) -> None:
    result = searched
    assert any(r.test.std > 0 for r in result.results.references if r.test)
    versus = [r.test.versus for r in result.results.references if r.test]
    a, b = result.results.references
    forth, back = versus[0][b.fingerprint].value, versus[1][a.fingerprint].value
    assert back is not None
    assert forth == pytest.approx(-back)


@pytest.mark.slow
def test_one_seed_gives_one_sequence_of_trials(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one worker and latencies that are always the same; past the ten first draws TPE and
    the rungs decide by what was measured."""

    def recorded(evaluator: Evaluator, model: RankingModel) -> Latency:
        p50 = sum(p.numel() for p in model.parameters()) / 1e4
        return Latency(p50, p50, p50)

    monkeypatch.setattr(Evaluator, "latency", recorded)
    inputs["space"].write_text(
        SPACE.replace("learning_rate: 0.01", "learning_rate: {log: [1e-3, 0.1]}")
    )
    out = inputs.pop("out")
    runs = [search(**inputs, trials=16, seed=5, out=out.with_name(f"run{i}")) for i in range(2)]
    prints = [[r.fingerprint for r in run.results.records] for run in runs]
    states = [[r.state for r in run.results.records] for run in runs]
    scores = [[r.valid_score for r in run.results.complete] for run in runs]
    assert prints[0] == prints[1]
    assert states[0] == states[1]
    assert len(prints[0]) >= 16
    np.testing.assert_allclose(*scores)


def test_duplicates_are_answered_and_an_exhausted_space_ends(inputs: dict[str, Any]) -> None:
    text = SPACE.replace("[4, 8]", "4").replace("[8, 16]", "8").replace("[lr, deepfm]", "[lr]")
    inputs["space"].write_text(text)  # 4 points in all
    result = search(**inputs, trials=6, seed=0)
    counts = result.results.counts
    assert counts["complete"] <= 4
    assert counts["duplicate"] > 0
    assert "exhausted" in str(result.facts.ended)
    for record in result.results.records:
        if record.state == "duplicate":
            twin = result.record(int(record.duplicate_of or 0))
            assert twin.fingerprint == record.fingerprint
            assert twin.valid_score == record.valid_score


def test_the_budget_is_held_before_training(inputs: dict[str, Any]) -> None:
    """A budget that nothing meets names the fastest and writes nothing."""
    with pytest.raises(BudgetError, match=r"the fastest, .*, takes [\d.]+ ms"):
        search(**inputs, trials=2, latency_ms=1e-4)
    assert not inputs["out"].exists()


def test_a_space_that_the_schema_cannot_serve_is_refused(inputs: dict[str, Any]) -> None:
    inputs["space"].write_text(SPACE + "tower: ppnet\nscenario: scenario_towers\n")
    schema = inputs["schema"].read_text().replace("scenario: page\n", "")
    inputs["schema"].write_text(schema)
    with pytest.raises(SpaceError, match=r"space\.yaml:\d+: scenario: .*names no scenario"):
        search(**inputs)
    assert not inputs["out"].exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metric": "acu"}, "Did you mean 'auc'"),
        ({"candidates": 0}, "--candidates must be 1 or more"),
        ({"seed": -1}, "--seed must be 0 or more"),
        ({"trials": 0}, "--trials must be 1 or more"),
        ({"time": 0.0}, "--time must be above 0"),
        ({"device": "tpu"}, "--device must be one of"),
        ({"resume": True}, "is not a run"),
        ({"label": "clik"}, "Did you mean 'click'"),
    ],
)
def test_wrong_options_are_one_sentence(
    inputs: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        search(**{**inputs, **options})
    assert not inputs["out"].exists()


def test_a_split_of_one_class_is_refused(inputs: dict[str, Any]) -> None:
    """Before any training: AUC on such a split would be undefined for every trial."""
    import polars as pl

    frame = pl.read_parquet(inputs["data"])
    late = frame["time"] > frame["time"].quantile(0.7)
    frame.with_columns(click=pl.when(late).then(0).otherwise(frame["click"])).write_parquet(
        inputs["data"]
    )
    with pytest.raises(UsageError, match="the test split holds one class of click only"):
        search(**inputs)
    assert not inputs["out"].exists()


def test_a_folder_that_exists_is_not_touched(inputs: dict[str, Any]) -> None:
    inputs["out"].mkdir()
    (inputs["out"] / "mine.txt").write_text("x")
    with pytest.raises(RunError, match="exists and is not empty"):
        search(**inputs)
    assert [p.name for p in inputs["out"].iterdir()] == ["mine.txt"]


def test_resume_refuses_other_data_and_another_space(
    inputs: dict[str, Any], its_copy: Path
) -> None:
    frame, _ = synthetic_frame(1500, seed=3)
    other = inputs["data"].with_name("other.parquet")
    frame.write_parquet(other)
    with pytest.raises(RunError, match="belongs to other data"):
        search(**{**inputs, "data": other}, resume=True)
    inputs["space"].write_text(SPACE.replace("[4, 8]", "[4, 16]"))
    with pytest.raises(RunError, match="belongs to another space"):
        search(**inputs, resume=True)


def test_ctrl_c_ends_with_a_report_and_resume_goes_on(inputs: dict[str, Any]) -> None:
    """The trial that was cut off is trained again under the same params, counted once."""
    seen = 0

    def interrupt(event: Event) -> None:
        nonlocal seen
        if isinstance(event, TrainingUpdate) and event.what.startswith("trial"):
            seen += 1
            if seen == 12:
                raise KeyboardInterrupt

    result = search(**inputs, trials=4, seed=2, listen=interrupt)
    assert result.facts.ended == "interrupted"
    assert (result.folder / "report.md").is_file()
    before = {r.number: r.fingerprint for r in result.results.complete}
    cut = [r.fingerprint for r in result.results.records if r.reason == "interrupted"]
    assert len(cut) == 1
    again = search(**inputs, trials=4, seed=2, resume=True)
    assert again.results.counts["complete"] == 4
    assert again.results.counts["failed"] == 0
    after = {r.number: r.fingerprint for r in again.results.complete}
    assert before.items() <= after.items()
    assert again.facts.seconds > result.facts.seconds
    assert cut[0] in after.values()


@pytest.mark.slow
def test_resume_after_a_kill_loses_nothing(inputs: dict[str, Any], tmp_path: Path) -> None:
    """SIGKILL while trial 2 is trained: finished trials stay, the killed one is trained again."""
    script = tmp_path / "kill.py"
    script.write_text(
        "import os, signal, sys\n"
        "from automlrank.jobs.search import search\n"
        "from automlrank.runs.events import TrainingUpdate\n"
        "def listen(event):\n"
        "    if isinstance(event, TrainingUpdate) and event.what == 'trial 2':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"search({str(inputs['data'])!r}, {str(inputs['schema'])!r}, {str(inputs['space'])!r},\n"
        f"       out={str(inputs['out'])!r}, trials=4, seed=2, listen=listen)\n"
    )
    killed = subprocess.run([sys.executable, str(script)], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    result = search(**inputs, trials=4, seed=2, resume=True)
    assert result.results.counts["complete"] == 4
    assert [r.number for r in result.results.complete][:2] == [0, 1]
    assert 2 not in {r.number for r in result.results.records}


def test_a_second_search_on_a_run_is_refused(inputs: dict[str, Any]) -> None:
    refused: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingUpdate) and not refused:
            with pytest.raises(RunError) as caught:
                search(**inputs, resume=True)
            refused.append(str(caught.value))

    search(**inputs, trials=1, listen=listen)
    assert "another search is at work" in refused[0]


def test_the_time_covers_everything(inputs: dict[str, Any], clock: Any) -> None:
    """Trials stop at two thirds of it, finalists in time for latencies and report: at a step."""
    began, moments = clock.now, []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingUpdate):
            clock.now += 0.125
            moments.append((clock.now - began, event.what.startswith("finalist")))

    result = search(**inputs, trials=10_000, time=12.0, listen=listen)
    assert result.facts.seconds == pytest.approx(clock.now - began, abs=0.1)
    assert max(moment for moment, _ in moments) <= 10.0 + 0.125  # half of the finalists' at least
    assert max(moment for moment, final in moments if not final) <= 8.0 + 0.125
    assert clock.now - began < 12.0 + 8.0
    assert result.facts.ended == "the time was up"
    assert result.results.complete


@pytest.mark.parametrize("validated", [True, False])
def test_a_trial_that_the_clock_cuts_off_keeps_its_best_epoch(
    inputs: dict[str, Any], clock: Any, validated: bool
) -> None:
    """After a whole validation it is a result with its weights; before, its state says why not."""

    def listen(event: Event) -> None:
        if isinstance(event, TrainingUpdate) and event.what == "trial 1":
            past = event.progress.scores is not None
            clock.now += 1000.0 if past == validated else 0.0

    result = search(**inputs, trials=3, time=900.0, listen=listen)
    record = result.record(1)
    if validated:
        assert record.state == "complete"
        assert str(record.reason).startswith("the search's time was up after 1 of at most")
        assert RunFolder(result.folder).has_weights(record.fingerprint)
        assert record in result.results.complete
    else:
        assert (record.state, record.valid) == ("time_up", None)
        assert result.results.counts["time_up"] == 1
    assert result.facts.ended == "the time was up"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("not enough memory:\nmore"), "RuntimeError: not enough memory:"),
        pytest.param(
            TrialError("the loss is nan after 512 rows"),
            "TrialError: the loss is nan after 512 rows",
            marks=pytest.mark.slow,
        ),
        pytest.param(MemoryError(), "MemoryError", marks=pytest.mark.slow),
    ],
)
def test_a_trial_that_fails_is_recorded_with_its_reason(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    """One model that breaks does not end the search."""
    from automlrank.candidates.evaluator import Evaluator

    train_one, calls = Evaluator.train, []

    def break_one(self: Evaluator, model: Any, architecture: Any, seed: int, what: str, *how: Any):
        if what.startswith("trial"):
            calls.append(what)
            if len(calls) == 2:
                raise error
        return train_one(self, model, architecture, seed, what, *how)

    monkeypatch.setattr(Evaluator, "train", break_one)
    result = search(**inputs, trials=3, seed=1)
    failed = [r for r in result.results.records if r.state == "failed"]
    assert [r.reason for r in failed] == [reason]
    assert result.results.counts["complete"] == 2


def test_a_finalist_that_fails_is_told_and_the_report_stands(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from automlrank.candidates.evaluator import Evaluator

    train_one, notices = Evaluator.train, []

    def break_one(self: Evaluator, model: Any, architecture: Any, seed: int, what: str, *how: Any):
        if what.startswith("finalist lr"):
            raise TrialError("the loss is nan after 512 rows")
        return train_one(self, model, architecture, seed, what, *how)

    monkeypatch.setattr(Evaluator, "train", break_one)
    result = search(
        **inputs, trials=1, listen=lambda e: notices.append(e) if isinstance(e, Notice) else None
    )
    assert [r.name for r in result.results.references if r.test is None] == ["lr"]
    assert any("A training of lr failed: TrialError" in notice.text for notice in notices)
    assert (result.folder / "report.html").is_file()


def test_ctrl_c_among_the_finalists_keeps_those_that_were_scored(inputs: dict[str, Any]) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, TrainingUpdate) and event.what.endswith("seed 2 of 3"):
            raise KeyboardInterrupt

    result = search(**inputs, trials=1, listen=interrupt)
    assert result.facts.ended == "interrupted"
    tested = [r for r in (*result.results.records, *result.results.references) if r.test]
    assert tested
    assert {r.test.seeds for r in tested if r.test} == {1}


def test_what_the_time_cut_off_is_trained_on_resume(inputs: dict[str, Any], clock: Any) -> None:
    """A reference inside the space whose training the clock ended gets its score after all."""

    def listen(event: Event) -> None:
        clock.now += 1.0

    first = search(**inputs, trials=5, time=0.5, listen=listen)
    assert not first.results.complete
    again = search(**inputs, trials=1, resume=True)
    assert again.results.complete
    assert all(reference.valid_score for reference in again.results.references)
    assert len(again.results.references) == 2


def test_spaces_and_architectures_made_in_python(inputs: dict[str, Any]) -> None:
    """A Space, or the DSL's words as a mapping, serve as a file does."""
    from automlrank.architecture import Architecture
    from automlrank.space.combinators import use
    from automlrank.space.space import Space

    training = use(
        "training", learning_rate=0.01, batch_size=512, epochs=1, dropout=0.0, batch_norm=False
    )
    space = Space(interaction=use("mlp", width=8, depth=1), training=training, references=("lr",))
    out = inputs["out"]
    one = search(**{**inputs, "space": space}, trials=1)
    assert one.results.counts["complete"] == 1
    mapping = {"interaction": {"mlp": {"width": 8}}, "training": {"epochs": 1}, "references": []}
    other = search(**{**inputs, "space": mapping, "out": out.with_name("other")}, trials=1)
    assert other.results.counts["complete"] == 1
    architecture = Architecture.read({"architecture": "a", "interaction": "linear"})
    assert train(architecture, inputs["data"], inputs["schema"]).scores["valid"]


def test_a_late_label_that_is_null_in_a_split_is_reported(inputs: dict[str, Any]) -> None:
    """Conversions of the newest rows are not known yet: a dash, not a crash."""
    import polars as pl

    frame = pl.read_parquet(inputs["data"])
    late = frame["time"] > frame["time"].quantile(0.7)
    frame.with_columns(
        buy=pl.when(late).then(None).otherwise(frame["buy"]).cast(pl.Int8)
    ).write_parquet(inputs["data"])
    result = search(**inputs, trials=1)
    assert "buy -" in (result.folder / "report.md").read_text()


def test_a_schema_without_item_columns_is_refused(inputs: dict[str, Any]) -> None:
    schema = {
        "tasks": {"click": None},
        "features": {"user_id": {"kind": "categorical", "side": "user"}},
        "split": {"by": "random"},
    }
    with pytest.raises(UsageError, match="no feature belongs to the item"):
        search(**{**inputs, "schema": schema, "space": "lr"})


def test_train_reports_test_only_if_asked(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keeps what it was and what was said of its data."""
    monkeypatch.setattr(Dataset, "unknown", lambda *_: ["valid rows: told"])
    monkeypatch.setattr(Dataset, "notes", ("decided",))
    arguments = {"data": inputs["data"], "schema": inputs["schema"]}
    plain = train("deepfm", **arguments)
    assert plain.scores["test"] is None
    asked = train("lr", **arguments, test=True, out=tmp_path / "lr")
    assert asked.scores["test"].value > 0.5  # type: ignore[index]
    facts = read_document(tmp_path / "lr" / "training.yaml").data
    assert isinstance(facts, dict)
    assert facts["test"] is True
    assert facts["suspicions"] == list(asked.suspicions) == ["valid rows: told"]
    assert facts["notes"] == ["decided"]
    with pytest.raises(RunError, match="not empty"):
        train("lr", **arguments, out=tmp_path / "lr")
    with pytest.raises(SpaceError, match="nothing to choose"):
        train(inputs["space"], **arguments)


def test_latency_of_a_model_and_of_a_run(inputs: dict[str, Any], searched: Result) -> None:
    one = latency("lr", inputs["data"], inputs["schema"], candidates=50)
    assert len(one) == 1
    ms = one[0].latency
    assert 0 < ms.p50 <= ms.p95 <= ms.p99
    assert ms.low is not None
    assert ms.high is not None
    assert ms.low <= ms.p50 <= ms.high
    assert ms.p50_repeated is not None
    front = latency(searched.folder, inputs["data"])
    assert len(front) >= len(searched.front)


def test_finalists_are_measured_again_and_others_are_not(searched: Result) -> None:
    """The record holds the second latency, with its interval; the study keeps the first."""
    result, results = searched, searched.results
    for record in (*results.finalists, *results.references):
        ms = record.latency_ms
        low, p50, high = ms.low, ms.p50, ms.high
        assert low is not None
        assert p50 is not None
        assert high is not None
        assert low <= p50 <= high
    others = [record for record in results.complete if record.test is None]
    assert others
    assert all(record.p50 and record.latency_ms.low is None for record in others)
    assert all(record.latency_ms.p50_repeated for record in results.finalists)
    assert all(record.latency_ms.p50_repeated is None for record in others)
    assert "## Latency" in (result.folder / "report.md").read_text()
    assert all(record.latency_ms.p99 for record in results.complete)


def test_an_encoder_that_reads_no_candidate_runs_once_or_for_each(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DSIN's attention and LSTM on one row, or on 50 (by the clock 2.7 times the whole for 200)."""
    rows: list[int] = []
    extract = SessionPool.extract

    @functools.wraps(extract)  # wiring reads the names of what it takes
    def noted(self: SessionPool, keys: Any, *others: Any) -> Any:
        rows.append(len(keys))
        return extract(self, keys, *others)

    monkeypatch.setattr(SessionPool, "extract", noted)
    text = "architecture: a\nhistory: dsin\ninteraction: {mlp: {width: 8}}\n"
    (tmp_path / "dsin.yaml").write_text(text)
    (one,) = latency(tmp_path / "dsin.yaml", inputs["data"], inputs["schema"], candidates=50)
    assert one.latency.p50_repeated is not None
    assert set(rows) == {1, 50}
    assert rows.count(1) >= ROUNDS
    assert rows.count(50) >= ROUNDS


def test_a_search_ends_well_where_finalists_cannot_be_measured_again(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their first latency stands, and a sentence says so."""

    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("automlrank.jobs.run.measure_in_turn", no_memory)
    notices: list[str] = []
    result = search(
        **inputs,
        trials=1,
        listen=lambda e: notices.append(e.text) if isinstance(e, Notice) else None,
    )
    assert "The finalists' latencies were not measured again: MemoryError" in notices
    assert all(record.p50 for record in result.results.finalists)


def test_another_runtime_is_another_study(
    inputs: dict[str, Any], searched: Result, its_copy: Path
) -> None:
    assert searched.results.latency["runtime"] == "torch"
    with pytest.raises(RunError, match="belongs to another runtime"):
        search(**inputs, trials=1, seed=1, runtime="onnxruntime", resume=True)


def test_a_report_is_written_again_from_the_run(its_copy: Path, tmp_path: Path) -> None:
    before = (its_copy / "front.json").read_text()
    (its_copy / "report.md").unlink()
    rewrite(its_copy)
    assert (its_copy / "report.md").is_file()
    assert json.loads(before) == json.loads((its_copy / "front.json").read_text())
    rewrite(its_copy, html=tmp_path / "page.html")
    assert "<html" in (tmp_path / "page.html").read_text()


def test_search_takes_a_frame(tmp_path: Path) -> None:
    """The public name, from a pandas frame, with what a notebook does next."""
    frame, schema = synthetic_frame(1500, seed=0)
    (tmp_path / "space.yaml").write_text(SPACE)
    result = automlrank.search(
        frame.to_pandas(), schema, tmp_path / "space.yaml", trials=2, out=tmp_path / "run"
    )
    assert result.best(max_latency_ms=1000.0).fingerprint
    assert list(result.trials.columns)[:2] == ["number", "state"]


def test_notices_are_sentences(searched: Result, events: list[Event]) -> None:
    assert any("Finalists" in event.text for event in events if isinstance(event, Notice))
