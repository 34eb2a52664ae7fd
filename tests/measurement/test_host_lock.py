"""The pause lock between real processes: all pause, all go on, and the dead hold up nobody."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from automlrank.measurement import host_lock
from automlrank.measurement.host_lock import POLL_SECONDS, paced, quiet, working

WORKER = """
import sys, time
from pathlib import Path
from automlrank.measurement.host_lock import working
folder, name, step = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
with working(folder) as pace, (folder / name).open("a") as steps:
    while True:
        pace.pause()
        time.sleep(step)
        steps.write("x")
        steps.flush()
"""
MEASURER = """
import sys, time
from pathlib import Path
from automlrank.measurement.host_lock import quiet
folder = Path(sys.argv[1])
with quiet(folder) as alone:
    (folder / "measuring").touch()
    time.sleep(600)
"""
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Processes that run a program on the folder of the test; killed at its end."""
    processes = []

    def begin(program: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", program, str(tmp_path), *map(str, arguments)]
        processes.append(subprocess.Popen(command))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], seconds: float = 600.0) -> None:
    """Wait for a condition; the limit only keeps a hanging test from hanging all."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def steps(folder: Path, *names: str) -> list[int]:
    files = [folder / name for name in names]
    return [file.stat().st_size if file.exists() else 0 for file in files]


def goes_on(folder: Path, *names: str) -> None:
    """Each of the workers does more steps than it has done."""
    before = steps(folder, *names)
    until(lambda: all(a > b for a, b in zip(steps(folder, *names), before, strict=True)))


def test_all_pause_while_one_measures_and_go_on_after_it(tmp_path: Path, start: Start) -> None:
    for name in ("a", "b"):
        start(WORKER, name, 0.01)
    goes_on(tmp_path, "a", "b")
    for _ in range(2):
        with quiet(tmp_path, wait=600) as alone:
            assert alone
            before = steps(tmp_path, "a", "b")
            time.sleep(0.2)
            assert steps(tmp_path, "a", "b") == before
        goes_on(tmp_path, "a", "b")


def test_a_killed_measurer_holds_up_nobody(tmp_path: Path, start: Start) -> None:
    start(WORKER, "a", 0.01)
    goes_on(tmp_path, "a")
    measurer = start(MEASURER)
    until((tmp_path / "measuring").exists)
    before = steps(tmp_path, "a")
    time.sleep(0.2)
    assert steps(tmp_path, "a") == before
    measurer.send_signal(signal.SIGKILL)
    goes_on(tmp_path, "a")
    with quiet(tmp_path, wait=600) as alone:
        assert alone


def test_a_killed_worker_holds_up_nobody(tmp_path: Path, start: Start) -> None:
    worker = start(WORKER, "a", 0.01)
    goes_on(tmp_path, "a")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    with quiet(tmp_path, wait=0.0) as alone:
        assert alone


def test_a_long_step_is_not_waited_for_without_end(tmp_path: Path, clock: Any) -> None:
    """One process may stand for two: each opens the files anew."""
    with working(tmp_path):
        began = clock.now
        with quiet(tmp_path, wait=0.1) as alone:
            assert not alone
        assert 0.1 <= clock.now - began <= 0.1 + 2 * POLL_SECONDS


def test_who_is_outside_hinders_nobody_and_comes_back(tmp_path: Path) -> None:
    """A training is outside while its listener scores it, or measures."""
    with working(tmp_path) as pace:
        with pace.outside():
            with working(tmp_path), quiet(tmp_path, wait=0.0) as alone:
                assert not alone  # the inner work counts
            with quiet(tmp_path, wait=0.0) as alone:
                assert alone
        with quiet(tmp_path, wait=0.0) as alone:
            assert not alone


def test_who_waited_in_vain_waits_no_more(
    tmp_path: Path, start: Start, request: pytest.FixtureRequest
) -> None:
    """A measurer that was stopped by hand costs a worker one wait, not one a step."""
    with working(tmp_path, wait=0.1) as pace:
        measurer = start(MEASURER)

        def waited_in_vain() -> bool:
            pace.pause()
            return not pace.patient

        until(waited_in_vain)
        measurer.send_signal(signal.SIGSTOP)
        clock = request.getfixturevalue("clock")
        for _ in range(100):
            pace.pause()
        assert clock.sleeps == 0


def test_a_pause_while_nobody_measures_is_two_system_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It locks the door and unlocks it: 3 µs between two steps, and it opens no file."""
    real, calls = host_lock._lock, []
    with working(tmp_path) as pace:
        monkeypatch.setattr(host_lock, "_lock", lambda *how: calls.append(how) or real(*how))
        monkeypatch.setattr(host_lock.os, "open", pytest.fail)
        for _ in range(200):
            pace.pause()
    assert len(calls) == 400


def test_paced_steps_are_the_same_steps(tmp_path: Path) -> None:
    """And work is over with the last of them, or when their reader stops."""
    assert list(paced(range(5), tmp_path)) == [0, 1, 2, 3, 4]
    unread = paced(range(5), tmp_path)
    next(unread)
    unread.close()  # type: ignore[attr-defined]
    with quiet(tmp_path, wait=0.0) as alone:
        assert alone
