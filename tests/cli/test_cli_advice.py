"""All that an inspection prints is accepted by the next command, without an edit."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from automlrank.data.dataset import Dataset
from automlrank.jobs.inspect import Inspection, inspect
from automlrank.schema import HistoryFeature, MultiFeature, NumericFeature, Split, Task

START = datetime.datetime(2024, 3, 1)
EPOCH = 1_709_251_200
TAGS = ["news", "sport", "music", "film noir", "sci-fi"]


def impressions(rows: int) -> pl.DataFrame:
    """A log in order, as text: times, tags, histories, prices with markers, two outcomes."""
    rng = np.random.default_rng(0)
    users, items = rows // 40, 80
    user, item = rng.integers(users, size=rows), rng.integers(items, size=rows)
    tags = ["|".join(rng.choice(TAGS, 1 + k % 3, replace=False)) for k in range(items)]
    released = [START.date() - datetime.timedelta(days=k) for k in range(items)]
    seconds = np.sort(rng.integers(14 * 86_400, size=rows)).tolist()
    click = (rng.random(rows) < 0.1 + 0.6 * (item % 2)).astype(int)
    past: list[list[tuple[int, int]]] = [[] for _ in range(users)]
    seen, seen_at = [], []
    for row in range(rows):
        mine = past[user[row]]
        seen.append(",".join(str(what) for what, _ in mine[-8:]))
        seen_at.append(",".join(str(when) for _, when in mine[-8:]))
        if click[row]:
            mine.append((1000 + int(item[row]), EPOCH + seconds[row]))
    price = [f"{value:,.2f}" for value in 900 * rng.random(rows) + 500]
    price[7], price[70], price[700] = "-", "NA", "sold out"
    return pl.DataFrame(
        {
            "timestamp": [str(START + datetime.timedelta(seconds=second)) for second in seconds],
            "userId": user + 5000,
            "itemId": item + 1000,
            "tags": [tags[k] for k in item],
            "seen": seen,
            "seen_at": seen_at,
            "price": price,
            "released": [str(released[k]) for k in item],
            "dwell": [f"00:{k % 60:02}:{k // 60 % 60:02}" for k in rng.integers(3600, size=rows)],
            "is_click": click,
            "is_buy": click & (rng.random(rows) < 0.3),
        }
    )


@pytest.mark.parametrize("rows", [4000, pytest.param(30_000, marks=pytest.mark.slow)])
def test_a_log_of_impressions_needs_no_edit(
    rows: int, tmp_path: Path, command: Callable[..., Any]
) -> None:
    """Its printed schema is the inferred one, and splits the rows by time."""
    table, file = tmp_path / "log.csv", tmp_path / "schema.yaml"
    impressions(rows).write_csv(table)
    ended = command("data", "inspect", table, "--label", "is_click")
    assert (ended.code, ended.err) == (0, "")
    file.write_text(ended.out)
    dataset = Dataset.open(table, file, cache=tmp_path / "cache")
    schema = dataset.schema
    assert schema.tasks == (Task("is_click"), Task("is_buy", of="is_click"))
    assert (schema.time, schema.split) == ("timestamp", Split("time", "timestamp"))
    kinds = {feature.source: type(feature) for feature in schema.features}
    assert {name: kinds[name] for name in ("tags", "seen", "price", "dwell")} == {
        "tags": MultiFeature,
        "seen": HistoryFeature,
        "price": NumericFeature,
        "dwell": NumericFeature,
    }
    history = schema.feature("seen")
    assert isinstance(history, HistoryFeature)
    assert (history.of, history.separator, history.time) == ("itemId", ",", "seen_at")
    assert "released" not in kinds
    assert "sold out" in ended.out
    assert dataset.rows["test"] == pytest.approx(0.1 * rows, rel=0.1)
    again = inspect(table, file)
    assert again.schema == inspect(table, label="is_click").schema
    assert again.split_rows == dataset.rows


N = 1500
RNG = np.random.default_rng(0)
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=k // 50) for k in range(N)]
TIMES = ("sent_at", "seen_at", "few", "often", "birthday")
ODD: dict[str, object] = {
    "sent_at": EPOCH + 60 * RNG.permutation(N),
    "seen_at": EPOCH + 60 * RNG.permutation(N),
    "few": [DAYS[k // 500 * 500] for k in range(N)],
    "often": [day if k % 9 else None for k, day in enumerate(DAYS)],
    "birthday": RNG.permutation(np.array(DAYS)).tolist(),
    "dwell": [datetime.timedelta(seconds=k % 70) for k in range(N)],
    "clock": [datetime.time(k % 24, k % 60) for k in range(N)],
    "row_id": np.arange(N),
    "flag": np.arange(N) % 3 == 0,
    "rare": (np.arange(N) % 70 == 0).astype(int),
    "constant": ["x"] * N,
    "empty": pl.Series([None] * N, dtype=pl.String),
    "struct": [{"a": 1}] * N,
    "ragged": [[0.5] * (k % 3) for k in range(N)],
    "past": [[int(k)] * (k % 4) for k in range(N)],
    "past_at": [[EPOCH - 60] * (k % 4) for k in range(N)],
    "item_id": np.arange(N) % 60,
    "y": RNG.integers(2, size=N),
}


def advised(found: Inspection) -> list[dict[str, Any]]:
    """Schemas of what an inspection advises: one for each time, one for all other columns."""
    base: dict[str, Any] = {"tasks": {"y": {}}, "features": {"item_id": {"kind": "categorical"}}}
    times, tasks, features = [], dict(base["tasks"]), dict(base["features"])
    for name, column in found.unused.items():
        if "name it under time" in column.reason:
            split = (
                {"split": {"by": "time", "column": name}} if "and split" in column.reason else {}
            )
            times.append({**base, "time": name, **split})
        elif column.reason.startswith("set aside"):
            tasks[name] = {"kind": "binary"}
        elif "no feature can be made" not in column.reason:
            kind = "multi" if "lists" in column.reason else "categorical"
            features[name] = {"kind": kind}
    return [*times, {"tasks": tasks, "features": features}]


@pytest.mark.parametrize("left", [(), ("few", "often"), ("sent_at", "seen_at"), TIMES])
def test_what_an_inspection_advises_is_accepted(left: tuple[str, ...]) -> None:
    """Each column that it leaves out is named as its reason, or the heading above it, says."""
    frame = pl.DataFrame({name: values for name, values in ODD.items() if name not in left})
    for arguments in ({"label": "y"}, {"schema": {"tasks": {"y": {}}}}):
        found = inspect(frame, **arguments)
        for schema in (found.schema.to_data(), *advised(found)):
            told = inspect(frame, schema).suspicions
            assert not [text for text in told if text.startswith("tasks.")]


def test_a_remedy_for_a_random_split_can_be_written_into_the_schema() -> None:
    """Also for a name that YAML reads as something else."""
    frame = pl.DataFrame(
        {"a: b": EPOCH + 60 * np.arange(N), **{k: ODD[k] for k in ("item_id", "past", "y")}}
    )
    features = {"item_id": {"kind": "categorical"}, "past": {"kind": "history", "of": "item_id"}}
    schema = {"tasks": {"y": {}}, "features": features, "time": "a: b"}
    (text,) = (text for text in inspect(frame, schema).suspicions if "split at random" in text)
    advised = re.search(r"Write (split: \{.*\})\.$", text)
    assert advised is not None
    told = inspect(frame, {**schema, **yaml.safe_load(advised[1])})
    assert told.schema.split == Split("time", "a: b")
    assert not any("split at random" in text for text in told.suspicions)
