"""SIGTERM and SIGHUP end a command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from automlrank.cli.signals import Ended, ended_by_signals
from automlrank.jobs import latency

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """SIGHUP is heard, even where the tests run under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def sent(number: int) -> Callable[..., None]:
    return lambda *_, **__: os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_command_that_a_signal_ends_says_so(
    number: int, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [signal.getsignal(each) for each in NUMBERS]
    monkeypatch.setattr(latency, "latency", sent(number))
    ended = command("latency", "lr", "kuairand")
    assert ended.code == 128 + number
    assert ended.err == "Interrupted: the command did not finish.\n"
    assert [signal.getsignal(each) for each in NUMBERS] == before


def test_what_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_second_signal_ends_at_once() -> None:
    after: set[object] = set()

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            after.update(signal.getsignal(each) for each in NUMBERS)

    with pytest.raises(Ended), ended_by_signals():
        work()
    assert after == {signal.SIG_DFL}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_search_ends_with_a_report_and_how_to_continue(
    number: int,
    workers: int,
    search_arguments: list[object],
    tmp_path: Path,
    interrupted: Callable[..., Any],
) -> None:
    out = tmp_path / "run"
    arguments = [*search_arguments, "--trials", 500, "--workers", workers, "--out", out]
    code, rest, err = interrupted(arguments, number)
    assert code == 0, err
    assert err == ""
    assert f"  automlrank search --config {out / 'run.yaml'} --resume --out {out}\n" in rest
    assert (out / "report.html").is_file()
