"""Exports of every loss and balance: the script trains as ours does, and its code is clean."""

from __future__ import annotations

import dataclasses
import math
import runpy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
import yaml
from test_export_folder import CONFIG, RUFF, lands_where_ours_does, run_alone

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.measurement.metrics import MAE, RMSE
from automlrank.model.network import build_model
from automlrank.schema import Task

CASES = {
    "weights and uncertainty": "loss: {weighted_bce: {prior: true}}, balance: uncertainty",
    "focus and gradnorm": "loss: {focal: {prior: true}}, balance: gradnorm",
    "entire space and pareto": "loss: esmm, balance: pareto",
    "squares and scales": "loss: mse, balance: loss_scale",
    "a part of the negatives and their prior": "loss: {weighted_bce: {prior: true}}",
    "a part of the negatives of the entire space": "loss: esmm",
    "scenarios that count the same": "loss: bce",
}
TRAINING = {
    case: f", {setting}"
    for setting in ("negatives: 0.4", "scenarios: equal")
    for case in CASES
    if setting.partition(":")[0] in case
}


QUICK = ("weights and uncertainty", "focus and gradnorm", "a part of the negatives and their prior")


def quick_or_slow(case: str) -> Any:
    return case if case in QUICK else pytest.param(case, marks=pytest.mark.slow)


def read(case: str) -> Architecture:
    text = (
        "{architecture: a, embedding: {dim: 8}, interaction: {mlp: {width: 16}}, tasks: mmoe, "
        "training: {epochs: 2, batch_size: 128, learning_rate: 0.01"
        f"{TRAINING.get(case, '')}}}, {CASES[case]}}}"
    )
    return Architecture.read(parse_document(text).data)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", [quick_or_slow(case) for case in CASES])
def test_exported_training_lands_where_ours_does(
    case: str, data: Dataset, table: Path, tmp_path: Path
) -> None:
    """And the linter and the formatter find nothing."""
    out = tmp_path / "export"
    lands_where_ours_does(read(case), data, table, out)
    lint(out)


def test_a_training_that_trees_teach_lands_where_ours_does(
    data: Dataset, table: Path, tmp_path: Path
) -> None:
    """Trees of the same folds and features say the same, beside weights that scenarios even out."""
    tasks = tuple(dataclasses.replace(task, of=None) for task in data.schema.tasks)
    schema = dataclasses.replace(data.schema, tasks=tasks)
    other = Dataset.open(table, schema, cache=tmp_path / "cache")
    text = (
        "{architecture: a, statistics: rate_fields, history: din, embedding: {dim: 8}, "
        "interaction: {mlp: {width: 16}}, training: {epochs: 2, batch_size: 128, "
        "learning_rate: 0.01, distillation: 0.8, scenarios: equal}}"
    )
    out = tmp_path / "export"
    lands_where_ours_does(Architecture.read(parse_document(text).data), other, table, out)  # type: ignore[arg-type]
    assert (out / "requirements.txt").read_text().startswith("lightgbm>=")
    lint(out)


@pytest.mark.parametrize("case", [quick_or_slow("entire space and pareto"), "focus and gradnorm"])
def test_null_after_what_did_not_happen_lands_where_zero_does(
    case: str, data: Dataset, table: Path, tmp_path: Path
) -> None:
    """A purchase without a click is no purchase, whether the table writes 0 or null."""
    assert data.schema.parents == (-1, 0)
    bought = pl.when(pl.col("click") == 1).then(pl.col("buy"))
    pl.read_parquet(table).with_columns(buy=bought).write_parquet(tmp_path / "t.parquet")
    other = Dataset.open(tmp_path / "t.parquet", data.schema, cache=tmp_path / "cache")
    clicked = data.labels("train")[:, 0] == 1
    assert (other.labels("train")[~clicked, 1] == 0).all()
    lands_where_ours_does(read(case), other, tmp_path / "t.parquet", tmp_path / "export")


def config_of(out: Path) -> dict[str, Any]:
    """The settings of an export."""
    config: dict[str, Any] = yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8"))
    return config


def lint(out: Path) -> None:
    """The linter and the formatter find nothing."""
    for command in (["check"], ["format", "--check"]):
        ended = subprocess.run(
            [RUFF, *command, "--config", str(CONFIG), str(out)],
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
    assert config_of(out)["table"]["tasks"] == {"click": "binary", "stay": "regression"}
    assert "valid: AUC (RMSE of stay) click" in run_alone(
        out, tmp_path / "t.parquet", "--epochs", 1
    )


def test_a_regression_alone_lands_where_ours_does(
    table: Path, data: Dataset, tmp_path: Path
) -> None:
    """With statistics in its units; nothing speaks of AUC, and the linter finds nothing."""
    stay = 200 + 90 * pl.col("price").log() + 30 * pl.col("click")
    pl.read_parquet(table).with_columns(stay=stay).write_parquet(tmp_path / "t.parquet")
    schema = dataclasses.replace(data.schema, tasks=(Task("stay", "regression"),))
    other = Dataset.open(tmp_path / "t.parquet", schema, cache=tmp_path / "cache")
    text = (
        "{architecture: a, statistics: rate_fields, embedding: {dim: 8}, loss: bce, "
        "interaction: {mlp: {width: 16}}, "
        "training: {epochs: 3, batch_size: 128, learning_rate: 0.01}}"
    )
    architecture = Architecture.read(parse_document(text).data)  # type: ignore[arg-type]
    out = tmp_path / "export"
    lands_where_ours_does(architecture, other, tmp_path / "t.parquet", out, metric=RMSE)
    printed = "".join(path.read_text() for path in (out / "train.py", out / "README.md"))
    assert "AUC" not in printed
    assert config_of(out)["metric"] == "rmse"
    lint(out)
    export_architecture(architecture, other.schema, other.encoder, tmp_path / "mae", metric=MAE)
    assert config_of(tmp_path / "mae")["metric"] == "mae"
    assert "valid: MAE stay" in run_alone(tmp_path / "mae", tmp_path / "t.parquet", "--epochs", 1)


def test_a_plain_objective_is_a_plain_script(
    data: Dataset, make: Callable[[str], Architecture], tmp_path: Path
) -> None:
    """Nothing of what other losses and balances need is printed."""
    out = tmp_path / "export"
    export_architecture(make("lr"), data.schema, data.encoder, out)
    code = "".join((out / name).read_text() for name in ("train.py", "objective.py"))
    assert not [word for word in ("shared", "class_shares", "add_param_group") if word in code]
    config = config_of(out)
    settings = {"shared", "negatives", "scenarios", "optimizers"} & config["training"].keys()
    assert not settings | ({"scenario", "exponents", "weight"} & config["table"].keys())
    assert set(config["table"]["tasks"].values()) == {"binary"}
    absent = ("negatives", "scenarios", "teacher")
    assert not [name for name in absent if (out / "training" / f"{name}.py").exists()]


def test_an_exported_model_is_corrected_as_ours_is(data: Dataset, tmp_path: Path) -> None:
    """Its logits are ours, as PyTorch and as a graph, and the correction can be read."""
    architecture = read("a part of the negatives of the entire space")
    model = build_model(architecture, data.schema, seed=1).eval()
    out, weights = tmp_path / "export", model.state_dict()
    export_architecture(
        architecture, data.schema, data.encoder, out, weights=weights, onnx=True
    )  # which holds the graph to the model
    text = (out / "model.py").read_text(encoding="utf-8")
    assert "self.correction = Correction(tasks=2, negatives=0.4)" in text
    theirs = runpy.run_path(str(out / "model.py"))["RankingModel"]().eval()
    theirs.load_state_dict(weights)
    plain = dataclasses.replace(
        architecture, training=dataclasses.replace(architecture.training, negatives=1.0)
    )
    other = build_model(plain, data.schema, seed=1).eval()
    request = data.request("valid", 10)
    assert torch.equal(theirs(request), model(request))
    shift = (model(request) - other(request))[:, 0]
    assert shift.detach().numpy() == pytest.approx(math.log(0.4), abs=1e-6)
