"""Exports of every loss and balance: the script trains as ours does, and its code is clean."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from test_export_folder import CONFIG, lands_where_ours_does

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.export.folder import export_architecture

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


def test_a_plain_objective_is_a_plain_script(
    data: Dataset, make: Callable[[str], Architecture], tmp_path: Path
) -> None:
    """Nothing of what other losses and balances need is printed."""
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    text = (tmp_path / "export" / "train.py").read_text(encoding="utf-8")
    assert not [word for word in ("SHARED", "class_shares", "add_param_group") if word in text]
