"""In which order finalists are trained: what the report says first is known first."""

from __future__ import annotations

import dataclasses

import pytest

from automlrank.finals.finalists import SEEDS, choose_finalists, in_order, leaders_of
from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.scores import SplitScores

BEST = ("best", 0.8, 5.0)
FAST = ("fast", 0.7, 1.0)


def record(name: str, score: float, ms: float | None, state: str = "complete") -> Record:
    latency = None if ms is None else Latency(ms, ms, ms)
    architecture = {"architecture": name} if state == "complete" else {}
    valid = SplitScores(AUC, score)
    return Record(0, state, name, architecture, name, valid, latency_ms=latency, name=name)


def results(*references: Record) -> Results:
    return Results(AUC, {}, (record(*BEST), record(*FAST)), references)


@pytest.mark.parametrize(
    ("limit", "leaders"), [(None, {"best", "strong"}), (2.0, {"fast", "quick"})]
)
def test_the_leaders_are_the_best_architecture_and_the_best_reference_within_the_budget(
    limit: float | None, leaders: set[str]
) -> None:
    """The incumbent has one run, and a sentence of its own: it leads in nobody's place."""
    strong, quick = record("strong", 0.8, 9.0, "reference"), record("quick", 0.6, 1.0, "reference")
    incumbent = record("incumbent", 0.9, None, "reference")
    assert leaders_of(results(incumbent, quick, strong), limit) == leaders


def test_a_reference_that_the_space_holds_may_lead() -> None:
    inside = record("deepfm", 0.75, 3.0)
    outside = record("lr", 0.5, 1.0, "reference")
    assert leaders_of(results(outside, inside), None) == {"best", "deepfm"}


def test_without_references_the_best_architecture_leads() -> None:
    assert leaders_of(results(), None) == {"best"}


def test_one_seed_of_all_then_the_leaders_then_the_others() -> None:
    finalists = [record(name, 0.5, 1.0) for name in ("best", "second", "weak", "strong")]
    order = [(n, r.name) for n, r in in_order(finalists, {"best", "strong"})]
    assert len(order) == len(set(order)) == SEEDS * len(finalists)
    assert order[:4] == [(0, "best"), (0, "strong"), (0, "second"), (0, "weak")]
    assert order[4:8] == [(1, "best"), (1, "strong"), (2, "best"), (2, "strong")]


@pytest.mark.parametrize(("seconds", "trials"), [(1e9, 5), (100.0, 4), (60.0, 2), (0.0, 2)])
def test_with_less_time_there_are_fewer_finalists_with_two_seeds_each(
    seconds: float, trials: int
) -> None:
    """Six trials of 10 s on the front and a reference of 9 s: two trainings of all must fit."""
    front = [
        dataclasses.replace(record(f"t{n}", 0.7 + n / 100, 1.0 + n), number=n, seconds=10.0)
        for n in range(6)
    ]
    known = dataclasses.replace(record("deepfm", 0.6, 1.0, "reference"), seconds=9.0)
    found = choose_finalists(Results(AUC, {}, tuple(front), (known,)), 0.0, seconds)
    assert [r.name for r in found] == [*(f"t{5 - n}" for n in range(trials)), "deepfm"]
