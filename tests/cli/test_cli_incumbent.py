"""``--incumbent`` and the boosted trees of a space, on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest


@pytest.fixture
def search_with(inputs: Path, tmp_path: Path, command: Callable[..., Any]) -> Callable[..., Any]:
    """A search of the small space on a table with a score in ``old``, text in ``words``."""
    frame = pl.read_parquet(inputs / "impressions.parquet")
    rows = pl.int_range(pl.len())
    frame = frame.with_columns(old=pl.col("click") + 3 * (rows % 7), words=pl.lit("high"))
    frame.write_parquet(tmp_path / "scored.parquet")
    files = [tmp_path / "scored.parquet", "--schema", inputs / "schema.yaml"]
    options = ["--space", inputs / "small.yaml", "--trials", 1, "--candidates", 20]
    where = ["--out", tmp_path / "run", "--device", "cpu"]
    return lambda *more: command("search", *files, *options, *where, *more)


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("odl", "incumbent: the table has no column 'odl'. Did you mean 'old'?"),
        ("words", "incumbent: the incumbent's score 'words' must be numeric, but is String, such"),
        ("price", "features.price: the incumbent's score 'price' must be no label and no feature."),
    ],
)
def test_a_column_that_cannot_be_a_score_is_named(
    search_with: Callable[..., Any], column: str, problem: str
) -> None:
    ended = search_with("--incumbent", column)
    assert ended.code == 2
    assert problem in ended.err


def test_the_incumbent_stands_in_the_leaderboard_and_in_the_headline(
    search_with: Callable[..., Any], tmp_path: Path, command: Callable[..., Any]
) -> None:
    ended = search_with("--incumbent", "old")
    assert (ended.code, ended.err) == (0, "")
    assert "reference (incumbent): valid AUC 0." in ended.out
    assert " at - ms" not in ended.out
    text = " ".join(ended.out.split())
    assert "The current model ('old') scores 0." in text
    assert "incumbent: the" in text
    assert "- / -" in text
    refused = command("export", tmp_path / "run", "--trial", "-2", "--out", tmp_path / "model")
    assert refused.code == 2
    assert "trial -2 (incumbent) is not an architecture." in refused.err


def test_boosted_trees_are_references_of_a_space(
    tmp_path: Path, command: Callable[..., Any]
) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("name: x\nreferences: [lightgbm, lightgbm_rates]\ninteraction: mlp\n")
    assert command("space", "check", file).code == 0
    file.write_text("name: x\nreferences: [lightgbm_rate]\ninteraction: mlp\n")
    ended = command("space", "check", file)
    assert ended.code == 2
    assert "Did you mean 'lightgbm_rates'?" in ended.err
