"""What a search does with its table: samples, side tables, frames, suspicions."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import automlrank
import automlrank.jobs.search as search_module
from automlrank.data.dataset import SAMPLE_VALID, Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.errors import RunError, UsageError
from automlrank.jobs.search import search, suspicions_of
from automlrank.runs.events import DataReady, Event, TrainingUpdate

SPACE = {
    "name": "tiny",
    "references": ["lr"],
    "embedding": {"dim": [4, 8], "l2": 0.1},
    "interaction": {"mlp": {"width": [8, 16], "depth": 1}},
    "training": {"learning_rate": 0.01, "batch_size": 256, "epochs": 1},
}


def test_trials_see_a_sample_and_finalists_all_rows(tmp_path: Path) -> None:
    """Whole groups of the training rows; each finalist passes over every row."""
    frame, schema = synthetic_frame(3000, seed=0)
    events: list[Event] = []
    result = search(
        frame, schema, SPACE, trials=2, seed=1, sample_rows=600, out=tmp_path / "run",
        listen=events.append,
    )  # fmt: skip
    rows: dict[str, int] = {}
    for event in events:
        if isinstance(event, TrainingUpdate) and event.progress.epoch == 0:
            rows[event.what] = event.progress.rows  # the last report of the first epoch
    everything = result.facts.rows["train"]
    finals = {what: n for what, n in rows.items() if what.startswith("finalist")}
    assert set(finals.values()) == {everything}
    trials = {n for what, n in rows.items() if what not in finals}
    assert trials
    assert all(600 <= n < 800 for n in trials)
    assert "trials saw about 600 training rows" in (result.folder / "report.md").read_text()
    with pytest.raises(RunError, match="sampled rows"):
        search(frame, schema, SPACE, trials=2, seed=1, out=tmp_path / "run", resume=True)


def test_a_sample_draws_whole_groups_and_keeps_enough_validation_rows(tmp_path: Path) -> None:
    """No group is cut; 20,000 validation rows stay, as far as there are so many."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"g": rng.integers(900, size=90_000), "y": rng.integers(2, size=90_000)})
    frame = frame.with_columns(x=pl.col("g") % 7)
    schema = {
        "tasks": {"y": {"kind": "binary"}},
        "features": {"x": {"kind": "categorical"}},
        "group": "g",
        "split": {"by": "random", "valid": 0.4, "test": 0.1},
    }
    data = Dataset.open(frame, schema, cache=tmp_path)
    part = data.sample(5000, seed=1)
    groups, kept = data.groups("train"), part.groups("train")
    assert groups is not None
    assert kept is not None
    assert 5000 <= part.rows["train"] < 5000 + np.bincount(groups).max()
    assert len(kept) == np.isin(groups, np.unique(kept)).sum()
    assert part.rows["valid"] >= SAMPLE_VALID
    assert part.rows["test"] == data.rows["test"]
    assert len(part.labels("train")) == part.rows["train"]
    batches = [len(batch["labels"]) for batch in part.batches("train", 512)]
    assert sum(batches) == part.rows["train"]
    assert data.sample(10**9) is data


@pytest.mark.parametrize("rows", [0, -5])
def test_a_sample_of_no_rows_is_refused(rows: int) -> None:
    with pytest.raises(UsageError, match=f"--sample-rows must be 1 or more, but got {rows}"):
        search("kuairand", sample_rows=rows)


def test_side_tables_are_joined_and_part_of_the_fingerprint(tmp_path: Path) -> None:
    frame, schema = synthetic_frame(1500, seed=0)
    users = frame.select("user_id", "age").unique("user_id", maintain_order=True)
    users.write_csv(tmp_path / "users.csv")
    join = f"{tmp_path / 'users.csv'}:user_id"
    joined = Dataset.open(frame.drop("age"), schema, joins=[join], cache=tmp_path / "cache")
    whole = Dataset.open(frame, schema, cache=tmp_path / "cache")
    assert joined.fingerprint != whole.fingerprint
    rows = np.arange(100)
    np.testing.assert_array_equal(
        joined.take("train", rows)["numbers:request"], whole.take("train", rows)["numbers:request"]
    )
    users.with_columns(pl.col("age") + 1).write_csv(tmp_path / "users.csv")
    other = Dataset.open(frame.drop("age"), schema, joins=[join], cache=tmp_path / "cache")
    assert other.fingerprint != joined.fingerprint


def test_what_looks_wrong_is_told_and_reported(tmp_path: Path) -> None:
    """A column that is the label under another name, in the terminal's events and the report."""
    frame, schema = synthetic_frame(3000, seed=0)
    data: dict[str, Any] = schema.to_data()
    data["features"] |= {"paid": {"kind": "categorical"}}
    frame = frame.with_columns(paid=pl.col("click").cast(pl.String))
    events: list[Event] = []
    result = search(
        frame, data, SPACE, trials=1, seed=1, out=tmp_path / "run", listen=events.append
    )
    told = next(event.suspicions for event in events if isinstance(event, DataReady))
    assert any("paid" in sentence for sentence in told)
    assert result.facts.suspicions == told
    for name in ("report.md", "report.html"):
        assert "suspiciously well" in (result.folder / name).read_text(), name


def test_what_looks_wrong_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, schema = synthetic_frame(1000, seed=0)
    data = Dataset.open(frame, schema, cache=tmp_path)
    first = suspicions_of(data, 0.5)
    monkeypatch.setattr(search_module, "suspicions", None)
    assert suspicions_of(data, 0.5) == first


def test_the_example_of_search_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search from a pandas frame, as its docstring shows it."""
    monkeypatch.chdir(tmp_path)
    found = doctest.DocTestFinder().find(automlrank.search, globs={})
    assert doctest.DocTestRunner().run(found[0]) == (0, len(found[0].examples))
