"""``automlrank search`` and what goes on from its run, on a small table."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automlrank.documents import read_document
from automlrank.runs.results import Results

Searched = tuple[Path, Any]


def test_it_says_what_it_does_in_order(searched: Searched) -> None:
    """Data, feasibility, trials, finalists, leaderboard, next commands; nothing on stderr."""
    folder, ended = searched
    assert (ended.code, ended.err) == (0, "")
    said = [
        "impressions:", "  train ", "References lr ", "of random draws fit 1000 ms.",
        "training trial 0: ", "trial 0: valid AUC", "Finalists", "recommended architecture",
        "lr: ",
        f"Report: {folder / 'report.html'}", f"  automlrank report {folder} --open",
        f"  automlrank export {folder} --max-latency-ms 1000 --out small-export"]  # fmt: skip
    position = 0
    for part in said:
        assert part in ended.out[position:], part
        position = ended.out.index(part, position)


def test_the_tables_fit_80_columns(searched: Searched) -> None:
    """From the headline to the caption; lines with paths or summaries are never broken."""
    _, ended = searched
    lines = ended.out.splitlines()
    begin = max(i for i, line in enumerate(lines) if line.startswith("training "))
    end = next(i for i, line in enumerate(lines) if line.startswith("Report: "))
    assert all(len(line) <= 80 for line in lines[begin + 1 : end])


def test_the_run_knows_its_command(searched: Searched) -> None:
    folder, _ = searched
    run = read_document(folder / "run.yaml").data
    assert isinstance(run, dict)
    assert run["command"].startswith("automlrank search ")
    assert str(folder) in run["command"]


def test_report_json_is_the_contract(searched: Searched, command: Callable[..., Any]) -> None:
    folder, _ = searched
    ended = command("report", folder, "--format", "json")
    data = json.loads(ended.out)
    keys = ("format", "metric", "latency", "counts", "front", "references", "trials",
            "recommended", "unstable")  # fmt: skip
    assert tuple(data) == keys
    assert len(data["trials"]) >= 2
    assert data["front"]
    known = {key: data[key] for key in keys[:-2]}
    assert Results.from_data(data).to_data() == known


def test_report_shows_and_writes_the_page(
    searched: Searched, tmp_path: Path, command: Callable[..., Any]
) -> None:
    folder, _ = searched
    page = tmp_path / "page.html"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    ended = command("report", folder, "--html", page)
    assert f"Report: {page}" in ended.out
    assert page.read_text().startswith("<!")
    assert "recommended architecture" in ended.out
    quiet = command("report", folder, "--format", "quiet").out
    assert quiet == f"{folder / 'report.html'}\n"
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_report_opens_the_page(
    searched: Searched, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", opened.append)
    command("report", searched[0], "--open")
    assert opened == [(searched[0] / "report.html").resolve().as_uri()]


def test_resume_goes_on_and_json_prints_the_contract_alone(
    searched: Searched, search_arguments: list[object], command: Callable[..., Any]
) -> None:
    folder, _ = searched
    arguments = [*search_arguments, "--out", folder, "--resume", "--format", "json"]
    ended = command(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["counts"]["complete"] >= 2


def test_quiet_prints_the_folder(
    search_arguments: list[object], tmp_path: Path, command: Callable[..., Any]
) -> None:
    out = tmp_path / "run"
    ended = command(*search_arguments, "--trials", 1, "--out", out, "--format", "quiet")
    assert (ended.code, ended.out) == (0, f"{out}\n")


def test_latency_measures_the_front_again(
    searched: Searched, inputs: Path, command: Callable[..., Any]
) -> None:
    folder, _ = searched
    arguments = ["latency", folder, inputs / "impressions.parquet", "--candidates", 20]
    data = json.loads(command(*arguments, "--format", "json").out)
    assert data["latency"]["candidates"] == 20
    assert data["latency"]["runtime"] == "torch"
    names = {one["name"] for one in data["models"]}
    assert "lr" in names
    assert all(0 < one["latency_ms"]["p50"] <= one["latency_ms"]["p95"] for one in data["models"])
    assert all(
        one["latency_ms"]["low"] <= one["latency_ms"]["p50"] <= one["latency_ms"]["high"]
        for one in data["models"]
    )
    assert all(one["latency_ms"]["p50_repeated"] > 0 for one in data["models"])
    human = command(*arguments).out
    assert all(name in human for name in names)


def test_latency_by_onnx_runtime(inputs: Path, command: Callable[..., Any]) -> None:
    table, schema = inputs / "impressions.parquet", inputs / "schema.yaml"
    options = ["--schema", schema, "--candidates", 20, "--runtime", "onnxruntime"]
    ended = command("latency", "lr", table, *options)
    assert (ended.code, ended.err) == (0, "")
    assert "20 candidates, 1 thread(s), onnxruntime, cpu; 10 rounds" in ended.out
    assert "lr" in ended.out


def test_export_writes_a_verified_graph(
    searched: Searched, tmp_path: Path, command: Callable[..., Any]
) -> None:
    """And says how; the README names its inputs."""
    out = tmp_path / "out"
    ended = command("export", searched[0], "--out", out, "--onnx")
    assert (ended.code, ended.err) == (0, "")
    assert str(out / "model.onnx") in ended.out
    assert "was run by ONNX Runtime beside the model on random requests" in ended.out
    readme = (out / "README.md").read_text()
    assert "ids_item" in readme
    assert "the weights of weights.safetensors" in readme


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "RUN", "--onnx", "--out", "OUT"),
        ("latency", "RUN", "TABLE", "--runtime", "onnxruntime"),
    ],
)
def test_without_the_extra_it_says_what_to_install(
    searched: Searched,
    inputs: Path,
    tmp_path: Path,
    command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    places = {"RUN": searched[0], "OUT": tmp_path / "out", "TABLE": inputs / "impressions.parquet"}
    ended = command(*(places.get(word, word) for word in arguments))
    assert (ended.code, ended.out) == (2, "")
    assert "not installed: onnxscript. Run pip install 'automlrank[onnx]'." in ended.err
    assert not (tmp_path / "out").exists()


def test_train_scores_the_test_split_only_when_asked(
    inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text("architecture: tiny\ninteraction: linear\ntraining: {epochs: 2}\n")
    arguments = ["train", file, inputs / "impressions.parquet", "--schema", inputs / "schema.yaml"]
    ended = command(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert "epoch 1, " in ended.out
    assert "valid AUC: click 0." in ended.out
    assert "test AUC" not in ended.out
    data = json.loads(command(*arguments, "--test", "--format", "json").out)
    assert 0 < data["test"]["auc"] < 1
    assert data["architecture"]["interaction"]["linear"]
    quiet = command(*arguments, "--out", tmp_path / "kept", "--format", "quiet").out
    assert quiet.startswith("valid 0.")
    assert list((tmp_path / "kept").rglob("weights.safetensors"))


def test_export_names_its_files_and_what_is_next(
    searched: Searched, tmp_path: Path, command: Callable[..., Any]
) -> None:
    out = tmp_path / "code"
    ended = command("export", searched[0], "--out", out)
    assert (ended.code, ended.err) == (0, "")
    assert f"{out / 'model.py'}" in ended.out
    assert f"  python {out / 'train.py'} DATA" in ended.out
    again = command("export", searched[0], "--out", out)
    assert again.code == 2
    assert str(out) in again.err


def test_ctrl_c_ends_with_a_report(
    search_arguments: list[object], tmp_path: Path, interrupted: Callable[..., Any]
) -> None:
    """Interrupted in a trial: the report of what was done, no traceback, exit code 0."""
    out = tmp_path / "run"
    arguments = [*search_arguments, "--trials", 500, "--out", out]
    code, rest, err = interrupted(arguments, signal.SIGINT)
    assert code == 0, err
    assert "Traceback" not in err
    assert f"Report: {out / 'report.html'}" in rest
    assert (out / "report.html").is_file()
