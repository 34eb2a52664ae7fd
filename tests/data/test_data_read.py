"""Tables from files, folders, samples and frames, and what is said where they cannot be read."""

from __future__ import annotations

import gzip

import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from automlrank.data.read import (
    digest,
    join_parts,
    name_of,
    read_table,
    sample_path,
    sample_schema,
)
from automlrank.errors import DataError

FRAME = pl.DataFrame({"x": [1, 2, 3], "t": ["a", None, "c"], "f": [0.5, None, 2.0]})


def test_formats_give_the_same_table(tmp_path):
    """Parquet, CSV, compressed CSV, a folder of parts, pandas and lazy frames agree."""
    FRAME.write_parquet(tmp_path / "a.parquet")
    FRAME.write_csv(tmp_path / "a.csv")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    parts = tmp_path / "parts"
    parts.mkdir()
    FRAME[:2].write_parquet(parts / "0.parquet")
    FRAME[2:].write_parquet(parts / "1.parquet")
    sources = [tmp_path / "a.parquet", str(tmp_path / "a.csv"), tmp_path / "b.csv.gz", parts,
               FRAME.lazy(), pd.DataFrame(FRAME.to_dict(as_series=False))]  # fmt: skip
    for source in sources:
        assert_frame_equal(read_table(source), FRAME)


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["007", "12"], pl.String),
        (["7", "12"], pl.Int64),
        (["7", "1.5"], pl.Float64),
        (["0", "0.5"], pl.Float64),
        (["true", "False"], pl.Boolean),
        (["7", "seven"], pl.String),
        (["99999999999999999999", "1"], pl.String),
    ],
)
def test_types_of_csv_columns(tmp_path, lines, kind):
    """A type holds for all rows; an id with leading zeros or too long for an integer is text."""
    (tmp_path / "a.csv").write_text("\n".join(["x", *lines]) + "\n")
    assert read_table(tmp_path / "a.csv").schema["x"] == kind


def test_a_type_is_found_over_all_rows(tmp_path):
    """One word far below makes the column text."""
    (tmp_path / "a.csv").write_text("x\n" + "1\n" * 5000 + "one\n")
    assert read_table(tmp_path / "a.csv").schema["x"] == pl.String


def test_parts_of_near_types_are_joined():
    """An 8-bit and a 64-bit integer are both integers; columns may stand in another order."""
    parts = [pl.DataFrame({"x": [1], "y": [2]}, schema_overrides={"x": pl.Int8}),
             pl.DataFrame({"y": [3], "x": [300]})]  # fmt: skip
    assert join_parts(parts).to_dict(as_series=False) == {"x": [1, 300], "y": [2, 3]}


def test_the_sample_is_found_by_name():
    """A sample has a table, a schema and a licence, and is small enough to ship."""
    path = sample_path("kuairand")
    assert path.stat().st_size <= 3_000_000
    assert sample_schema("kuairand").exists()
    assert "CC BY-SA 4.0" in path.with_suffix(".LICENSE.md").read_text(encoding="utf-8")
    assert read_table("kuairand").height == 50_000
    assert name_of("kuairand") == "kuairand"


def test_a_digest_is_of_the_content(tmp_path):
    """A copy elsewhere has the same digest, other rows have another; so for frames."""
    for name in ("a", "b"):
        FRAME.write_parquet(tmp_path / f"{name}.parquet")
    FRAME[1:].write_parquet(tmp_path / "c.parquet")
    a, b, c = (digest(tmp_path / f"{name}.parquet") for name in "abc")
    assert a == b != c
    assert digest(FRAME) == digest(FRAME.clone()) != digest(FRAME[1:])


def written(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"x,y\n", "has no rows"),
        ("a.csv", b"x,y,x\n1,2,3\n", "more than one column 'x'"),
        ("a.csv", b"x\n1\n2,3,4\n", "cannot be read as CSV"),
        ("a.csv", b"x\n\xff\xfe\n", "cannot be read as CSV"),
        ("a.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("a.txt", b"x\n1\n", "must end in .parquet"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    """One sentence says what is wrong with a file."""
    with pytest.raises(DataError, match=message) as caught:
        read_table(written(tmp_path, name, content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_hints_at_its_neighbour(tmp_path):
    """The nearest name beside it, or among the samples."""
    written(tmp_path, "clicks.csv", b"x\n1\n")
    with pytest.raises(DataError, match=r"no such file: .*clics.csv\. Did you mean 'clicks.csv'"):
        read_table(tmp_path / "clics.csv")
    with pytest.raises(DataError, match="Did you mean 'kuairand'"):
        read_table("kuairnd")


def test_bad_folders_and_frames(tmp_path):
    """A folder without parts, parts that differ, no rows, repeated columns, no table at all."""
    with pytest.raises(DataError, match=r"holds no \.parquet"):
        read_table(tmp_path)
    FRAME.write_parquet(tmp_path / "0.parquet")
    FRAME.drop("t").write_parquet(tmp_path / "1.parquet")
    with pytest.raises(DataError, match="no column 't'"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="frame has no rows"):
        read_table(FRAME.clear())
    with pytest.raises(DataError, match="more than one column 'x'"):
        read_table(pd.DataFrame([[1, 2]], columns=["x", "x"]))
    with pytest.raises(DataError, match="a dict cannot be read as a table"):
        read_table({"x": [1]})
