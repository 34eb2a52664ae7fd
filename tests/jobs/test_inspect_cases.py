"""The same content gives the same schema from a CSV, a Parquet file, pandas and Polars."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from automlrank.jobs.inspect import Inspection, inspect
from automlrank.schema import CategoricalFeature, NumericFeature, Split

N = 2000
RNG = np.random.default_rng(0)
USER, ITEM = RNG.integers(150, size=N), RNG.integers(80, size=N)
PRICE = np.round(np.exp(RNG.normal(3, 1, N)), 2)
LOGIT = RNG.normal(0, 1.2, 150)[USER] + RNG.normal(0, 1.2, 80)[ITEM] - 0.5 * np.log(PRICE) + 1.2
CLICK = (RNG.random(N) < 1 / (1 + np.exp(-LOGIT))).astype(int)
BASE = {"click": CLICK, "item_id": ITEM + 500, "price": PRICE}
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=k // 65) for k in range(N)]


def as_csv(frame: pl.DataFrame, folder: Path) -> object:
    frame.write_csv(folder / "t.csv")
    return folder / "t.csv"


def as_parquet(frame: pl.DataFrame, folder: Path) -> object:
    frame.write_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def as_pandas(frame: pl.DataFrame, folder: Path) -> object:
    return pd.DataFrame({name: frame[name].to_list() for name in frame.columns})


def as_polars(frame: pl.DataFrame, folder: Path) -> object:
    return frame


every_container = pytest.mark.parametrize("write", [as_csv, as_parquet, as_pandas, as_polars])
Write = Callable[[pl.DataFrame, Path], Any]


def found(write: Write, folder: Path, **columns: object) -> Inspection:
    return inspect(write(pl.DataFrame({**BASE, **columns}), folder), label="click")


@every_container
@pytest.mark.parametrize("name", ["user_id", "userId"])
def test_whole_floats_named_like_an_id_are_ids(write: Write, name: str, tmp_path: Path) -> None:
    """So pandas holds ids where one is missing; as categories they tell more."""
    users = pl.Series([None if k % 10 == 0 else float(v) for k, v in enumerate(USER + 1000)])
    inspected = found(write, tmp_path, **{name: users})
    assert inspected.schema.features == (
        CategoricalFeature("item_id"),
        NumericFeature("price"),
        CategoricalFeature(name),
    )
    assert inspected.columns[name].distinct == 150


@every_container
def test_seconds_that_repeat_in_no_order_are_the_time(write: Write, tmp_path: Path) -> None:
    times = 1_627_776_000 + 60 * (RNG.permutation(N) // 3)
    inspected = found(write, tmp_path, timestamp=times, user_id=USER)
    assert inspected.schema.split == Split("time", "timestamp")
    assert inspected.schema.statistics is not None
    assert "timestamp" not in inspected.schema.statistics.of


@pytest.mark.parametrize("write", [as_csv, as_pandas])
@pytest.mark.parametrize("form", ["date", "%Y-%m-%d", "%Y%m%d", "number", "%d.%m.%Y"])
def test_dates_in_any_form_are_the_time(write: Write, form: str, tmp_path: Path) -> None:
    values: list[object] = list(DAYS)
    if form != "date":
        values = [f"{day:{'%Y%m%d' if form == 'number' else form}}" for day in DAYS]
    if form == "number":
        values = [int(str(value)) for value in values]
    inspected = found(write, tmp_path, date=values, user_id=USER)
    assert inspected.schema.time == "date"
    assert inspected.split_rows == {"train": 1560, "valid": 195, "test": 245}


@every_container
def test_durations_are_amounts(write: Write, tmp_path: Path) -> None:
    """Of CSV as text, and times of day as well; as ids or times a schema is refused."""
    dwell = [datetime.timedelta(seconds=int(n)) for n in RNG.integers(1, 100, N)]
    columns: dict[str, object] = {"dwell": dwell}
    if write is as_csv:
        columns = {"dwell": [f"00:00:{delta.seconds % 60:02}" for delta in dwell]}
    inspected = found(write, tmp_path, **columns)
    assert inspected.schema.feature("dwell") == NumericFeature("dwell")
    assert inspected.columns["dwell"].reason == "numeric: seconds"
