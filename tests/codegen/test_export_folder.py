"""Exports: the same numbers as ours, readable, whole or not there."""

from __future__ import annotations

import ast
import dataclasses
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch
import yaml
from export_cases import DRAWN, ZOO
from raw_rows import raw_difference

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.codegen.verify import verify_export
from automlrank.data.dataset import Dataset
from automlrank.data.transform import Encoder
from automlrank.errors import RunError
from automlrank.measurement.metrics import AUC, Metric
from automlrank.model.network import RankingModel, build_model
from automlrank.training import tables
from automlrank.training.loop import fit, score
from automlrank.training.tables import ROW_WISE_ROWS

Make = Callable[[str], Architecture]
Build = Callable[[Architecture, Dataset], RankingModel]
CONFIG = Path(__file__).parents[2] / "pyproject.toml"
RUFF = Path(sys.executable).with_name("ruff")
ALONE = """
import runpy, sys
sys.modules["automlrank"] = None
sys.path.insert(0, sys.argv[1])
sys.argv = ["train.py", *sys.argv[2:]]
runpy.run_path("train.py", run_name="__main__")
"""


def run_alone(folder: Path, *arguments: object) -> str:
    """What ``train.py`` prints in a process that cannot import automlrank."""
    command = [sys.executable, "-I", "-W", "error", "-c", ALONE, str(folder)]
    ended = subprocess.run(
        [*command, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def lands_where_ours_does(
    architecture: Architecture,
    data: Dataset,
    table: Path,
    out: Path,
    row_wise: int = ROW_WISE_ROWS,
    metric: Metric = AUC,
) -> None:
    """Exported training, same seed, one thread: the metric of each task is ours to 1e-4."""
    model = build_model(architecture, data.schema, seed=7)
    torch.manual_seed(7)
    for _ in fit(model, architecture, data, seed=7, metric=metric):
        pass
    export_architecture(architecture, data.schema, data.encoder, out, metric=metric)
    text = (out / "training" / "tables.py").read_text(encoding="utf-8")
    text, found = re.subn(r"^(ROW_WISE_ROWS =) \w+", rf"\1 {row_wise}", text, flags=re.MULTILINE)
    assert found == 1
    (out / "training" / "tables.py").write_text(text, encoding="utf-8")
    printed = run_alone(out, table, "--seed", 7, "--threads", 1, "--test")
    for split in ("valid", "test"):
        line = re.search(rf"^{split}: {metric.label}(?: \(.*\))? (.*)$", printed, re.MULTILINE)
        assert line is not None
        theirs = {k: float(v) for k, v in (pair.split() for pair in line[1].split(", "))}
        assert theirs == pytest.approx(score(model, data, split, metric), abs=1e-4)


@pytest.mark.parametrize("name", [*ZOO, *DRAWN])
def test_exported_code_gives_the_logits_of_our_model(
    name: str, make: Make, with_random_weights: Build, data: Dataset, table: Path, tmp_path: Path
) -> None:
    """Raw rows in, equal logits out, where automlrank cannot be imported."""
    architecture = make(name)
    model = with_random_weights(architecture, data)
    out = tmp_path / "export"
    files = export_architecture(
        architecture, data.schema, data.encoder, out, weights=model.state_dict()
    )
    rows = pl.read_parquet(table).sample(64, seed=3)
    assert raw_difference(out, model, data.encoder, rows) <= 1e-5
    assert sorted(out.iterdir()) == files  # running it left nothing behind
    assert Architecture.read(out / "architecture.yaml") == architecture


@pytest.mark.parametrize("name", [*ZOO, *DRAWN])
def test_exported_code_is_clean_and_says_nothing_of_us(
    name: str, make: Make, data: Dataset, tmp_path: Path
) -> None:
    """The linter and the formatter find nothing, no line is too long, no name of ours is left."""
    out = tmp_path / "export"
    export_architecture(make(name), data.schema, data.encoder, out)
    for command in (["check"], ["format", "--check"]):
        ended = subprocess.run(
            [RUFF, *command, "--config", str(CONFIG), str(out)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
    for path in out.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "automlrank" not in text
        assert max(map(len, text.splitlines())) <= 100


def test_a_request_scores_as_in_our_model(
    make: Make, with_random_weights: Build, data: Dataset, tmp_path: Path
) -> None:
    """One row on the user's side, ten candidates: the exported model repeats it as ours does."""
    architecture = make(DRAWN[0])
    model = with_random_weights(architecture, data).eval()
    export_architecture(architecture, data.schema, data.encoder, tmp_path / "export")
    theirs = runpy.run_path(str(tmp_path / "export" / "model.py"))["RankingModel"]().eval()
    theirs.load_state_dict(model.state_dict())
    request = data.request("valid", 10)
    with torch.inference_mode():
        torch.testing.assert_close(theirs(request), model(request), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        *("deepfm", DRAWN[0]),
        *(pytest.param(x, marks=pytest.mark.slow) for x in ("dien", "wide_deep", *DRAWN[1:])),
    ],
)
def test_exported_training_lands_where_ours_does(
    name: str, make: Make, data: Dataset, table: Path, tmp_path: Path
) -> None:
    """Same seed, one thread: the validation AUC of every task differs by less than 1e-4."""
    architecture = make(name)
    settings = dataclasses.replace(architecture.training, epochs=3, batch_size=128)
    assert architecture.embedding is not None
    coupled = dataclasses.replace(architecture.embedding, l2_coupled=1e-3)
    architecture = dataclasses.replace(architecture, training=settings, embedding=coupled)
    out = tmp_path / "export"
    lands_where_ours_does(architecture, data, table, out)
    assert (out / "model.safetensors").is_file()


@pytest.mark.parametrize("name", [pytest.param("branches", marks=pytest.mark.slow), "can"])
def test_exported_training_by_row_lands_where_ours_does(
    name: str,
    make: Make,
    data: Dataset,
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tables that count as large; main effects, a branch's own and an encoder's own among them."""
    monkeypatch.setattr(tables, "ROW_WISE_ROWS", 1)
    architecture = make(name)
    settings = dataclasses.replace(architecture.training, epochs=3, batch_size=128)
    architecture = dataclasses.replace(architecture, training=settings)
    lands_where_ours_does(architecture, data, table, tmp_path / "export", row_wise=1)
    config = yaml.safe_load((tmp_path / "export" / "config.yaml").read_text(encoding="utf-8"))
    assert config["training"]["decays"] == build_model(architecture, data.schema).plan.decays


def test_a_folder_that_holds_something_is_refused(
    make: Make, data: Dataset, tmp_path: Path
) -> None:
    """A full folder and a file stay as they are; an empty folder is taken."""
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    for out in (full, full / "mine.txt"):
        with pytest.raises(RunError, match=r"exists and is (not empty|no folder)"):
            export_architecture(make("lr"), data.schema, data.encoder, out)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    (tmp_path / "empty").mkdir()
    assert export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "empty")


def test_an_export_that_fails_leaves_nothing(
    make: Make, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error on the way removes what was written before it."""

    def fail(self: Encoder, folder: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Encoder, "save", fail)
    with pytest.raises(OSError, match="no space left"):
        export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    assert list(tmp_path.iterdir()) == []


def test_other_weights_are_found_out(
    make: Make, with_random_weights: Build, data: Dataset, tmp_path: Path
) -> None:
    """Verification compares what was exported, and gives the figure."""
    architecture = make("fm")
    model = with_random_weights(architecture, data)
    out = tmp_path / "export"
    export_architecture(architecture, data.schema, data.encoder, out, weights=model.state_dict())
    with torch.no_grad():
        model.get_parameter("bias.bias")[0] += 0.5
    with pytest.raises(RunError, match=r"differ from the model's by 0\.5"):
        verify_export(out, model, architecture, data.schema, data.encoder)


def test_code_that_does_not_run_is_found_out(make: Make, data: Dataset, tmp_path: Path) -> None:
    """An exported module that imports automlrank fails, with its error."""
    architecture, out = make("fm"), tmp_path / "export"
    export_architecture(architecture, data.schema, data.encoder, out)
    model = build_model(architecture, data.schema, seed=0)
    path = out / "model.py"
    path.write_text(path.read_text().replace("import torch\n", "import torch, automlrank\n", 1))
    ast.parse(path.read_text())
    with pytest.raises(RunError, match="automlrank"):
        verify_export(out, model, architecture, data.schema, data.encoder)


def test_an_objective_that_differs_is_found_out(make: Make, data: Dataset, tmp_path: Path) -> None:
    """Verification makes a step of training, and compares its loss."""
    architecture, out = make("fm"), tmp_path / "export"
    export_architecture(architecture, data.schema, data.encoder, out)
    model = build_model(architecture, data.schema, seed=0)
    path = out / "objective.py"
    text, call = path.read_text(), r"return CrossEntropy\(.*\)"
    path.write_text(re.sub(call, "return nn.Identity()", text))
    with pytest.raises(RunError, match="does not run"):
        verify_export(out, model, architecture, data.schema, data.encoder)
    path.write_text(re.sub(call, "return CrossEntropy(negatives=0.5)", text))
    with pytest.raises(RunError, match=r"the loss of .* differs from the model's by"):
        verify_export(out, model, architecture, data.schema, data.encoder)


def test_an_export_that_does_not_agree_is_not_written(
    make: Make, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automlrank.codegen.folder.model_source", lambda *_: "import automlrank\n")
    with pytest.raises(RunError, match="does not run"):
        export_architecture(make("fm"), data.schema, data.encoder, tmp_path / "export")
    assert list(tmp_path.iterdir()) == []


def test_settings_of_another_format_end_with_a_sentence(
    make: Make, data: Dataset, table: Path, tmp_path: Path
) -> None:
    out = tmp_path / "export"
    export_architecture(make("lr"), data.schema, data.encoder, out)
    path = out / "config.yaml"
    path.write_text(path.read_text().replace("format: 1", "format: 0"))
    command = [sys.executable, str(out / "train.py"), str(table)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.endswith("has format 0, but this code reads format 1.\n")
