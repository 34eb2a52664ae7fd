"""What a search says as it goes, from events made by hand."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console as Terminal

from automlrank.cli.console import Console, Format
from automlrank.cli.views import LiveView, PlainView, so_far, watch
from automlrank.cli.wording import (
    SearchTarget,
    counts,
    epoch_line,
    feasibility,
    left,
    outcome,
    sentences,
)
from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC, RMSE
from automlrank.runs.events import (
    DataReady,
    Feasibility,
    Notice,
    TrainingUpdate,
    TrialEnded,
    ignore,
)
from automlrank.runs.record import Record
from automlrank.runs.scores import SplitScores
from automlrank.training.progress import Progress

GOAL = SearchTarget(AUC, trials=20, seconds=None)
PROGRESS = Progress(2, 120_832, 0.5123, 9.0, {"click": 0.67}, {"click": 0.68})


def record(number: int, state: str = "complete", **values: Any) -> Record:
    known: dict[str, Any] = {
        "number": number, "state": state, "fingerprint": f"f{number}", "architecture": {},
        "summary": "emb16 · [linear, fm]", "valid": SplitScores(AUC, 0.6 + number / 100),
        "latency_ms": Latency(1.0 + number, 2.0 + number, 3.0 + number), "seconds": 30.0,
        "parameters": 1000}  # fmt: skip
    return Record(**{**known, **values})


def ended(*records: Record, trained: int = 3) -> TrialEnded:
    return TrialEnded(records[-1], records, trained)


LR = record(-1, "reference", name="lr")
SLOW = record(3, "over_budget", valid=None, reason="latency_ms 42 over the limit of 30")
MANY = ended(LR, record(0, name="deepfm"), record(0, name="deepfm"), record(1), record(2), SLOW)


def test_an_epochs_line_has_the_weights_that_a_balance_moved() -> None:
    plain = "epoch 3, 120,832 rows, loss 0.5123, valid AUC 0.6700 (best 0.6800)"
    assert epoch_line(PROGRESS, AUC) == plain
    moved = dataclasses.replace(PROGRESS, weights={"click": 1.25, "buy": 0.75})
    assert epoch_line(moved, AUC) == plain + ", weights click 1.25, buy 0.75"


def test_feasibility_is_one_sentence() -> None:
    draws = tuple([1.0] * 83 + [99.0] * 17)
    event = Feasibility(30.0, {"lr": 0.1, "deepfm": 4.8, "dcn_v2": 12.2}, draws)
    assert feasibility(event) == (
        "References lr 0.10 ms, deepfm 4.8 ms, dcn_v2 12.2 ms; 83 % of random draws fit 30 ms."
    )
    assert feasibility(Feasibility(30.0, {}, ())) == "No references."


def test_the_start_names_rows_rates_and_what_is_set_aside() -> None:
    event = DataReady("shop", {"train": 40_000}, {"train": {"click": 0.371}}, ("is_like",))
    text = "\n".join(sentences(event))
    assert "40,000 rows" in text
    assert "click 37.1 %" in text
    assert "Set aside, since they may be outcomes: is_like." in text


def test_a_label_that_is_never_known_has_no_rate() -> None:
    event = DataReady("shop", {"test": 4}, {"test": {"click": None}}, ())  # type: ignore[dict-item]
    assert "click -" in "\n".join(sentences(event))


def test_outcomes() -> None:
    assert outcome(record(4), AUC) == "trial 4: valid AUC 0.6400 at 5.0 ms, in 30.0 s"
    assert outcome(LR, AUC).startswith("reference (lr): valid AUC")
    assert outcome(SLOW, AUC) == "trial 3 over budget: latency_ms 42 over the limit of 30"
    failed = record(5, "failed", valid=None, reason=None)
    assert outcome(failed, AUC) == "trial 5 failed: no reason was kept"


def test_a_reference_that_failed_gives_its_reason() -> None:
    broken = record(-1, "reference", name="lr", valid=None, reason="the loss is nan")
    assert outcome(broken, AUC) == "reference (lr) reference: the loss is nan"


def test_each_trial_counts_once() -> None:
    """An event names the trial of a reference twice; references beside the study are no trials."""
    results = so_far(MANY, AUC)
    assert [r.number for r in results.records] == [0, 1, 2, 3]
    assert {r.name for r in results.references} == {"lr", "deepfm"}
    assert counts(results, 3, GOAL) == (
        "3 of 20 trained · 0 pruned · 1 over budget · 0 time up · 0 failed · 0 duplicate"
    )


def test_time_left() -> None:
    """By the limit, or by the mean of what was trained: 17 trials of 30 s."""
    results = so_far(MANY, AUC)
    assert left(results, 3, SearchTarget(AUC, 20, 1800.0), 60.0) == "60.0 s gone of 30.0 min"
    assert "about 8.5 min left for 17 trials" in left(results, 3, GOAL, 60.0)
    assert left(results, 20, GOAL, 60.0) == "60.0 s gone; the finalists remain"
    assert left(so_far(ended(LR), AUC), 0, GOAL, 1.0) == "1.0 s gone, 20 trials left"


def test_a_pipe_gets_a_line_per_beginning_and_end(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView(Console(Format.human), GOAL)
    for event in (Notice("hello"), *[TrainingUpdate("trial 3", "emb16 · fm", PROGRESS)] * 3, MANY):
        view(event)
    assert capsys.readouterr().out.splitlines() == [
        "hello",
        "training trial 3: emb16 · fm",
        "trial 3 over budget: latency_ms 42 over the limit of 30 (3 of 20 trained)",
    ]


def test_the_data_says_what_trials_are_told_by(capsys: pytest.CaptureFixture[str]) -> None:
    """A regression task has a mean, its trials an error, of which the lowest is on the front."""
    rows, means = {"train": 9}, {"train": {"stay": 35.25}}
    ready = DataReady("shop", rows, means, (), (), ("stay",), RMSE)
    trials = [record(i, valid=SplitScores(RMSE, 20.0 - i)) for i in range(2)]
    screen = Terminal(file=io.StringIO(), force_terminal=True, width=80, height=50)
    console = Console(Format.human)
    plain = PlainView(console, GOAL)
    for event in (ready, ended(*trials)):
        plain(event)
    said = capsys.readouterr().out
    assert "stay mean 35.250" in said
    assert "trial 1: valid RMSE 19.000" in said
    console.screen = screen  # type: ignore[misc]
    live = LiveView(console, GOAL)
    with live:
        live(ready)
        live(ended(*trials, record(2, valid=SplitScores(RMSE, 30.0))))
        with screen.capture() as seen:
            screen.print(live.picture(60.0))
    text = seen.get()
    assert "RMSE" in text
    assert "19.000" in text
    assert "30.000" not in text
    assert "AUC" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_sees_counts_training_and_front(width: int) -> None:
    console = Console(Format.human)
    screen = Terminal(file=io.StringIO(), force_terminal=True, width=width, height=50,
                      highlight=False, markup=False)  # fmt: skip
    console.screen = screen  # type: ignore[misc]
    view = LiveView(console, GOAL)
    with view:
        for event in (Notice("[b]hello"), MANY, TrainingUpdate("trial 4", "emb16 · fm", PROGRESS)):
            view(event)
        with screen.capture() as seen:
            screen.print(view.picture(60.0))
    text = seen.get()
    assert "3 of 20 trained" in text
    assert "trial 4: emb16 · fm" in text
    assert "epoch 3, 120,832 rows, loss 0.5123, valid AUC 0.6700 (best 0.6800)" in text
    assert "The front so far:" in text
    assert "0.6200" in text
    written = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "[b]hello" in written


def test_a_terminal_sees_what_each_worker_trains_until_it_ends() -> None:
    view = LiveView(Console(Format.human), GOAL)
    view.ended = MANY
    for what, worker in (("trial 3", "0"), ("trial 4", "1"), ("lr", "")):
        view.trainings[worker] = TrainingUpdate(what, "emb16 · fm", PROGRESS, worker)
    view.forget(SLOW)  # trial 3
    assert [training.what for training in view.trainings.values()] == ["trial 4", "lr"]
    view.forget(LR)
    assert [training.what for training in view.trainings.values()] == ["trial 4"]


@pytest.mark.parametrize("form", [Format.json, Format.quiet])
def test_other_formats_see_nothing(form: Format) -> None:
    with watch(Console(form), GOAL) as listen:
        assert listen is ignore
