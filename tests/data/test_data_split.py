"""Rows into train, valid and test."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from automlrank.data.split import assign, read_split
from automlrank.errors import DataError, SchemaError
from automlrank.schema import Split


def sizes(rows) -> list[int]:
    return [len(part) for part in rows.values()]


def by_time(values, **settings):
    return assign(pl.DataFrame({"t": values}), Split(by="time", column="t", **settings))


@given(st.lists(st.integers(0, 30), min_size=20, max_size=60))
def test_splits_by_time_are_a_partition_in_time(values):
    """Every row once; train before valid before test; equal times in one split."""
    try:
        rows = by_time(values, valid=0.2, test=0.2)
    except DataError:
        assume(False)
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(len(values)))
    times = [np.array(values)[part] for part in rows.values()]
    assert times[0].max() < times[1].min()
    assert times[1].max() < times[2].min()


def test_shares_are_of_rows_from_the_end():
    """The last rows are test, whatever order the table is in."""
    rows = by_time(np.arange(100)[::-1], valid=0.1, test=0.2)
    assert sizes(rows) == [70, 10, 20]
    assert rows["test"].tolist() == list(range(20))


@pytest.mark.parametrize(
    ("values", "valid_from", "test_from"),
    [
        ([20220501, 20220502, 20220503], 20220502, 20220503),
        (["2022-05-01", "2022-05-02", "2022-05-03"], "2022-05-02", datetime.date(2022, 5, 3)),
        ([datetime.date(2022, 5, d) for d in (1, 2, 3)], "2022-05-02", datetime.date(2022, 5, 3)),
        ([datetime.datetime(2022, 5, d, 9) for d in (1, 2, 3)], "2022-05-02", "2022-05-03 08:00"),
    ],
)
def test_given_values_are_compared_in_the_columns_type(values, valid_from, test_from):
    """From the value on, the value included."""
    rows = by_time(values, valid_from=valid_from, test_from=test_from)
    assert [part.tolist() for part in rows.values()] == [[0], [1], [2]]


def test_a_random_split_has_its_shares_and_is_always_the_same():
    """One fixed permutation."""
    frame = pl.DataFrame({"x": range(200)})
    first, second = (assign(frame, Split(valid=0.1, test=0.2)) for _ in range(2))
    assert sizes(first) == [140, 20, 40]
    np.testing.assert_equal(first, second)


def test_a_column_says_the_split():
    """Rows keep the table's order."""
    frame = pl.DataFrame({"s": ["test", "train", "valid", "train"]})
    rows = assign(frame, Split(by="column", column="s"))
    assert [part.tolist() for part in rows.values()] == [[1, 3], [2], [0]]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("of_folder", [True, False])
def test_files_beside_each_other(tmp_path, ending, of_folder):
    """Train is its file; the test file is shared out at random."""
    for name, start, rows in (("a", 0, 30), ("b", 100, 20)):
        frame = pl.DataFrame({"x": range(start, start + rows)})
        getattr(frame, f"write_{ending}")(tmp_path / f"{name}.{ending}")
    split = Split(by="file", train_file=f"a.{ending}", test_file=f"b.{ending}", valid=0.25)
    source = tmp_path if of_folder else tmp_path / f"a.{ending}"
    frame, train_rows = read_split(source, split)
    rows = assign(frame, split, train_rows)
    assert sizes(rows) == [30, 5, 15]
    assert frame["x"].gather(rows["train"]).to_list() == list(range(30))
    assert rows["valid"].tolist() != list(range(30, 35))


def test_an_empty_split_is_an_error_with_the_sizes():
    """All rows at one time cannot be divided."""
    with pytest.raises(DataError, match="train 0, valid 0, test 9"):
        by_time([5] * 9)


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([1, 2, None], {}, "'t' splits the rows, but is null in 1 of 3"),
        ([1.0, float("nan")], {}, "null in 1 of 2"),
        ([1, 2, 3], {"valid_from": 3, "test_from": 2}, "valid_from < test_from"),
        ([1, 2, 3], {"valid_from": "b", "test_from": "c"}, "'b' cannot be compared with column"),
    ],
)
def test_bad_times(values, settings, message):
    """Nulls, values in the wrong order or of the wrong type."""
    with pytest.raises(DataError, match=message):
        by_time(values, **settings)


def test_an_unknown_word_in_the_splits_column():
    """The words are train, valid and test."""
    with pytest.raises(DataError, match=r"but says 'vaild'. Did you mean 'valid'"):
        assign(pl.DataFrame({"s": ["train", "vaild"]}), Split(by="column", column="s"))


def test_bad_file_splits(tmp_path):
    """No file named, no such file, a frame."""
    files = Split(by="file", train_file="a.csv", test_file="b.csv")
    with pytest.raises(SchemaError, match="needs train and test"):
        read_split(tmp_path, Split(by="file", train_file="a.csv"))
    with pytest.raises(DataError, match="no such file"):
        read_split(tmp_path, files)
    with pytest.raises(DataError, match="got a frame"):
        read_split(pl.DataFrame({"x": [1]}), files)
