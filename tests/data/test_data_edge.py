"""The edge of the reader: folders, parts that are unlike, versions, foreign files, names."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import shutil
import struct
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from automlrank.data import formats
from automlrank.data.damage import readable
from automlrank.data.read import digest, name_of, open_table
from automlrank.errors import DataError
from automlrank.jobs.inspect import inspect

ROWS = pl.DataFrame({"y": [0, 1, 1], "x": [1, 2, 3]})


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder of the test's own."""
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(tmp_path_factory.mktemp("cache")))


def read(source: Any) -> pl.DataFrame:
    with open_table(source) as table:
        frame = table.scan.collect()
        assert table.rows == sum(table.parts) == frame.height
        assert table.schema == frame.schema
        return frame


def notes(source: Any) -> str:
    with open_table(source) as table:
        return " ".join(table.notes)


def write(frame: pl.DataFrame, path: Path) -> Path:
    """By the ending; ``.ipc`` is the stream form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match path.suffix:
        case ".parquet":
            frame.write_parquet(path)
        case ".arrow":
            frame.write_ipc(path)
        case ".ipc":
            frame.write_ipc_stream(path)
        case _:
            frame.write_csv(path)
    return path


# ---- key=value folders ------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "csv", "arrow", "ipc"])
def test_folders_named_by_a_key_are_a_column(ending: str, tmp_path: Path) -> None:
    """By folder and by pattern, of every format, in the order of the paths."""
    log = tmp_path / "log"
    for day in (2, 1, 3):
        write(ROWS.with_columns(x=pl.lit(day)), log / f"date=2024-01-0{day}/hour=0{day}/p.{ending}")
    (log / "date=2024-01-01" / "_SUCCESS").touch()
    write(ROWS, log / f"_temporary/date=2024-01-09/p.{ending}")
    sources = [log, f"{log}/**/*.{ending}", f"{log}/date=*/hour=*/p.{ending}", f"{log}/date=*"]
    for source in sources:
        found = read(source)
        assert found.columns == ["y", "x", "date", "hour"], source
        assert found["x"].to_list() == [1] * 3 + [2] * 3 + [3] * 3
        days = [f"2024-01-0{day}" for day in (1, 2, 3) for _ in range(3)]
        assert found["date"].cast(pl.String).to_list() == days
        assert found["hour"].cast(pl.String).unique(maintain_order=True).to_list() == [
            *("01", "02", "03")
        ]
        assert name_of(source) == "log"
        assert digest(source) == digest(log)


def test_the_days_of_folders_split_a_log(tmp_path: Path) -> None:
    """Case 05: the day was lost without a word."""
    rows = pl.DataFrame({"click": [0, 1] * 40, "item": list(range(40)) * 2})
    for day in range(1, 9):
        write(rows, tmp_path / f"log/date=2024-01-0{day}/p.parquet")
    found = inspect(tmp_path / "log", label="click")
    assert (found.schema.time, found.schema.split.by) == ("date", "time")


def test_a_shell_lists_the_files_that_a_pattern_matches(tmp_path: Path) -> None:
    """The list is the same table, and a file alone has its day."""
    files = [write(ROWS, tmp_path / f"day={day}" / "p.parquet") for day in (1, 2)]
    assert read(files)["day"].to_list() == [1, 1, 1, 2, 2, 2]
    assert read(files[1])["day"].to_list() == [2, 2, 2]
    assert digest(files[0]) != digest(files[1])


def test_the_text_of_keys(tmp_path: Path) -> None:
    """Quoted in per cent; Hive's name of null; sets of keys that differ are null elsewhere."""
    write(ROWS, tmp_path / "city=S%C3%A3o%20Paulo%2FA" / "p.csv")
    write(ROWS, tmp_path / "city=__HIVE_DEFAULT_PARTITION__" / "p.csv")
    write(ROWS, tmp_path / "city=a=b" / "_k%3D=1" / "p.csv")
    found = read(tmp_path)
    assert found["city"].to_list() == [*["São Paulo/A"] * 3, *[None] * 3, *["a=b"] * 3]
    assert found["_k="].to_list() == [None] * 6 + [1] * 3


@pytest.mark.parametrize("own", [1, 1.0, "1", "01"])
def test_a_key_that_a_file_holds_as_well(own: object, tmp_path: Path) -> None:
    """The file's column stays if it says the same, in whatever type; else it is named."""
    write(ROWS.with_columns(day=pl.lit(own)), tmp_path / "day=1" / "p.parquet")
    if own == "01":
        with pytest.raises(DataError, match=r"day=1.p\.parquet has '01' in its column 'day', but"):
            read(tmp_path)
    else:
        assert read(tmp_path)["day"].to_list() == [1] * 3
    alone = read(tmp_path / "day=1" / "p.parquet")["day"]
    assert alone.to_list() == (["01"] * 3 if own == "01" else [1] * 3)


def test_folders_that_cannot_be_read_as_keys(tmp_path: Path) -> None:
    write(ROWS, tmp_path / "a" / "k=1" / "k=2" / "p.parquet")
    with pytest.raises(DataError, match="names the key 'k' twice"):
        read(tmp_path / "a")
    (tmp_path / "b" / "k=1").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no file that ends in"):
        read(tmp_path / "b")


# ---- parts that are unlike --------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "csv", "arrow"])
@pytest.mark.parametrize("later", [True, False])
def test_a_column_of_some_files_is_null_in_the_others(
    ending: str, later: bool, tmp_path: Path
) -> None:
    """It may come later or end; that is said with the file."""
    more = ROWS.with_columns(device=pl.lit("ios"))
    write(ROWS if later else more, tmp_path / f"1.{ending}")
    write(more if later else ROWS, tmp_path / f"2.{ending}")
    found = read(tmp_path)
    assert found.columns == ["y", "x", "device"]
    values = [None, None, None, "ios", "ios", "ios"]
    assert found["device"].to_list() == (values if later else values[::-1])
    lacking = tmp_path / f"{1 if later else 2}.{ending}"
    assert f"device: null in the rows of {lacking}, which has no such column." in notes(tmp_path)


SECONDS = pl.Series([5]).cast(pl.Duration("ms")) * 1000


@pytest.mark.parametrize(
    ("first", "second", "distinct"),
    [
        (pl.Series([7.0, None]), pl.Series(["7", "8"]), [7, 8]),
        (pl.Series([7.0, None]), pl.Series(["7", "8", "x"]), ["7", "8", "x"]),
        (pl.Series([True, False]), pl.Series(["1", "0"]), [0, 1]),
        (pl.Series([True, False]), pl.Series(["true", "no"]), ["1", "0", "no"]),
        (pl.Series([True, False]), pl.Series([1, 0]), [0, 1]),
        (pl.Series([7, 8], dtype=pl.UInt64), pl.Series([7, -1]), [-1, 7, 8]),
        (pl.Series([7, 8]), pl.Series([7.5, 8.0]), [7.0, 7.5, 8.0]),
        (pl.Series([10**17, 10**17 + 1]), pl.Series([5.0, 1e17]), [5, 10**17, 10**17 + 1]),
        (pl.Series(["1.50"]).cast(pl.Decimal(9, 2)), pl.Series([1.5]), [1.5]),
        (
            pl.Series(["2024-01-01"]).str.to_date(),
            pl.Series(["2024-01-01"]),
            ["2024-01-01 00:00:00"],
        ),
        (
            pl.Series([[7.0], None]),
            pl.Series([["7", "8"]]),
            [pl.Series(["7"]), pl.Series(["7", "8"])],
        ),
        (pl.Series([None, None]), pl.Series(["a"]), ["a"]),
        (SECONDS, pl.Series(["0:01:00"]), ["0:00:05", "0:01:00"]),
        (SECONDS, pl.Series([60.5]), [5.0, 60.5]),
        (pl.Series(["a"]).cast(pl.Enum(["a"])), pl.Series(["b"]).cast(pl.Enum(["b"])), ["a", "b"]),
    ],
)
def test_types_of_parts_go_together_without_new_values(
    first: pl.Series, second: pl.Series, distinct: list[object], tmp_path: Path
) -> None:
    """Through the one text of a value, in either order; large whole numbers keep their digits."""
    for number, pair in enumerate([(first, second), (second, first)]):
        for k, values in enumerate(pair):
            rows = pl.DataFrame({"v": values, "y": pl.Series([1] * len(values))})
            write(rows, tmp_path / str(number) / f"{k}.parquet")
        found = read(tmp_path / str(number))["v"].drop_nulls().unique()
        assert sorted(map(str, found)) == sorted(map(str, distinct))


def test_what_does_not_go_together(tmp_path: Path) -> None:
    """Structs of unlike fields are left out with a word; lists beside text are refused."""
    write(ROWS.with_columns(s=pl.struct(a="x")), tmp_path / "0.parquet")
    write(ROWS.with_columns(s=pl.struct(b="x")), tmp_path / "1.parquet")
    assert read(tmp_path).columns == ["y", "x"]
    assert "s: left out, as its types do not go together" in notes(tmp_path)
    write(ROWS.with_columns(s=pl.lit("a")), tmp_path / "1.parquet")
    write(ROWS.with_columns(s=pl.lit(["a"])), tmp_path / "0.parquet")
    with pytest.raises(DataError, match=r"1\.parquet has String in column 's', which does not go"):
        read(tmp_path)


# ---- logs of versions -------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A Delta table of two days that was overwritten once, and then grew by a column."""
    path = tmp_path / "table"
    days = pl.DataFrame({"day": ["2024-01-01", "2024-01-02"], "x": [1, 2], "y": [0, 1]})
    write_deltalake(path, days.with_columns(x=pl.col("x") * 100), partition_by=["day"])
    write_deltalake(path, days, mode="overwrite")
    more = pl.DataFrame({"day": [None, "a/b c"], "x": [3, 4], "y": [1, 0], "z": ["p", "q"]})
    write_deltalake(path, more, mode="append", schema_mode="merge")
    return path


def test_only_the_current_version_of_a_delta_table_counts(table: Path, tmp_path: Path) -> None:
    """Partition values are columns; a column is null in older files; a copy is the same table."""
    found = read(table).sort("x")
    assert found.select("day", "x", "y", "z").rows() == [
        ("2024-01-01", 1, 0, None),
        ("2024-01-02", 2, 1, None),
        (None, 3, 1, "p"),
        ("a/b c", 4, 0, "q"),
    ]
    assert name_of(table) == "table"
    before = digest(table)
    assert digest(shutil.copytree(table, tmp_path / "copy")) == before
    assert sorted(read([table, tmp_path / "copy"])["x"]) == [1, 1, 2, 2, 3, 3, 4, 4]
    DeltaTable(table).delete("x = 2")
    assert sorted(read(table)["x"]) == [1, 3, 4]
    assert digest(table) != before


def test_files_of_a_delta_table_are_not_read_past_its_log(table: Path) -> None:
    for source in (
        f"{table}/**/*.parquet",
        f"{table}/day=2024-01-01",
        next(table.rglob("*.parquet")),
    ):
        with pytest.raises(DataError, match=r"table is a Delta table.*Name the folder itself"):
            read(source)


def z85(data: bytes) -> str:
    """The alphabet of ZeroMQ for base 85."""
    ours = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    git = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    return base64.b85encode(data).translate(bytes.maketrans(git, ours)).decode()


def deletion_vector(rows: list[int]) -> dict[str, object]:
    """Rows as a Roaring bitmap that stands in the log itself."""
    bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(rows) - 1, 16) + struct.pack(
        f"<{len(rows)}H", *rows
    )
    data = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
    padded = data + bytes(-len(data) % 4)
    return {
        "storageType": "i",
        "pathOrInlineDv": z85(padded),
        "sizeInBytes": len(data),
        "cardinality": len(rows),
    }


def log_entry(table: Path, *actions: dict[str, object]) -> None:
    """The next version of a table."""
    number = len(list((table / "_delta_log").glob("*.json")))
    lines = "\n".join(json.dumps(action) for action in actions)
    (table / "_delta_log" / f"{number:020}.json").write_text(lines)


def test_deleted_rows_of_a_delta_table_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "table"
    write_deltalake(path, pl.DataFrame({"x": range(6), "y": [0, 1] * 3}))
    (added,) = (
        json.loads(line)["add"]
        for line in (path / "_delta_log" / f"{0:020}.json").read_text().splitlines()
        if '"add"' in line
    )
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, **features}
    removed = {k: added[k] for k in ("path", "partitionValues", "size")}
    log_entry(
        path,
        {"protocol": protocol},
        {"remove": {**removed, "dataChange": True, "deletionTimestamp": 1}},
        {"add": {**added, "deletionVector": deletion_vector([1, 4])}},
    )
    assert read(path)["x"].to_list() == [0, 2, 3, 5]


def test_a_delta_table_of_another_protocol_is_refused(tmp_path: Path) -> None:
    """Column mapping stores columns under other names."""
    table = tmp_path / "table"
    write_deltalake(table, ROWS)
    log = "\n".join(path.read_text() for path in sorted(table.glob("_delta_log/*.json")))
    actions = [json.loads(line) for line in log.splitlines()]
    *_, metadata = (action["metaData"] for action in actions if "metaData" in action)
    log_entry(table, {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}})
    assert read(table).height == 3
    metadata["configuration"] = {"delta.columnMapping.mode": "name"}
    schema = json.loads(metadata["schemaString"])
    for number, field in enumerate(schema["fields"]):
        mapped = {"id": number, "physicalName": f"col-{number}"}
        field["metadata"] = {f"delta.columnMapping.{key}": value for key, value in mapped.items()}
    log_entry(table, {"metaData": metadata | {"schemaString": json.dumps(schema)}})
    with pytest.raises(DataError, match="table is a Delta table with column mapping, which"):
        read(table)


def test_damaged_delta_tables(table: Path, tmp_path: Path) -> None:
    """A log without versions, one that is no JSON, a file that is gone: one sentence each."""
    (tmp_path / "none" / "_delta_log").mkdir(parents=True)
    with pytest.raises(DataError, match=r"none cannot be read as a Delta table") as caught:
        read(tmp_path / "none")
    next(path for path in table.glob("day=2024-01-01/*.parquet")).rename(tmp_path / "elsewhere")
    shutil.rmtree(table / "day=2024-01-01")
    with pytest.raises(DataError, match=r"table is a Delta table, but day=.* is not there"):
        read(table)
    (table / "_delta_log" / f"{9:020}.json").write_text("{")
    with pytest.raises(DataError, match=r"table cannot be read as a Delta table") as caught:
        read(table)
    assert "\n" not in str(caught.value)


def test_without_the_library_a_delta_table_is_refused_by_name(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(
        DataError, match=r"table is a Delta table.*extra delta.*pip install 'deltalake"
    ):
        read(table)


# ---- damaged and foreign files ----------------------------------------------------------------


def damaged(content: bytes, seed: int) -> bytes:
    """A few flipped bits, a hole, or a cut."""
    chance, found = random.Random(seed), bytearray(content)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(found))
        match seed % 4:
            case 0:
                found[place : place + chance.randint(1, 30)] = bytes(chance.randint(1, 30))
            case 1:
                del found[max(1, place) :]
            case _:
                found[place] ^= 1 << chance.randrange(8)
    return bytes(found)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "ipc"])
@pytest.mark.parametrize("size", [formats.CHECKED_BYTES, 0])
def test_damaged_files_are_told_by_their_names(
    ending: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever reader meets the damage, when the file is opened or when its rows are read."""
    monkeypatch.setattr(formats, "CHECKED_BYTES", size)
    rows = pl.DataFrame({"y": [0, 1] * 50, "t": ["some text"] * 100, "l": [[1, 2], None] * 50})
    path = write(rows, tmp_path / f"part.{ending}")
    if ending == "arrow":
        rows.write_ipc(path, compression="zstd")
    content = path.read_bytes()
    for seed in range(24 if size else 0):
        path.write_bytes(damaged(content, seed))
        try:
            read(path)
        except DataError as error:
            assert str(path) in str(error)  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
    write(rows, tmp_path / f"other.{ending}")
    middle = len(content) // 2
    path.write_bytes(content[: middle - 30] + bytes(60) + content[middle + 30 :])
    with pytest.raises(DataError, match=rf"part\.{ending} cannot be read"):
        read(tmp_path)


def test_an_arrow_stream_whose_offsets_lead_nowhere(tmp_path: Path) -> None:
    """Polars would look for their rows without an end."""
    text = pa.array(["some text"] * 9)
    lengths = pa.py_buffer(np.array([0, 10**9, 5] * 4, np.int32)[:10].tobytes())
    broken = pa.StringArray.from_buffers(9, lengths, text.buffers()[2])
    table = pa.table({"y": list(range(9)), "t": broken})
    with (
        pa.OSFile(str(tmp_path / "a.arrow"), "wb") as opened,
        pa.ipc.new_stream(opened, table.schema) as writer,
    ):
        writer.write_table(table)
    with pytest.raises(DataError, match=r"a\.arrow cannot be read as Arrow"):
        read(tmp_path / "a.arrow")


def test_a_reader_that_panics_has_met_a_damaged_file() -> None:
    """Its panic is a BaseException, which no handler of exceptions sees."""
    message = r"a\.parquet cannot be read: its content is damaged"
    with pytest.raises(DataError, match=message), readable("a.parquet"):
        raise pl.exceptions.PanicException("called `unwrap()` on an `Err` value")


@pytest.mark.parametrize(
    ("name", "of", "message"),
    [
        (
            "a.csv",
            "parquet",
            "holds Parquet, not CSV as its name says. Let its name end in .parquet",
        ),
        ("a.arrow", "parquet", "holds Parquet, not Arrow as its name says"),
        (
            "a.parquet",
            "arrow",
            "holds Arrow, not Parquet as its name says. Let its name end in .ar",
        ),
        ("a.parquet", "csv", "cannot be read as Parquet"),
        ("a.feather", "csv", "cannot be read as Arrow"),
        ("a.csv", "gz", "holds gzip, not CSV as its name says. Let its name end in .csv.gz"),
        ("a.parquet", "gz", "holds gzip, not Parquet"),
        ("a.csv", "xlsx", "holds a zip archive or a workbook of Excel, not CSV as its name says"),
    ],
)
def test_files_of_another_format_than_their_names_say(
    name: str, of: str, message: str, tmp_path: Path
) -> None:
    if of == "gz":
        content = gzip.compress(b"a,b\n1,2\n")
    elif of == "xlsx":
        content = b"PK\x03\x04" + bytes(40)
    else:
        content = write(ROWS, tmp_path / f"made.{of}").read_bytes()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=re.escape(message)):
        read(tmp_path / name)


# ---- frames -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series(["a", "b", None], dtype="category"), pl.String),
        (pd.Series([1, 2, None], dtype="category"), pl.Int64),
        (pd.Series([1, 2, None], dtype="Int64"), pl.Int64),
        (pd.Series([True, None, False], dtype=object), pl.Boolean),
        (pd.Series([Decimal("1.5"), Decimal("2"), None]), pl.Decimal),
        (pd.Series([[1], [2, 3], None]), pl.List),
        (pd.Series(pd.period_range("2024-01", periods=3, freq="M")), pl.Int64),
        (pd.Series(pd.interval_range(0, 3)), pl.Struct),
        (pd.Series(["a", "b", "c"], index=[7, 7, 8], dtype="string[pyarrow]"), pl.String),
    ],
)
def test_types_of_pandas(values: pd.Series, kind: Any) -> None:
    """Whatever holds the values; the index is left out."""
    assert read(pd.DataFrame({"x": values, "y": [0, 1, 1]})).schema["x"] == kind


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, "a", 2.5], dtype=object),
        pd.Series([1, "a", 2.5], dtype="category"),
        pd.Series([[1], ["a"], [2]]),
        pd.Series([10**30, 1, 2], dtype=object),
        pd.Series([1j, 2j, 3j]),
    ],
)
def test_a_column_of_pandas_that_is_none_is_named(values: pd.Series) -> None:
    with pytest.raises(DataError, match="a DataFrame cannot be read as a table: its column 'odd'"):
        read(pd.DataFrame({"x": [1, 2, 3], "odd": values}))


KINDS = [
    *(pl.Int8, pl.UInt64, pl.Int128, pl.UInt128, pl.Float16, pl.Float32, pl.Boolean, pl.String),
    *(pl.Decimal(38, 10), pl.Date, pl.Datetime("ns", "Asia/Tokyo"), pl.Duration("ms"), pl.Time),
    *(pl.Binary, pl.Categorical, pl.Enum(["a"]), pl.Null, pl.Struct({"a": pl.Int64})),
    *(pl.Array(pl.Int64, 0), pl.Array(pl.Array(pl.Int64, 2), 2), pl.List(pl.Array(pl.Int8, 2))),
    *(
        pl.List(pl.Struct({"a": pl.Int64})),
        pl.List(pl.Enum(["a"])),
        pl.List(pl.Null),
        pl.Struct([]),
    ),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_type_of_polars_is_read(kind: Any) -> None:
    """Eager and lazy, known by a digest, in chunks and whole."""
    frame = pl.DataFrame({"y": [0, 1, 1], "x": pl.Series([None] * 3, dtype=kind)})
    for source in (frame, frame.lazy()):
        assert digest(source) == digest(frame)
        assert read(source).height == 3
        with open_table(source) as table:
            assert sum(chunk.height for chunk in table.chunks(["x"], rows=2)) == 3
