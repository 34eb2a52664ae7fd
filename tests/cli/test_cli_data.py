"""``automlrank data inspect``: a schema that can be saved, and why it is so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from automlrank.cli.data import WIDTH
from automlrank.data import infer
from automlrank.data.read import open_table
from automlrank.data.synthetic import synthetic_frame
from automlrank.schema import Schema, Task, read_schema


def infer_schema(frame: pl.DataFrame, label: str) -> Schema:
    with open_table(frame) as table:
        return infer.complete(Schema((Task(label, "inferred"),)), table, outcomes=True).schema


def test_what_it_prints_is_the_schema_that_was_inferred(
    inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    """Saved and read back it equals what a search without a schema would use, with outcomes."""
    frame, _ = synthetic_frame(1500, seed=0)
    table = inputs / "impressions.parquet"
    inferred = infer_schema(frame, "click")
    for form in ("human", "quiet"):
        ended = command("data", "inspect", table, "--label", "click", "--format", form)
        assert (ended.code, ended.err) == (0, "")
        file = tmp_path / f"{form}.yaml"
        file.write_text(ended.out)
        assert read_schema(file) == inferred


def test_every_column_is_explained(inputs: Path, command: Callable[..., Any]) -> None:
    """Distinct values, nulls, AUC, reason; what is no feature is listed apart."""
    out = command("data", "inspect", inputs / "impressions.parquet", "--label", "click").out
    lines = {line.split(":")[0].strip("# ").split(" ")[0]: line for line in out.splitlines()}
    assert lines["user_id"].split("#")[1].split() == ["50", "0.0%", "0.596", "whole", "numbers"]
    assert lines["click"].split("#")[1].split() == ["2", "0.0%", "-", "a", "task"]
    assert " 0.0% " not in lines["age"]
    assert lines["buy"].startswith("  buy: {kind: binary, of: click}")
    assert lines["buy"].endswith("a task: 1 only where 'click' is")
    assert "\ntime: time\nsplit: {by: time, column: time, valid: 0.1, test: 0.1}\n" in out
    apart = out.partition("# Named above, but no features:\n")[2]
    assert [line.split()[1] for line in apart.splitlines()] == ["history_time", "time"]


def test_rows_splits_and_suspicions_stand_above(inputs: Path, command: Callable[..., Any]) -> None:
    out = command("data", "inspect", inputs / "impressions.parquet", "--label", "click").out
    lines = out.splitlines()
    assert lines[0] == "# 1,500 rows, 13 columns"
    assert [line.split()[1:4] for line in lines[1:4]] == [
        ["train", "1,200", "rows,"],
        ["valid", "150", "rows,"],
        ["test", "150", "rows,"],
    ]
    assert all("mean click 0." in line for line in lines[1:4])
    assert lines[4:6] == [
        "# Read as:",
        "# - 'time' tells when a row happened: the split goes by it.",
    ]
    assert lines[6] == "# What looks wrong:"
    assert lines[7].startswith("# - click has few rows of its rarer class (valid 62")


def test_comments_are_aligned_and_lines_fit(command: Callable[..., Any]) -> None:
    """Where a feature's own words leave room for its figures."""
    lines = command("data", "inspect", "kuairand").out.splitlines()
    features = [line for line in lines if line.startswith("  ") and "# " in line]
    places = [line.index("# ") for line in features]
    usual = max(set(places), key=places.count)
    assert places.count(usual) > 0.6 * len(places)
    assert all(at > usual for at in places if at != usual)
    assert all(len(line) <= WIDTH for line in lines if line.startswith("#"))
    assert all(len(line) <= WIDTH for line, at in zip(features, places, strict=True) if at == usual)


def test_json_lists_every_column(inputs: Path, command: Callable[..., Any]) -> None:
    table = inputs / "impressions.parquet"
    data = json.loads(command("data", "inspect", table, "--label", "click", "--format", "json").out)
    assert data["rows"] == 1500
    assert [column["name"] for column in data["columns"]] == pl.read_parquet(table).columns
    assert data["unused"] == []
    assert data["read_as"] == ["'time' tells when a row happened: the split goes by it."]
    assert data["columns"][0] == {
        "name": "user_id",
        "reason": "categorical: whole numbers",
        "distinct": 50,
        "nulls": 0.0,
        "auc": data["columns"][0]["auc"],
        "correlation": None,
    }
    assert data["splits"]["train"]["rows"] == 1200
    assert 0 < data["splits"]["test"]["label_rates"]["click"] < 1
    assert any(sentence.startswith("buy") for sentence in data["suspicions"])
    assert data["step"] == 1
    assert read_schema(data["schema"]).tasks[0].name == "click"


def test_a_schema_that_is_given_is_kept(inputs: Path, command: Callable[..., Any]) -> None:
    """With a label its task comes first."""
    arguments = [inputs / "impressions.parquet", "--schema", inputs / "schema.yaml"]
    data = json.loads(
        command("data", "inspect", *arguments, "--label", "buy", "--format", "json").out
    )
    given = read_schema(inputs / "schema.yaml")
    found = read_schema(data["schema"])
    assert [task.name for task in found.tasks] == ["buy", "click"]
    assert found.features == given.features


NAMES = ["a: b #c", "- x", "null", "ü\nline", "{y}", "'", "k" * 200, "\u2028", "\x85z", "🙂", "\t"]


def test_names_from_data_cannot_break_the_yaml(tmp_path: Path, command: Callable[..., Any]) -> None:
    """Neither as keys nor in comments, where YAML knows more line ends than one."""
    values = {name: [i % 7 for i in range(60)] for name in NAMES}
    odd = {f"odd{name}\nflag: 1": [i % 2 for i in range(60)] for name in (*NAMES, "\x07", "\ufeff")}
    constant = {f"one{name}": [1] + [0, 2] * 29 + [1] for name in NAMES}
    frame = pl.DataFrame({**values, **odd, **constant, "label": [i % 3 // 2 for i in range(60)]})
    frame.write_parquet(tmp_path / "t.parquet")
    ended = command("data", "inspect", tmp_path / "t.parquet", "--label", "label")
    file = tmp_path / "schema.yaml"
    file.write_text(ended.out)
    assert [feature.name for feature in read_schema(file).features] == [*NAMES, *constant]
    assert read_schema(file) == infer_schema(frame, "label")


def test_names_in_sentences_cannot_break_out_of_their_comment(
    tmp_path: Path, command: Callable[..., Any]
) -> None:
    frame = pl.DataFrame({"label": [i % 3 // 2 for i in range(600)]})
    leaks = {f"leak{name}\nflag: 1": frame["label"] * 2 for name in NAMES}
    frame = frame.with_columns(**leaks)
    frame.write_parquet(tmp_path / "t.parquet")
    ended = command("data", "inspect", tmp_path / "t.parquet", "--label", "label")
    assert "suspiciously well" in ended.out
    file = tmp_path / "schema.yaml"
    file.write_text(ended.out)
    assert read_schema(file) == infer_schema(frame, "label")


def test_a_side_table_is_joined(inputs: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    users = pl.DataFrame({"user_id": range(50), "city": [i % 7 for i in range(50)]})
    users.write_csv(tmp_path / "users.csv")
    join = ["--join", f"{tmp_path / 'users.csv'}:user_id"]
    ended = command("data", "inspect", inputs / "impressions.parquet", "--label", "click", *join)
    assert "  city: {kind: categorical}" in ended.out


def test_a_table_that_cannot_be_split_is_explained(
    tmp_path: Path, command: Callable[..., Any]
) -> None:
    """Without a schema; what prevents the split stands among what looks wrong."""
    table = tmp_path / "t.csv"
    table.write_text("item,seen\na,0\nb,1\na,1\n")
    ended = command("data", "inspect", table)
    assert ended.code == 0
    assert "# - each split must have rows, but the sizes are train 3, valid 0, test 0" in ended.out
    file = tmp_path / "schema.yaml"
    file.write_text(ended.out)
    assert command("data", "inspect", table, "--schema", file).code == 2


def test_the_only_binary_column_is_the_task(tmp_path: Path, command: Callable[..., Any]) -> None:
    table = tmp_path / "t.csv"
    table.write_text("item,seen\n" + "".join(f"{i % 5},{i % 2}\n" for i in range(40)))
    data = json.loads(command("data", "inspect", table, "--format", "json").out)
    assert list(data["schema"]["tasks"]) == ["seen"]


def test_without_a_label_the_candidates_are_named(
    inputs: Path, command: Callable[..., Any]
) -> None:
    ended = command("data", "inspect", inputs / "impressions.parquet")
    assert (ended.code, ended.out) == (2, "")
    assert "columns of only 0 and 1: click, buy." in ended.err


def test_a_label_that_is_not_there_has_a_neighbour(
    inputs: Path, command: Callable[..., Any]
) -> None:
    table = inputs / "impressions.parquet"
    assert "Did you mean 'click'?" in command("data", "inspect", table, "--label", "clik").err
    schema = ["--schema", inputs / "schema.yaml"]
    ended = command("data", "inspect", table, *schema, "--label", "clik")
    assert ended.code == 2
    assert "no task 'clik' in the schema. Did you mean 'click'?" in ended.err


def test_a_sample_brings_its_schema(command: Callable[..., Any]) -> None:
    data = json.loads(command("data", "inspect", "kuairand", "--format", "json").out)
    assert data["schema"]["scenario"] == "tab"


def test_each_feature_of_a_column_has_the_columns_figures(
    inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    """Two lines with one column's figures, which is not listed again below."""
    file = tmp_path / "schema.yaml"
    file.write_text(
        "tasks: {click: {kind: binary}}\n"
        "features:\n"
        "  years: {kind: categorical, column: age}\n"
        "  years_number: {kind: numeric, column: age}\n"
        "statistics: none\n"
    )
    ended = command("data", "inspect", inputs / "impressions.parquet", "--schema", file)
    assert ended.code == 0
    lines = [line for line in ended.out.splitlines() if line.startswith("  years")]
    figures = [line.split("#")[1] for line in lines]
    assert len(figures) == 2
    assert figures[0] == figures[1] != ""
    assert not any(line.startswith("#   age ") for line in ended.out.splitlines())
    assert "statistics: none" in ended.out.splitlines()
    saved = tmp_path / "again.yaml"
    saved.write_text(ended.out)
    assert read_schema(saved) == read_schema(file)
