"""Bad input: one sentence, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump
from automlrank.schema import Categorical, Schema, Task

ROWS = 300


@pytest.fixture
def refused(command: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """Runs a search that must be refused; gives its sentence."""

    def search(*arguments: object, out: Path | None = None) -> str:
        folder = out or tmp_path / "run"
        before = sorted(folder.rglob("*")) if out else []
        ended = command("search", *arguments, "--trials", 1, "--out", folder, "--format", "json")
        assert ended.code == 2, ended
        assert ended.out == ""
        assert ended.err.startswith("Error: ")
        assert ended.err.count("\n") == 1, ended.err
        assert "Traceback" not in ended.err
        assert (sorted(folder.rglob("*")) == before) if out else not folder.exists()
        return str(ended.err)

    return search


def written(tmp_path: Path, **columns: pl.Series) -> Path:
    frame, _ = synthetic_frame(ROWS, seed=0)
    frame = frame.with_columns(**columns)
    frame.write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_no_such_file(refused: Callable[..., str], inputs: Path) -> None:
    missing = inputs / "impresions.parquet"
    assert "Did you mean 'impressions.parquet'?" in refused(missing, "--label", "click")


def test_no_such_column(refused: Callable[..., str], inputs: Path) -> None:
    sentence = refused(inputs / "impressions.parquet", "--label", "clicks")
    assert "the table has no column 'clicks'. Did you mean 'click'?" in sentence


def test_no_such_column_of_the_schema(
    refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text("tasks: {click: {kind: binary}}\nfeatures: {usr_id: {kind: categorical}}\n")
    sentence = refused(inputs / "impressions.parquet", "--schema", schema)
    assert "features.usr_id: the table has no column 'usr_id'. Did you mean 'user_id'?" in sentence


def test_neither_label_nor_schema(refused: Callable[..., str], inputs: Path) -> None:
    assert "Columns of only 0 and 1: click, buy." in refused(inputs / "impressions.parquet")


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet", "header.csv", "rows.parquet"])
def test_an_empty_file(name: str, refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("click,item\n" if name == "header.csv" else "")
    if name == "rows.parquet":
        pl.DataFrame({"click": [], "item": []}).write_parquet(file)
    sentence = refused(file, "--label", "click")
    assert "is empty" in sentence or "has no rows" in sentence


def test_a_file_that_is_not_what_its_name_says(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    file.write_text("click,item\n1,2\n")
    assert "cannot be read as Parquet" in refused(file, "--label", "click")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1] * ROWS, "the label is constant on the training rows: always 1."),
        ([None, 0, 1] * (ROWS // 3), "is null in 100 of 300"),
        ([0, 1, 2] * (ROWS // 3), "a binary label must be 0 or 1, but holds 2."),
        ([0.5, 1.0] * (ROWS // 2), "a binary label must be 0 or 1, but holds 0.5."),
        (["yes", "no"] * (ROWS // 2), "a label must be numeric"),
    ],
)
def test_a_label_that_cannot_be_learned(
    values: list[object], sentence: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    assert sentence in refused(written(tmp_path, click=pl.Series(values)), "--label", "click")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: x\ninteraction: {stack: [fm, mlp]}\n", ":2: interaction.stack[0]: gives a Logit"),
        ("name: x\ninteraction: [fm\n", "not valid YAML"),
        ("interaction: !!python/object/apply:os.system ['true']\n", ":1: "),
        ("name: x\nname: y\ninteraction: fm\n", "this key stands twice"),
        ("", "the file is empty."),
        ("name: x\ninteraction: fmm\n", "no block 'fmm'. Did you mean 'fm'?"),
    ],
)
def test_a_space_that_cannot_be_used(
    text: str, sentence: str, refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    space = tmp_path / "space.yaml"
    space.write_text(text)
    table = inputs / "impressions.parquet"
    assert sentence in refused(table, "--label", "click", "--space", space)


def test_a_space_that_needs_what_the_schema_lacks(
    refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("name: x\ninteraction: mlp\ntower: ppnet\n")
    sentence = refused(inputs / "impressions.parquet", "--label", "click", "--space", space)
    assert "ppnet cannot be used: the schema marks no column as context." in sentence


def test_unsafe_yaml_is_not_run(refused: Callable[..., str], inputs: Path, tmp_path: Path) -> None:
    """The schema asks for a file to be made; it is not."""
    made = tmp_path / "made"
    schema = tmp_path / "schema.yaml"
    schema.write_text(f"tasks: !!python/object/apply:os.system ['touch {made}']\n")
    refused(inputs / "impressions.parquet", "--schema", schema)
    assert not made.exists()


def test_a_budget_that_nothing_meets_names_the_fastest(
    refused: Callable[..., str], search_arguments: list[object]
) -> None:
    sentence = refused(*search_arguments[1:], "--latency-ms", 0.0001)
    assert "the fastest, " in sentence
    assert "ms or less for 20 candidates" in sentence


@pytest.mark.parametrize("what", ["folder", "file"])
def test_an_output_that_exists(
    what: str, refused: Callable[..., str], search_arguments: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "taken"
    if what == "folder":
        out.mkdir()
    (out / "notes.txt" if what == "folder" else out).write_text("mine")
    assert "Give another --out" in refused(*search_arguments[1:], out=out)


def test_a_run_of_other_data(
    searched: tuple[Path, Any], refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    folder, _ = searched
    frame, _ = synthetic_frame(ROWS, seed=9)
    table = tmp_path / "other.parquet"
    frame.write_parquet(table)
    options = ["--schema", inputs / "schema.yaml", "--space", inputs / "small.yaml", "--resume"]
    assert "belongs to other data" in refused(table, *options, out=folder)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--metric", "acu", "Did you mean 'auc'?"),
        ("--device", "tpu", "auto, cpu, cuda"),
        ("--seed", -1, "--seed must be 0 or more, but got -1."),
        ("--latency-ms", 0, "--latency-ms must be above 0, but got 0.0."),
        ("--candidates", 0, "--candidates must be 1 or more, but got 0."),
        ("--schema", "nowhere.yaml", "no such file: nowhere.yaml"),
        ("--space", "deepfn", "Did you mean 'deepfm'?"),
    ],
)
def test_an_option_out_of_its_range(
    option: str, value: object, sentence: str, refused: Callable[..., str], inputs: Path
) -> None:
    assert sentence in refused(inputs / "impressions.parquet", "--label", "click", option, value)


@pytest.mark.parametrize(
    "arguments",
    [["report", "RUN"], ["export", "RUN", "--out", "OUT"], ["latency", "RUN", "TABLE"]],
)
def test_a_folder_that_is_no_run(
    arguments: list[str], inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    places = {
        "RUN": tmp_path / "no",
        "OUT": tmp_path / "out",
        "TABLE": inputs / "impressions.parquet",
    }
    ended = command(*(places.get(word, word) for word in arguments), *(
        ["--label", "click"] if arguments[0] == "latency" else []))  # fmt: skip
    assert ended.code == 2
    assert str(tmp_path / "no") in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "out").exists()


def test_training_that_the_schema_cannot_serve(
    inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    schema = tmp_path / "schema.yaml"
    features = (Categorical("user_id"),)
    schema.write_text(dump(Schema((Task("click"),), features).to_data()))
    out = tmp_path / "out"
    arguments = ["din", inputs / "impressions.parquet", "--schema", schema, "--out", out]
    ended = command("train", *arguments)
    assert ended.code == 2
    assert "din cannot be used: the schema has no history column." in ended.err
    assert not out.exists()
