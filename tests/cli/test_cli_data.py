"""``automlrank data inspect``: a schema that can be saved, and why it is so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from automlrank.data.infer import infer_schema
from automlrank.data.synthetic import synthetic_frame
from automlrank.schema import read_schema


def test_what_it_prints_is_the_schema_that_was_inferred(
    inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    """Saved and read back it equals what a search without a schema would use."""
    frame, _ = synthetic_frame(1500, seed=0)
    table = inputs / "impressions.parquet"
    inferred = infer_schema(frame, "click").schema
    for form in ("human", "quiet"):
        ended = command("data", "inspect", table, "--label", "click", "--format", form)
        assert (ended.code, ended.err) == (0, "")
        file = tmp_path / f"{form}.yaml"
        file.write_text(ended.out)
        assert read_schema(file) == inferred


def test_every_column_is_explained(inputs: Path, command: Callable[..., Any]) -> None:
    """Reason, distinct values and nulls; 0/1 columns that may be outcomes are listed apart."""
    out = command("data", "inspect", inputs / "impressions.parquet", "--label", "click").out
    lines = {line.split(":")[0].strip("# "): line for line in out.splitlines()}
    assert lines["user_id"].endswith("# categorical: whole numbers, 50 distinct, 0.0% null")
    assert "numeric" in lines["age"]
    assert not lines["age"].endswith(" 0.0% null")
    assert lines["buy"].startswith("#")
    assert "set aside: only 0 and 1" in lines["buy"]


def test_json_lists_every_column(inputs: Path, command: Callable[..., Any]) -> None:
    table = inputs / "impressions.parquet"
    data = json.loads(command("data", "inspect", table, "--label", "click", "--format", "json").out)
    assert data["rows"] == 1500
    assert [column["name"] for column in data["columns"]] == pl.read_parquet(table).columns
    assert "buy" in data["unused"]
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


def test_names_from_data_cannot_break_the_yaml(tmp_path: Path, command: Callable[..., Any]) -> None:
    names = ["a: b #c", "- x", "null", "ü\nline", "{y}", "'", "k" * 200]
    values = {name: [i % 7 for i in range(60)] for name in names}
    odd = {"odd\nflag: 1": [i % 2 for i in range(60)]}
    frame = pl.DataFrame({**values, **odd, "label": [i % 3 // 2 for i in range(60)]})
    frame.write_parquet(tmp_path / "t.parquet")
    ended = command("data", "inspect", tmp_path / "t.parquet", "--label", "label")
    file = tmp_path / "schema.yaml"
    file.write_text(ended.out)
    assert [feature.name for feature in read_schema(file).features] == names
    assert read_schema(file) == infer_schema(frame, "label").schema


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
