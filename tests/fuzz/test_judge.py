"""The judge tells what is wrong with a case, whatever it is, and a seed makes a case again."""

from __future__ import annotations

import multiprocessing
import os
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from automlrank.errors import UsageError

from . import judge, pool
from .families import FAMILIES
from .judge import Family, Rng, Verdict, judged, rng_of
from .pool import Batch, Worker


def _number(rng: Rng) -> int:
    return int(rng.integers(10))


def _end(case: int, folder: Path) -> None:
    """End in another way for each number."""
    match case:
        case 0:
            (folder / "left").write_text("for a person to look at")
            raise KeyError("inside")
        case 1:
            warnings.warn("a person would see it", stacklevel=1)
        case 2:
            raise UsageError("no sentence")
        case 3:
            raise UsageError("KeyError at 0x7f2a.")
        case 4:
            raise UsageError("long. " * 2000)
        case 5:
            raise SystemExit(1)
        case 6:
            time.sleep(60)
        case 7:
            raise UsageError("the file x is empty.")


def _family(**changed: Any) -> Family:
    def nothing(*_: object) -> None:
        pass

    steps: dict[str, Any] = {"case": _number, "attempt": _end, "hold": nothing, "refused": nothing}
    return Family("judged", "none", 0, 0, **{**steps, **changed})


@pytest.mark.parametrize(
    ("case", "outcome", "reason"),
    [
        (0, "failed", "KeyError: 'inside'"),
        (1, "failed", "UserWarning: a person would see it"),
        (2, "failed", "no sentence: 'no sentence'"),
        (3, "failed", "the inside of a program"),
        (4, "failed", "a refusal of 1"),
        (5, "failed", "SystemExit: 1"),
        (6, "failed", "more than 1 seconds"),
        (7, "refused", "the file x is empty."),
        (8, "accepted", ""),
    ],
)
def test_an_end_is_told_for_what_it_is(
    case: int, outcome: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracebacks, warnings, sentences that are none, an exit, a case without an end."""
    monkeypatch.setattr(judge, "SECONDS", 1)
    place = tmp_path / "case"
    verdict = judged(_family(case=lambda rng: case), 0, place)
    assert verdict.outcome == outcome
    assert reason in verdict.reason
    assert place.exists() == (outcome == "failed")


def test_a_broken_law_is_a_failure(tmp_path: Path) -> None:
    """Laws of what is taken, and of refusals."""

    def broken(*_: object) -> None:
        raise AssertionError("another number of rows")

    taken = judged(_family(case=lambda rng: 8, hold=broken), 0, tmp_path / "a")
    refused = judged(_family(case=lambda rng: 7, refused=broken), 0, tmp_path / "b")
    for verdict in (taken, refused):
        assert verdict.outcome == "failed"
        assert "another number of rows" in verdict.reason


def _crash(pipe: Any, place: Path) -> None:
    """End at the second of three cases, as a process does whose compiled code crashes."""
    batch = pipe.recv()
    for seed in range(batch.first, batch.first + batch.number):
        if seed == 1:
            os._exit(139)
        pipe.send(judged(_family(case=lambda rng: 8), seed, place / "case"))


def _hang(pipe: Any, place: Path) -> None:
    pipe.recv()
    time.sleep(600)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that need no imports; they do nothing with threads."""
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: fork)


@pytest.mark.usefixtures("forked")
def test_a_dead_process_is_a_failure_of_its_case_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has the cases that are left."""
    monkeypatch.setattr(pool, "work", _crash)
    worker = Worker(tmp_path)
    try:
        worker.give(Batch("judged", 0, 3))
        ends = [end for _ in range(3) if (end := worker.heard())]
    finally:
        worker.end()
    outcomes = [(seed, verdict.outcome) for _, seed, verdict, _ in ends]
    assert outcomes == [(0, "accepted"), (1, "failed"), (2, "accepted")]
    assert ends[1][2].reason == "the process ended with 139"
    assert worker.batch is None


@pytest.mark.usefixtures("forked")
def test_compiled_code_without_an_end_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows no alarm: its process is killed."""
    monkeypatch.setattr(pool, "work", _hang)
    monkeypatch.setattr(pool, "SECONDS", 0)
    monkeypatch.setattr(pool, "GRACE_SECONDS", 0)
    worker = Worker(tmp_path)
    try:
        worker.give(Batch("judged", 0, 1))
        worker.end_if_late()
        end = worker.heard()
    finally:
        worker.process.kill()
        worker.end()
    assert end is not None
    assert end[2] == Verdict("failed", "the process ended with -9")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_seed_makes_a_case_again(name: str) -> None:
    """And another seed another case."""
    cases = [repr(FAMILIES[name].case(rng_of(name, seed))) for seed in (3, 3, 4)]
    assert cases[0] == cases[1] != cases[2]
