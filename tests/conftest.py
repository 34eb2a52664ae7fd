"""Fixtures of all tests: one thread, a cache folder, short measurements, a small table, a clock."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from warm_python import WarmPython, understands

from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.measurement import host_lock, latency
from automlrank.measurement.latency import Call

settings.register_profile("busy", deadline=None)  # machines: a slow example is not a wrong one
settings.load_profile("busy")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Two processes of tests on two cores, and sums in one order."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads what another, or the user, has encoded."""
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True, scope="session")
def own_pauses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests run beside each other without pausing for each other's latencies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host_lock, "_folder", tmp_path_factory.getbasetemp)
        yield


@pytest.fixture(autouse=True, scope="session")
def short_measurements() -> Iterator[None]:
    """Time each latency by three calls after one: no test depends on its precision."""
    real = latency.timed

    def timed(calls: Sequence[Call], seconds: float, warm_up: int = 1, least: int = 3) -> Any:
        return real(calls, 0.0, min(warm_up, 1), min(least, 3))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "timed", timed)
        yield


@pytest.fixture(scope="session")
def warm_python() -> Iterator[WarmPython]:
    """A Python that has imported torch, for programs in processes of their own."""
    server = WarmPython()
    yield server
    server.close()


@pytest.fixture
def quick_processes(
    request: pytest.FixtureRequest, warm_python: WarmPython, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fork the Python programs that ``subprocess.run`` would start; not under ``new_process``."""
    real = subprocess.run

    def run(command: Any, **options: Any) -> Any:
        runs = warm_python.run if understands(command) else real
        return runs(command, **options)

    if request.node.get_closest_marker("new_process") is None:
        monkeypatch.setattr(subprocess, "run", run)


class Clock:
    """A clock that moves when a test, or a sleep, moves it: no law depends on the machine."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps = 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of this process."""
    clock = Clock()
    for name in ("monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, clock)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A synthetic table with every kind of column, encoded."""
    frame, schema = synthetic_frame(3000, seed=0)
    return Dataset.open(frame, schema, cache=tmp_path_factory.mktemp("store"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The synthetic table as a file."""
    frame, _ = synthetic_frame(3000, seed=0)
    path = tmp_path / "impressions.parquet"
    frame.write_parquet(path)
    return path
