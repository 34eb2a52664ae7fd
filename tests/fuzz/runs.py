"""Folders of runs and of encoded tables that were cut, emptied, zeroed, swapped or edited."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from automlrank.data.dataset import Dataset
from automlrank.data.split import NAMES
from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump
from automlrank.errors import UsageError
from automlrank.jobs.export import export
from automlrank.jobs.latency import latency
from automlrank.jobs.report import rewrite
from automlrank.jobs.result import load_run
from automlrank.jobs.search import search
from automlrank.measurement import latency as measurement

from .command import command
from .damage import DAMAGES, damaged
from .draws import between, pick
from .judge import Rng

ACTIONS = ("report", "report", "export", "load", "latency", "cache", "cache", "command", "resume")
ROWS = 600
NUMBER = re.compile(r"[0-9a-f]{20,}|\d+")
SPACE: dict[str, Any] = {
    "name": "tiny",
    "references": ["lr"],
    "embedding": {"dim": 4},
    "history": {"choose": ["mean_pool", "none"]},
    "interaction": {"choose": ["linear", {"mlp": {"width": 8, "depth": 1}}]},
    "training": {"epochs": 1, "batch_size": 256},
}


@dataclass(frozen=True)
class RunCase:
    """Damage to some files of a folder, and what is then done with it."""

    action: str
    damages: tuple[str, ...]
    seed: int


def case(rng: Rng) -> RunCase:
    """Draw an action and one or two damages."""
    damages = tuple(pick(rng, DAMAGES) for _ in range(pick(rng, (1, 1, 1, 2))))
    return RunCase(pick(rng, ACTIONS), damages, between(rng, 0, 2**31))


@functools.cache
def made() -> Path:
    """Return a folder with a small run, its table, schema and encoded rows, made once."""
    place = Path(tempfile.mkdtemp(prefix="fuzz-run-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    frame, schema = synthetic_frame(ROWS, seed=0)
    frame.write_parquet(place / "table.parquet")
    (place / "schema.yaml").write_text(dump(schema.to_data()))
    (place / "space.yaml").write_text(dump(SPACE))
    options = {"trials": 2, "device": "cpu", "candidates": 10, "latency_ms": 1000.0}
    names = (place / name for name in ("table.parquet", "schema.yaml", "space.yaml"))
    with cache_in(place), short():
        search(*names, out=place / "run", **options)
    return place


@contextlib.contextmanager
def cache_in(place: Path) -> Iterator[None]:
    """Keep encoded rows in the folder."""
    with mock.patch.dict(os.environ, {"AUTOMLRANK_CACHE": str(place / "cache")}):
        yield


@contextlib.contextmanager
def short() -> Iterator[None]:
    """Time each latency by three calls."""
    real = measurement.timed

    def timed(calls: Any, seconds: float, warm_up: int = 1, least: int = 3) -> Any:
        return real(calls, 0.0, min(warm_up, 1), min(least, 3))

    with mock.patch.object(measurement, "timed", timed):
        yield


def attempt(case: RunCase, folder: Path) -> Any:
    """Damage a copy, and use it."""
    place = folder / "place"
    shutil.copytree(made(), place)
    rng = np.random.default_rng(case.seed)
    target = place / ("cache" if case.action == "cache" else "run")
    store = place / "run" / "data" / "store.txt"
    store.write_text(store.read_text().replace(str(made()), str(place)))
    files = sorted(path for path in target.rglob("*") if path.is_file())
    for damage in case.damages:
        kind = pick(rng, sorted(set(map(kind_of, files))))  # of each kind as often
        chosen = pick(rng, [path for path in files if kind_of(path) == kind])
        files.remove(chosen)
        damaged(rng, chosen, damage, files)
    with cache_in(place), short():
        return _ACTIONS[case.action](place)


def kind_of(file: Path) -> str:
    """Return a file's name without numbers and fingerprints."""
    return NUMBER.sub("", file.name)


# ---- what is done with a run --------------------------------------------------------------------


def _report(place: Path) -> None:
    rewrite(place / "run")
    assert (place / "run" / "report.md").read_text(encoding="utf-8").strip()


def _load(place: Path) -> None:
    result = load_run(place / "run")
    assert result.results.metric
    assert len(result.trials) == len(result.results.records)
    result.best()


def _export(place: Path) -> None:
    files = export(place / "run", place / "export")
    for file in files:
        if file.suffix == ".py":
            compile(file.read_text(encoding="utf-8"), file.name, "exec")


def _latency(place: Path) -> None:
    timed = latency(place / "run", place / "table.parquet", candidates=10, device="cpu")
    assert all(one.latency.p50 > 0 for one in timed)


def _cache(place: Path) -> Dataset:
    return Dataset.open(place / "table.parquet", place / "schema.yaml")


def _command(place: Path) -> None:
    command("report", place / "run", "--format", "json")
    command("export", place / "run", "--out", place / "export")


def _resume(place: Path) -> None:
    names = (place / name for name in ("table.parquet", "schema.yaml", "space.yaml"))
    options = {"trials": 2, "device": "cpu", "candidates": 10, "latency_ms": 1000.0}
    search(*names, out=place / "run", resume=True, **options)


_ACTIONS: dict[str, Callable[[Path], Any]] = {
    "report": _report,
    "load": _load,
    "export": _export,
    "latency": _latency,
    "cache": _cache,
    "command": _command,
    "resume": _resume,
}


def refused(case: RunCase, error: UsageError, folder: Path) -> None:
    """A damaged cache heals itself; a lock in whose place is something else is named."""
    assert case.action != "cache" or ".lock. Free" in str(error), error


def hold(case: RunCase, taken: Any, folder: Path) -> None:
    """A healed cache has the rows of the table, and the values."""
    if case.action != "cache":
        return
    with cache_in(made()):
        known = _cache(made())
    for split in NAMES:
        assert taken.rows[split] == known.rows[split]
        every = np.arange(known.rows[split])
        batch, right = (data.take(split, every) for data in (taken, known))
        assert all(bool((batch[k].nan_to_num() == right[k].nan_to_num()).all()) for k in right)
