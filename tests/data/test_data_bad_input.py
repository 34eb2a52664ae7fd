"""Tables that cannot be read, and disks that cannot be written: a sentence, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from automlrank.data.cache import staged_folder
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.errors import DataError, UsageError
from automlrank.jobs.inspect import inspect

ROWS = 20_000
LIMITED = """
import resource, signal, sys
from automlrank.data.dataset import Dataset
from automlrank.errors import UsageError
table, cache, limit = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    Dataset.open(table, label="click", cache=cache)
except UsageError as error:
    print(error)
"""
KILLED = """
import sys, time
from automlrank.data import read, text
table, marker = sys.argv[1:]
written = text.write_part
def wait(*arguments):
    written(*arguments)
    open(marker, "w").close()
    time.sleep(3600)
text.write_part = wait
with read.open_table(table):
    pass
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(folder))
    return folder


def left_in(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if path.suffix != ".lock"]


def table(tmp_path: Path, kind: str) -> Path:
    """Arrays, staged parts and raw rows that are larger than 30 kB; text is largest raw."""
    frame, _ = synthetic_frame(ROWS)
    columns = ["click", "page", "price", "user_id", "item_id"]
    path = tmp_path / f"t.{'csv' if kind == 'csv' else 'parquet'}"
    if kind == "csv":
        frame.select(columns).write_csv(path)
    elif kind == "parquet":
        frame.select(columns).write_parquet(path)
    else:
        number = pl.int_range(pl.len())
        texts = [(number + seed).hash(seed).cast(pl.String) for seed in range(5)]
        rows = pl.DataFrame({"click": [0, 1] * 400})
        rows.with_columns(text=pl.concat_str(texts)).write_parquet(path)
    return path


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the sizes of files")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("csv", "the table cannot be staged in {cache}: "),
        ("parquet", "the encoded data cannot be written to {cache}: "),
        ("texts", "the encoded data cannot be written to {cache}: "),
    ],
)
def test_a_full_disk(kind: str, said: str, cache: Path, tmp_path: Path) -> None:
    """A limit on sizes fails like a full disk: while staging, in an array, in the raw rows."""
    path = table(tmp_path, kind)
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED, str(path), str(cache), "30000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(said.format(cache=cache))
    assert "File too large" in ended.stdout
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""
    assert left_in(cache) == []


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_the_folder_of_a_killed_staging_is_removed_by_the_next(cache: Path, tmp_path: Path) -> None:
    """Not that of a process that still runs, nor of another machine."""
    path = table(tmp_path, "csv")
    marker = tmp_path / "staged"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path), str(marker)]) as process:
        while not marker.exists():
            assert process.poll() is None
            time.sleep(0.05)
        (abandoned,) = left_in(cache)
        assert f"-{process.pid}-" in abandoned
        Dataset.open(path, label="click", cache=tmp_path / "store")
        assert left_in(cache) == [abandoned]
        process.send_signal(signal.SIGKILL)
    foreign = abandoned.replace("staged-", "staged-1", 1).rpartition("-")[0] + "elsewhere-x"
    (cache / foreign).mkdir()
    with staged_folder() as mine:
        assert sorted(left_in(cache)) == sorted([foreign, Path(mine).name])


def test_a_frame_of_mixed_lists_is_refused() -> None:
    """pandas holds what no column can: lists of numbers and text."""
    frame = pd.DataFrame({"click": [0, 1], "tags": [[1, "a"], [2.5]]})
    with pytest.raises(DataError, match="a DataFrame cannot be read as a table: "):
        Dataset.open(frame, label="click")


@pytest.mark.parametrize("kind", ["objects", "bytes", "struct"])
def test_columns_of_no_plain_values_are_refused_by_name(kind: str) -> None:
    """A feature of objects, of bytes or of structs."""
    values = {
        "objects": pl.Series([object(), object()] * 50, dtype=pl.Object),
        "bytes": pl.Series([b"a", b"b"] * 50),
        "struct": pl.Series([{"a": 1}, {"a": 2}] * 50),
    }[kind]
    frame = pl.DataFrame({"click": [0, 1] * 50, "x": values})
    schema = {"tasks": {"click": None}, "features": {"x": {"kind": "categorical"}}}
    with pytest.raises(UsageError, match=r"column.*x|x.*column"):
        Dataset.open(frame, schema)


def test_objects_are_refused_where_no_feature_is_made_of_them_too() -> None:
    """Polars panics where it compares them: two sets have no hash."""
    frame = pl.DataFrame({"click": [0, 1] * 50, "a": ["x", "x", "y", "y"] * 25})
    frame = frame.with_columns(b=pl.Series([{1}, {2}] * 50, dtype=pl.Object))
    with pytest.raises(DataError, match="the frame: column 'b' holds objects of Python"):
        Dataset.open(frame, label="click")


def test_halves_of_a_float_are_numbers() -> None:
    """Polars cannot count the values of Float16; those of lists neither."""
    values = pl.Series([0.5, 1.5, 2.5, None] * 25)
    frame = pl.DataFrame({"click": [0, 0, 1, 1] * 25, "a": values.cast(pl.Float16)})
    frame = frame.with_columns(b=pl.concat_list("a", "a"))
    assert inspect(frame, label="click").columns["a"].distinct == 3
    assert Dataset.open(frame, label="click").schema.feature("a").kind == "numeric"


def test_other_categories_are_other_data(tmp_path: Path) -> None:
    """Frames with equal codes of other categories do not share a store."""
    labels = {"click": [0, 1] * 50}
    frames = [
        pl.DataFrame({**labels, "x": pl.Series(pair * 50, dtype=pl.Categorical)})
        for pair in (["a", "b"], ["c", "d"])
    ]
    schema = {"tasks": {"click": None}, "features": {"x": {"kind": "categorical"}}}
    found = [Dataset.open(frame, schema, cache=tmp_path) for frame in frames]
    assert [set(d.encoder.vocabularies["x"]) for d in found] == [{"a", "b"}, {"c", "d"}]
