"""``inspect``: every column with its figures, the splits, and ten planted faults."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from automlrank.data.dataset import Dataset
from automlrank.data.infer import complete
from automlrank.data.read import open_table, sample_schema
from automlrank.data.split import assign
from automlrank.data.synthetic import synthetic_frame
from automlrank.data.table import Table
from automlrank.errors import DataError, SchemaError, UsageError
from automlrank.jobs import inspect as module
from automlrank.jobs.inspect import every_kth, inspect
from automlrank.schema import HistoryFeature, Schema, Task, read_schema

N = 5000

PLANTED = """
tasks: {click: {kind: binary}}
features:
  user: {kind: categorical}
  watched: {kind: numeric}
  row_id: {kind: categorical}
  country: {kind: categorical}
  week: {kind: categorical}
  bought: {kind: categorical}
  price: {kind: numeric}
  item: {kind: categorical}
  seen: {kind: history, of: item, sequence: views, time: seen_at, separator: "|"}
group: session
time: at
split: {by: time, column: at, valid: 0.2, test: 0.2}
"""

FAULTS = {
    "label leak": "watched (AUC 0.9",
    "unique id": "row_id (98%)",
    "near-constant": "country (99.97%)",
    "unseen validation values": "week (100%)",
    "duplicate rows": "60 training rows (2.0%) are exact copies",
    "one-class groups": "lie in groups of session with one class of click",
    "0/1 outcome": "bought (100.0%): where it is 1, click is 1",
    "sentinel": "price = -999 (4.8%)",
    "future behaviours in a history": "views: 253 of 5,000 histories (5.1%)",
    "label rate jump": "click: the label rate differs by split: train",
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A CSV with ten faults, and its schema."""
    rng = np.random.default_rng(0)
    at = 1_700_000_000 + 600 * np.arange(N)
    early = np.arange(N) < 0.6 * N
    session = np.arange(N) // 4
    rate = np.where(early, 0.3, 0.6)
    click = rng.random(N // 4)[session] < rate  # one draw for a session: its rows agree
    item = rng.integers(60, size=N)
    late = rng.permutation(N) < N // 20
    price = np.where(rng.random(N) < 0.05, -999.0, rng.lognormal(size=N).round(2))
    frame = pl.DataFrame(
        {
            "user": rng.integers(40, size=N),
            "watched": (click + rng.normal(scale=0.4, size=N)).round(3),
            "row_id": [f"r{i}" for i in range(N)],
            "country": np.where(np.arange(N) == 207, "fr", "de"),
            "week": np.arange(N) // 1000,
            "bought": (click & (rng.random(N) < 0.1)).astype(int),
            "price": price,
            "item": item,
            "seen": [f"{a}|{b}" for a, b in rng.integers(60, size=(N, 2))],
            "seen_at": [f"{t - 900}|{t + 60 * w}" for t, w in zip(at, late * 2 - 1, strict=True)],
            "session": session,
            "at": at,
            "click": click.astype(int),
        }
    )
    rows = np.arange(N)
    rows[:120:2] = rows[1:121:2]  # sixty rows were logged twice
    folder = tmp_path_factory.mktemp("planted")
    frame[rows].write_csv(folder / "log.csv")
    (folder / "schema.yaml").write_text(PLANTED)
    return folder / "log.csv", folder / "schema.yaml"


@pytest.mark.parametrize("fault", FAULTS)
def test_ten_planted_faults_are_named(planted: tuple[Path, Path], fault: str) -> None:
    found = inspect(*planted)
    assert any(FAULTS[fault] in sentence for sentence in found.suspicions), found.suspicions


def test_without_a_schema_what_is_left_out_has_its_reason(planted: tuple[Path, Path]) -> None:
    """The id, the time and the outcome are no features, and say why."""
    found = inspect(planted[0], label="click")
    assert "a row's id" in found.columns["row_id"].reason
    assert found.columns["at"].reason == "no feature: the time in s"
    assert found.columns["bought"].reason == "a task: 1 only where 'click' is"
    assert found.schema.tasks == (Task("click"), Task("bought", of="click"))
    assert set(found.unused) == {"row_id"}
    assert found.schema.feature("seen") == HistoryFeature(
        "seen", of="item", sequence="seen", time="seen_at", separator="|"
    )


def test_every_column_has_its_figures() -> None:
    """In the table's order: distinct values, nulls, and an AUC but for the label and constants."""
    frame, schema = synthetic_frame(3000, seed=0)
    frame = frame.with_columns(one=pl.lit(1))
    found = inspect(frame, schema)
    assert list(found.columns) == frame.columns
    assert {name for name, column in found.columns.items() if column.auc is None} == {
        "click",
        "one",
    }
    age = found.columns["age"]
    assert (age.reason, age.distinct) == ("named in the schema", frame["age"].n_unique() - 1)
    assert age.nulls == frame["age"].null_count() / 3000
    assert found.columns["history_item_id"].distinct == 40
    assert found.columns["history_time"].reason == "the times of a history"
    assert list(found.unused) == ["one"]


def test_ignored_columns_have_an_auc_too() -> None:
    """So that a column can be ignored first and judged afterwards."""
    frame, _ = synthetic_frame(3000, seed=0)
    found = inspect(frame, Schema((Task("click"),), ignore=("buy",)))
    assert found.columns["buy"].reason == "no feature: ignored"
    assert found.columns["buy"].auc is not None
    assert "buy" in found.unused


def test_splits_and_rates_are_those_of_a_search() -> None:
    frame, schema = synthetic_frame(3000, seed=0)
    found = inspect(frame, schema)
    with open_table(frame) as table:
        splits = assign(table, schema)
    assert list(found.split_rows.values()) == np.bincount(splits).tolist()
    for k, rates in enumerate(found.label_rates.values()):
        rows = frame.filter(splits == k)
        assert rates == pytest.approx({"click": rows["click"].mean(), "buy": rows["buy"].mean()})


def test_the_schema_is_what_a_search_would_use_and_the_outcomes() -> None:
    frame, _ = synthetic_frame(3000, seed=0)
    with open_table(frame) as table:
        expected = complete(Schema((Task("click", "inferred"),)), table)
    tasks = (*expected.schema.tasks, Task("buy", of="click"))
    assert expected.set_aside == ("buy",)
    assert inspect(frame, label="click").schema == dataclasses.replace(expected.schema, tasks=tasks)


def test_of_a_large_table_every_kth_row_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Distinct values, nulls, splits and rates stay those of all rows; chunks leave no seam."""
    frame, schema = synthetic_frame(3000, seed=0)
    whole = inspect(frame, schema)
    monkeypatch.setattr(module, "SAMPLED_ROWS", 1000)
    found = inspect(frame, schema)
    assert (found.step, found.rows, found.split_rows) == (3, 3000, whole.split_rows)
    assert found.label_rates == whole.label_rates
    for name, column in found.columns.items():
        assert (column.distinct, column.nulls) == (
            whole.columns[name].distinct,
            whole.columns[name].nulls,
        )


@pytest.mark.parametrize("rows", [100, 1000, 1500, 5000])
def test_every_kth_row_is_taken_across_chunks(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, _ = synthetic_frame(3000, seed=0)
    with open_table(frame) as table:
        monkeypatch.setattr(Table, "chunks", functools.partialmethod(Table.chunks, rows=rows))
        assert every_kth(table, 7).equals(frame.gather_every(7))


def test_rows_that_cannot_be_split_are_a_fault_of_a_schema_and_a_suspicion_without() -> None:
    frame = pl.DataFrame({"y": [0, 1, 1], "x": ["a", "b", "a"]})
    found = inspect(frame, label="y")
    assert "each split must have rows, but the sizes are train 3" in found.suspicions[0]
    assert (found.split_rows, found.columns["x"].auc) == ({}, None)
    with pytest.raises(DataError, match="each split must have rows"):
        inspect(frame, Schema((Task("y"),)))


def test_labels_that_a_search_refuses_are_named() -> None:
    frame = pl.DataFrame({"y": [0, 1, 2, 3] * 50, "x": ["a", "b"] * 100})
    assert (
        "tasks.y: a binary label must be 0 or 1, but holds 2, 3. Is it of kind: regression?"
        in inspect(frame, Schema((Task("y"),))).suspicions
    )
    assert (
        "tasks.y: a binary label must be 0 or 1, but holds -1. Is it of kind: regression?"
        in inspect(frame.with_columns(y=2 * (pl.col("y") % 2) - 1), label="y").suspicions
    )


def test_a_regression_has_correlations_and_no_auc() -> None:
    """Named alone, it is taken for one; the columns that make it stand out."""
    frame, _ = synthetic_frame(3000, seed=0)
    noise = np.random.default_rng(0).normal(size=3000)
    frame = frame.with_columns(stay=(pl.col("price").log() + noise).exp())
    found = inspect(frame, label="stay")
    assert found.schema.tasks == (Task("stay", "regression"),)
    assert all(column.auc is None for column in found.columns.values())
    assert found.columns["price"].correlation is not None
    assert found.columns["stay"].correlation is None
    known = {n: c.correlation or 0.0 for n, c in found.columns.items() if n != "stay"}
    assert max(known, key=known.__getitem__) in ("price", "item_id")  # an item has one price
    assert known["price"] > 0.4


def test_without_label_or_schema_the_only_binary_column_is_the_task() -> None:
    frame, _ = synthetic_frame(3000, seed=0)
    assert inspect(frame.drop("buy")).schema.tasks == (Task("click"),)
    with pytest.raises(SchemaError, match="columns of only 0 and 1: click, buy"):
        inspect(frame)


def test_a_side_table_is_joined(tmp_path: Path) -> None:
    frame, _ = synthetic_frame(3000, seed=0)
    users = frame["user_id"].unique().sort().to_frame()
    users.with_columns(city=pl.col("user_id") % 7).write_parquet(tmp_path / "users.parquet")
    found = inspect(frame, label="click", joins=[f"{tmp_path / 'users.parquet'}:user_id"])
    assert found.columns["city"].distinct == 7


def test_the_sample_has_no_leak_among_its_features() -> None:
    """Its outcomes are ignored; long_view would be one of them, video_id and user_id are not."""
    found = inspect("kuairand")
    assert found.schema == read_schema(sample_schema("kuairand"))
    aucs = {name: column.auc or math.nan for name, column in found.columns.items()}
    assert aucs["long_view"] > 0.8
    assert 0.55 < aucs["user_id"] < 0.75
    assert 0.55 < aucs["video_id"] < 0.75
    assert not any("suspiciously" in sentence for sentence in found.suspicions)


def test_without_its_schema_the_sample_shows_its_leak() -> None:
    path = sample_schema("kuairand").with_name("kuairand.parquet")
    found = inspect(path, label="is_click")
    (leak,) = (sentence for sentence in found.suspicions if "suspiciously" in sentence)
    assert leak.startswith("long_view (AUC 0.8")
    assert "," not in leak.split(":")[0]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.5, math.inf] * 100, "column 'x' must be finite, but is inf."),
        ([1.5, 1e39] * 100, "column 'x' must be at most 3.4e+38, but is 1e+39."),
        (["a"] * 200, "the table has no column that can be a feature."),
        ([[0.5, math.nan], [1.5, 2.5]] * 100, "the table has no column that can be a feature."),
    ],
)
def test_what_a_search_refuses_of_the_proposed_features_is_told(
    values: list[object], told: str
) -> None:
    frame = pl.DataFrame({"y": [0, 0, 1, 1] * 50, "x": values})
    assert any(told in sentence for sentence in inspect(frame, label="y").suspicions)
    with pytest.raises(UsageError, match=re.escape(told)):
        Dataset.open(frame, label="y")
