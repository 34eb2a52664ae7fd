"""What every test has: one thread, its own cache folder, a small synthetic table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.measurement import host_lock

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
