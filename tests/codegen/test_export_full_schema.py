"""Exports of every kind of column, with statistics of every form: the numbers are ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from export_cases import full_frame, full_schema
from raw_rows import raw_difference
from test_export_folder import lands_where_ours_does

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.model.network import RankingModel

ROWS = 2000
CASES = [("out_of_fold", "group"), ("earlier_rows", "time"), ("earlier_days", "group")]


@pytest.fixture(scope="module")
def full_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("full") / "full.parquet"
    full_frame(ROWS).write_parquet(path)
    return path


@pytest.fixture(params=CASES, ids=" ".join)
def full_data(
    request: pytest.FixtureRequest, full_table: Path, tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    cache = tmp_path_factory.getbasetemp() / "full cache"
    return Dataset.open(full_table, full_schema(*request.param), cache=cache)


@pytest.mark.parametrize("name", ["deepfm", "din", "drawn 3"])
def test_every_kind_of_column_gives_our_logits(
    name: str,
    full_data: Dataset,
    full_table: Path,
    make: Callable[[str], Architecture],
    with_random_weights: Callable[[Architecture, Dataset], RankingModel],
    tmp_path: Path,
) -> None:
    """Raw rows in, equal logits out, the rates of new rows included."""
    architecture = make(name)
    model = with_random_weights(architecture, full_data)
    out = tmp_path / "export"
    export_architecture(
        architecture, full_data.schema, full_data.encoder, out, weights=model.state_dict()
    )
    rows = pl.read_parquet(full_table).sample(64, seed=3)
    assert raw_difference(out, model, full_data.encoder, rows) <= 1e-5


def test_training_with_statistics_lands_where_ours_does(
    full_data: Dataset, full_table: Path, make: Callable[[str], Architecture], tmp_path: Path
) -> None:
    """Same seed, one thread: the AUC of every task differs by less than 1e-4."""
    architecture = make("deepfm")
    settings = dataclasses.replace(architecture.training, epochs=3, batch_size=128)
    architecture = dataclasses.replace(architecture, training=settings)
    lands_where_ours_does(architecture, full_data, full_table, tmp_path / "export")
