"""Exports of every loss and balance: the script trains as ours does, and its code is clean."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from test_export_folder import CONFIG, lands_where_ours_does

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.export.folder import export_architecture
from automlrank.schema import Task

CASES = {
    "weights and uncertainty": "loss: {weighted_bce: {prior: true}}, balance: uncertainty",
    "focus and gradnorm": "loss: {focal: {prior: true}}, balance: gradnorm",
    "entire space and pareto": "loss: esmm, balance: pareto",
    "squares and scales": "loss: mse, balance: loss_scale",
}


def read(case: str) -> Architecture:
    text = (
        "{architecture: a, embedding: {dim: 8}, interaction: {mlp: {width: 16}}, tasks: mmoe, "
        f"training: {{epochs: 2, batch_size: 128, learning_rate: 0.01}}, {CASES[case]}}}"
    )
    return Architecture.read(parse_document(text).data)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES)
def test_exported_training_lands_where_ours_does(
    case: str, data: Dataset, table: Path, tmp_path: Path
) -> None:
    """And the linter and the formatter find nothing."""
    out = tmp_path / "export"
    lands_where_ours_does(read(case), data, table, out)
    for command in (["check"], ["format", "--check"]):
        ended = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(CONFIG), str(out)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout


def test_a_regression_task_lands_where_ours_does(
    table: Path, data: Dataset, tmp_path: Path
) -> None:
    """Its scale and its error are those of our training."""
    frame = pl.read_parquet(table).with_columns(stay=2 + pl.col("price").log() + pl.col("click"))
    frame.write_parquet(tmp_path / "t.parquet")
    free = tuple(dataclasses.replace(task, of=None) for task in data.schema.tasks[:1])
    tasks = (*free, Task("stay", "regression"))
    schema = dataclasses.replace(data.schema, tasks=tasks, statistics=None, crosses=())
    other = Dataset.open(tmp_path / "t.parquet", schema, cache=tmp_path / "cache")
    out = tmp_path / "export"
    lands_where_ours_does(read("focus and gradnorm"), other, tmp_path / "t.parquet", out)
    assert "REGRESSION = (1,)" in (out / "train.py").read_text(encoding="utf-8")


def test_a_plain_objective_is_a_plain_script(
    data: Dataset, make: Callable[[str], Architecture], tmp_path: Path
) -> None:
    """Nothing of what other losses and balances need is printed."""
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    text = (tmp_path / "export" / "train.py").read_text(encoding="utf-8")
    assert not [
        word for word in ("SHARED", "class_shares", "add_param_group", "REGRESSION") if word in text
    ]
