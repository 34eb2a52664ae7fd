"""A small table on disk, its data set, and exported scripts loaded beside their modules."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from export_cases import architecture_of

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.model.network import RankingModel, build_model

ROWS = 2000
EXPORTED = ("encoder", "measurement", "model", "objective", "training")


@pytest.fixture(autouse=True)
def _quick(quick_processes: None) -> None:
    """Exports are run by a Python that has torch already."""


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame, _ = synthetic_frame(ROWS)
    path: Path = tmp_path_factory.mktemp("table") / "impressions.parquet"
    frame.write_parquet(path)
    return path


@pytest.fixture(scope="session")
def data(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset.open(table, synthetic_frame(1)[1], cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def make() -> Callable[[str], Architecture]:
    return architecture_of


@pytest.fixture(scope="session")
def with_random_weights() -> Callable[[Architecture, Dataset], RankingModel]:
    """Models whose weights are all drawn: zeros would make different models agree."""

    def build(architecture: Architecture, data: Dataset) -> RankingModel:
        model = build_model(architecture, data.schema, seed=1)
        generator = torch.Generator().manual_seed(2)
        for parameter in model.parameters():
            parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator)
        return model

    return build


@pytest.fixture
def load_script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], dict[str, Any]]]:
    """The names of an exported ``train.py``, loaded beside its own modules."""

    def load(folder: Path) -> dict[str, Any]:
        forget()
        monkeypatch.syspath_prepend(folder)
        return runpy.run_path(str(folder / "train.py"))

    def forget() -> None:
        for name in [n for n in sys.modules if n.partition(".")[0] in EXPORTED]:
            sys.modules.pop(name, None)

    yield load
    forget()
