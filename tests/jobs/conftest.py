"""What a search takes, as files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.runs.events import Event


@pytest.fixture
def inputs(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A table, a schema and the module's ``SPACE``, and where the run goes."""
    return written(tmp_path, request.module.SPACE)


def written(folder: Path, space: str) -> dict[str, Any]:
    """The arguments of a search, whose files lie in a folder."""
    frame, schema = synthetic_frame(2000, seed=0)
    frame.write_parquet(folder / "t.parquet")
    (folder / "schema.yaml").write_text(dump(schema.to_data()))
    (folder / "space.yaml").write_text(space)
    return {
        "data": folder / "t.parquet",
        "schema": folder / "schema.yaml",
        "space": folder / "space.yaml",
        "out": folder / "run",
    }


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """The events of the module's search."""
    return []


@pytest.fixture(scope="module")
def searched(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, events: list[Event]
) -> Result:
    """A search of six trials in the module's ``SPACE``, for all tests that only read it."""
    folder = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMLRANK_CACHE", str(folder / "cache"))
        inputs = written(folder, request.module.SPACE)
        return search(**inputs, trials=6, seed=1, pruner="none", listen=events.append)


@pytest.fixture
def its_copy(searched: Result, inputs: dict[str, Any]) -> Path:
    """The folder of the module's search where ``inputs`` has its own, to be changed."""
    shutil.copytree(searched.folder, inputs["out"])
    return Path(inputs["out"])
