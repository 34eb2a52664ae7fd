"""Rows into train, valid and test."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from automlrank.data.read import open_table
from automlrank.data.split import NAMES, assign, parts_of
from automlrank.errors import DataError, SchemaError
from automlrank.schema import Schema, Split, Task


def split_of(source, split, **schema):
    """The rows of each split."""
    with open_table(parts_of(source, split)) as table:
        labels = assign(table, Schema((Task("y"),), split=split, **schema))
    return {name: np.flatnonzero(labels == i) for i, name in enumerate(NAMES)}


def sizes(rows) -> list[int]:
    return [len(part) for part in rows.values()]


def by_time(values, **settings):
    return split_of(pl.DataFrame({"t": values}), Split(by="time", column="t", **settings))


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
    first, second = (split_of(frame, Split(valid=0.1, test=0.2)) for _ in range(2))
    assert sizes(first) == [140, 20, 40]
    np.testing.assert_equal(first, second)


@given(st.lists(st.integers(0, 40), min_size=60, max_size=200), st.randoms())
def test_no_group_is_in_two_splits_whatever_the_order_of_rows(groups, random):
    """Groups are whole; a group's split depends on the others' sizes, not on where rows stand."""
    split = Split(by="group", valid=0.2, test=0.2)

    def of_group(values):
        rows = split_of(pl.DataFrame({"g": values}), split, group="g")
        return {values[row]: name for name, part in rows.items() for row in part}

    try:
        found = of_group(groups)
    except DataError:
        assume(False)
    rows = split_of(pl.DataFrame({"g": groups}), split, group="g")
    seen = [{groups[row] for row in part} for part in rows.values()]
    assert sum(map(len, seen)) == len(set(groups))
    assert found == of_group(random.sample(groups, len(groups)))


def test_groups_fill_the_shares_of_rows():
    """400 users of 1 to 9 rows: each share is met to within one user."""
    groups = np.repeat(np.arange(400), np.random.default_rng(0).integers(1, 10, size=400))
    split = Split(by="group", column="g", valid=0.1, test=0.2)
    rows = split_of(pl.DataFrame({"g": groups}), split)
    shares = [size / len(groups) for size in sizes(rows)]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=9 / len(groups))


def test_a_column_says_the_split():
    """Rows keep the table's order."""
    frame = pl.DataFrame({"s": ["test", "train", "valid", "train"]})
    rows = split_of(frame, Split(by="column", column="s"))
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
    rows = split_of(source, split)
    assert sizes(rows) == [30, 5, 15]
    assert rows["train"].tolist() == list(range(30))
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
        split_of(pl.DataFrame({"s": ["train", "vaild"]}), Split(by="column", column="s"))


def test_bad_file_splits(tmp_path):
    """No file named, no such file, a frame."""
    files = Split(by="file", train_file="a.csv", test_file="b.csv")
    with pytest.raises(SchemaError, match="needs train and test"):
        split_of(tmp_path, Split(by="file", train_file="a.csv"))
    with pytest.raises(DataError, match="no such file"):
        split_of(tmp_path, files)
    with pytest.raises(DataError, match="got a frame"):
        split_of(pl.DataFrame({"x": [1]}), files)
