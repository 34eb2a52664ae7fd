"""Tables from files, folders, lists, samples and frames; side tables; what is said of bad ones."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import subprocess
import sys

import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from automlrank.data import digest as digests
from automlrank.data.read import (
    Join,
    digest,
    name_of,
    open_table,
    sample_path,
    sample_schema,
)
from automlrank.errors import DataError

FRAME = pl.DataFrame({"x": [1, 2, 3], "t": ["a", None, "c"], "f": [0.5, None, 2.0]})
ODD_NAMES = ['a"b', "a\nb", "🙂", "a,b", "x" * 300, "</script>", "a b", "é"]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache folder of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(folder))
    return folder


def read(source, joins=()):
    with open_table(source, joins) as table:
        frame = table.scan.collect()
        assert table.rows == sum(table.parts) == frame.height
        assert table.schema == frame.schema
        return frame


def write(frame, path):
    """By the ending; ``.ipc`` is the stream form."""
    ending = path.name.partition(".")[2]
    if ending == "parquet":
        frame.write_parquet(path)
    elif ending in ("arrow", "feather"):
        frame.write_ipc(path)
    elif ending == "ipc":
        frame.write_ipc_stream(path)
    else:
        text = frame.write_csv(separator="\t" if "tsv" in ending else ",").encode()
        path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    return path


FORMATS = ["parquet", "csv", "tsv", "csv.gz", "tsv.gz", "arrow", "feather", "ipc"]


@pytest.mark.parametrize("ending", [*FORMATS, "CSV"])
def test_formats_give_the_same_table(tmp_path, ending):
    """A file, a folder of two parts, a pattern and a list."""
    path = write(FRAME, tmp_path / f"a.{ending.lower()}").rename(tmp_path / f"a.{ending}")
    parts = tmp_path / "parts"
    parts.mkdir()
    write(FRAME[:2], parts / f"0.{ending.lower()}")
    write(FRAME[2:], parts / f"1.{ending.lower()}")
    for hidden in ("_SUCCESS", ".part.crc", f"._0.{ending}"):
        (parts / hidden).write_bytes(b"no table")
    listed = sorted(parts.glob(f"[01].{ending.lower()}"))
    for source in (path, str(path), parts, f"{parts}/[01].*", listed, [str(f) for f in listed]):
        assert_frame_equal(read(source), FRAME)


@pytest.mark.parametrize("ending", FORMATS)
def test_odd_names_of_columns_come_through(tmp_path, ending):
    frame = pl.DataFrame({name: [i, i + 1] for i, name in enumerate(ODD_NAMES)})
    assert_frame_equal(read(write(frame, tmp_path / f"a.{ending}")), frame)


def test_frames_are_tables():
    """Polars, lazy, pandas: its index dropped, its categories, nullable and arrow types kept."""
    frame = pd.DataFrame(FRAME.to_dict(as_series=False), index=[7, 8, 9])
    for source in (FRAME, FRAME.lazy(), frame, frame.convert_dtypes(dtype_backend="pyarrow")):
        assert_frame_equal(read(source), FRAME)
    typed = frame.assign(t=frame["t"].astype("category"), x=frame["x"].astype("Int64"))
    found = read(typed)
    assert found["x"].to_list() == [1, 2, 3]
    assert found["t"].cast(pl.String).to_list() == ["a", None, "c"]
    array = pl.DataFrame({"v": [[1, 2]]}, schema={"v": pl.Array(pl.Int64, 2)})
    assert read(array).schema["v"] == pl.List(pl.Int64)


def test_named_levels_of_a_pandas_index_are_columns():
    """After set_index or group_by they hold ids; one beside a column of its name is left out."""
    frame = pd.DataFrame({"user": [3, 4], "item": ["a", "b"], "x": [0.5, 1.5]})
    assert read(frame.set_index(["user", "item"])).columns == ["user", "item", "x"]
    assert read(frame.set_index("user", drop=False)).columns == ["user", "item", "x"]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_chunks_are_all_rows_in_order_none_longer_than_asked(tmp_path, ending, rows):
    frame = pl.DataFrame({"x": range(20), "y": range(20)})
    write(frame[:11], tmp_path / f"0.{ending}")
    write(frame[11:], tmp_path / f"1.{ending}")
    with open_table(tmp_path) as table:
        assert table.parts == (11, 9)
        for _ in range(2):
            chunks = list(table.chunks(["y"], rows))
            assert all(0 < chunk.height <= rows for chunk in chunks)
            assert_frame_equal(pl.concat(chunks), frame[["y"]])
        assert next(table.chunks(rows=rows)).columns == ["x", "y"]
        assert table.column("x").to_list() == list(range(20))
        with pytest.raises(DataError, match="no column 'z'"):
            table.column("z")


def test_parts_of_a_list_are_its_entries(tmp_path):
    """A folder in a list counts as one part, so that train and test can be told apart."""
    train = tmp_path / "train"
    train.mkdir()
    write(FRAME, train / "0.parquet")
    write(FRAME, train / "1.parquet")
    test = write(FRAME[:1], tmp_path / "test.csv")
    with open_table([train, test]) as table:
        assert table.parts == (6, 1)
        assert table.name == "train"


def test_parts_of_near_types_are_joined(tmp_path):
    """An 8-bit and a 64-bit integer are both integers; columns may stand in another order."""
    write(pl.DataFrame({"x": [1], "y": [2]}, {"x": pl.Int8, "y": pl.Int64}), tmp_path / "0.parquet")
    write(pl.DataFrame({"y": [3], "z": [0], "x": [300]}), tmp_path / "1.parquet")
    assert read(tmp_path).to_dict(as_series=False) == {"x": [1, 300], "y": [2, 3], "z": [None, 0]}


def test_the_sample_is_found_by_name():
    """A sample has a table, a schema and a licence, and is small enough to ship."""
    path = sample_path("kuairand")
    assert path.stat().st_size <= 3_000_000
    assert sample_schema("kuairand").exists()
    assert "CC BY-SA 4.0" in path.with_suffix(".LICENSE.md").read_text(encoding="utf-8")
    assert read("kuairand").height == 50_000
    assert name_of("kuairand") == "kuairand"


def test_nothing_staged_is_left_behind(tmp_path, cache):
    """Neither behind the block nor behind an error in it."""
    path = write(FRAME, tmp_path / "a.csv")
    with open_table(path):
        assert [item.name[:7] for item in cache.iterdir()] == ["staged-"]
    assert not list(cache.iterdir())
    with pytest.raises(OSError, match="mine"), open_table(path):
        raise OSError("mine")
    assert not list(cache.iterdir())


SIDE = pl.DataFrame({"k": [2, 1, None], "s": ["two", "one", "none"]})


@pytest.mark.parametrize("kind", [pl.Int64, pl.Int8, pl.Float64, pl.String])
@pytest.mark.parametrize("ending", ["parquet", "csv", "ipc"])
def test_a_side_table_is_joined_by_its_key(tmp_path, kind, ending):
    """Every row stays where it is; keys are compared as text; a null key matches nothing."""
    main = pl.DataFrame({"k": [1, 3, None, 2, 1], "row": range(5)}).with_columns(
        pl.col("k").cast(pl.Int64).cast(kind)
    )
    side = write(SIDE, tmp_path / f"side.{ending}")
    found = read(main, [Join(str(side), "k")])
    assert found.columns == ["k", "row", "s"]
    assert found["row"].to_list() == list(range(5))
    assert found["s"].to_list() == ["one", None, None, "two", "one"]
    assert found["k"].to_list() == [1, 3, None, 2, 1]


def test_joins_that_cannot_be(tmp_path):
    side = str(write(SIDE, tmp_path / "side.parquet"))
    twice = str(write(pl.concat([SIDE, SIDE]), tmp_path / "twice.parquet"))
    cases = [
        (pl.DataFrame({"kk": [1]}), Join(side, "k"), "the table has no column 'k'.*kk"),
        (pl.DataFrame({"k": [1], "z": [1]}), Join(side, "z"), "side.parquet has no column 'z'"),
        (pl.DataFrame({"k": [1], "s": [1]}), Join(side, "k"), "has 's', which the table has"),
        (pl.DataFrame({"k": [1]}), Join(twice, "k"), "in 2 rows, but .* one row per key"),
        (pl.DataFrame({"k": [1]}), Join(side + "x", "k"), "no such file"),
    ]
    for main, join, message in cases:
        with pytest.raises(DataError, match=message):
            read(main, [join])
    assert Join.parse("C:/a.csv:user_id") == Join("C:/a.csv", "user_id")
    for text in ("users.parquet", "users.parquet:", ":user_id", ""):
        with pytest.raises(DataError, match="must be FILE:COLUMN"):
            Join.parse(text)


def test_a_digest_is_of_the_content(tmp_path):
    """A copy elsewhere has the same digest; other rows, parts or side tables have another."""
    for name in ("a", "b"):
        write(FRAME, tmp_path / f"{name}.parquet")
    write(FRAME[1:], tmp_path / "c.parquet")
    a, b, c = paths = [tmp_path / f"{name}.parquet" for name in "abc"]
    assert digest(a) == digest(b) != digest(c)
    assert digest([a, c]) != digest([c, a])
    assert digest([a, c]) == digest([b, c])
    assert digest(FRAME) == digest(FRAME.clone()) == digest(FRAME.lazy()) != digest(FRAME[1:])
    joins = [(), (Join(str(a), "x"),), (Join(str(a), "f"),), (Join(str(c), "x"),)]
    assert len({digest(paths[0], join) for join in joins}) == 4


def test_a_digest_is_remembered_while_size_and_time_stay(tmp_path, cache, monkeypatch):
    """A damaged or unwritable memory only costs the reading."""
    monkeypatch.setattr(digests, "REMEMBERED_BYTES", 0)
    path = write(FRAME, tmp_path / "a.parquet")
    fresh = digest(path)
    assert not (cache / "digests.json").exists()  # it was written just now
    os.utime(path, (1e9, 1e9))
    assert digest(path) == fresh
    known = json.loads((cache / "digests.json").read_text())
    assert list(known) == [str(path)]
    known[str(path)][2] = "00" * 32
    (cache / "digests.json").write_text(json.dumps(known))
    assert digest(path) != fresh
    os.utime(path, (2e9 - 1e9, 1e9 + 1))
    assert digest(path) == fresh
    for damaged in ("{", "[]", f'{{"{path}": 3}}'):
        (cache / "digests.json").write_text(damaged)
        assert digest(path) == fresh
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(path / "no folder"))
    assert digest(path) == fresh


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.parquet", b"", "a.parquet is empty"),
        ("a.csv", b"x,y\n", "a.csv has no rows"),
        ("a.csv", b"x,y,x\n1,2,3\n", "more than one column 'x'"),
        ("a.csv", b"x,y\n1\n", "row 2"),
        ("a.csv", b"x\n\xff\xfe\n", "UTF-8"),
        ("a.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("a.arrow", b"x\n1\n2\n3\n", "cannot be read as Arrow"),
        ("a.xml", b"x\n1\n", "must end in .parquet, .csv"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    """One sentence says what is wrong with a file."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "ipc", "csv.gz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_files(tmp_path, ending, share):
    frame = pl.DataFrame({"x": range(10_000), "t": [str(i * i) for i in range(10_000)]})
    path = write(frame, tmp_path / f"a.{ending}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"a.* (cannot be read as|is cut off)") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_hints_at_its_neighbour(tmp_path):
    """The nearest name beside it, or among the samples."""
    write(FRAME, tmp_path / "clicks.csv")
    with pytest.raises(DataError, match=r"no such file: .*clics.csv\. Did you mean 'clicks.csv'"):
        read(tmp_path / "clics.csv")
    with pytest.raises(DataError, match="no such file"):
        read([tmp_path / "clicks.csv", tmp_path / "other.csv"])
    with pytest.raises(DataError, match="Did you mean 'kuairand'"):
        read("kuairnd")
    with pytest.raises(DataError, match=r"the pattern .*day-\* holds no file"):
        read(f"{tmp_path}/day-*")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_rights(tmp_path):
    for ending in ("csv", "parquet"):
        path = write(FRAME, tmp_path / f"a.{ending}")
        path.chmod(0)
        with pytest.raises(DataError, match=r"cannot be read.*Permission denied"):
            read(path)


def test_bad_folders_lists_and_frames(tmp_path):
    """Parts that do not fit together, no parts, no rows, no columns, repeated ones, no table."""
    with pytest.raises(DataError, match=r"holds no file that ends in \.parquet"):
        read(tmp_path)
    write(FRAME, tmp_path / "0.parquet")
    write(FRAME.select(other="t"), tmp_path / "1.parquet")
    with pytest.raises(DataError, match=r"1\.parquet has none of the columns of .*0\.parquet"):
        read(tmp_path)
    write(FRAME.with_columns(t=pl.lit([1])), tmp_path / "1.parquet")
    with pytest.raises(DataError, match=r"1\.parquet has List.* in column 't'.* String in .*0\.p"):
        read(tmp_path)
    write(FRAME, tmp_path / "2.csv")
    with pytest.raises(DataError, match=r"more than one kind of table: Parquet \(0.*CSV \(2.csv\)"):
        read(tmp_path)
    cases = [
        ([], "the list of files is empty"),
        ([3], "must hold names, but holds 3"),
        (FRAME.clear(), "the frame has no rows"),
        (pl.DataFrame(), "the frame: has no columns"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "more than one column 'x'"),
        (pd.DataFrame([[1, 2]], columns=["x", ""]), "column 2 has no name"),
        (pd.DataFrame({"x": [1, "a"]}), "a DataFrame cannot be read as a table"),
        ({"x": [1]}, "a dict cannot be read as a table"),
        (pl.scan_parquet(tmp_path / "no.parquet"), "cannot be read"),
        (
            pl.LazyFrame({"x": ["a"]}).with_columns(pl.col("x").cast(pl.Int64)),
            "the table cannot be read",
        ),
    ]
    for source, message in cases:
        with pytest.raises(DataError, match=message):
            read(source)


LIMITED = """
import sys
from automlrank.data.read import open_table
from automlrank.errors import DataError
try:
    with open_table(sys.argv[1]):
        sys.exit("it was staged")
except DataError as error:
    sys.stdout.write(str(error))
"""


def test_a_full_disk_is_told(tmp_path, cache, monkeypatch):
    """Nothing half-written stays; the sentence names the folder and how to choose another."""
    numbers = pl.int_range(100_000, eager=True)
    path = write(pl.DataFrame({"x": numbers, "y": numbers.hash()}), tmp_path / "a.csv")

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, preexec_fn=limit
    )
    assert "cannot be staged" in run.stdout, run.stderr
    assert "AUTOMLRANK_CACHE" in run.stdout
    assert not list(cache.iterdir())
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(path / "no folder"))
    with pytest.raises(DataError, match=r"cannot be staged .* AUTOMLRANK_CACHE"):
        read(path)


def test_lists_of_categories_are_known_by_their_text() -> None:
    """Codes of categories are given as they come: equal codes must not make tables equal."""

    def of(*values: str) -> pl.DataFrame:
        return pl.DataFrame({"x": [list(values)]}, schema={"x": pl.List(pl.Categorical)})

    assert digest(of("red", "blue")) != digest(of("blue", "red"))
    assert digest(of("red")) == digest(pl.DataFrame({"x": [["red"]]}, schema=of("red").schema))
    assert digest(of("a")) != digest(of("b"))
