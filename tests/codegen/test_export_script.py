"""The exported ``train.py``: every split, metric and column name; what it says of bad input."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from deltalake import write_deltalake
from polars.testing import assert_frame_equal

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.data.read import open_table
from automlrank.data.sources import files_of
from automlrank.data.split import assign, parts_of
from automlrank.measurement.metrics import AUC, GAUC, METRICS
from automlrank.model.network import build_model
from automlrank.schema import Schema, Split
from automlrank.training.loop import score

Make = Callable[[str], Architecture]
Load = Callable[[Path], dict[str, Any]]
SPLITS = {
    "time": Split("time", "time", valid=0.2, test=0.1),
    "values": Split("time", "time", valid_from=1_700_010_000, test_from=1_700_015_000),
    "random": Split("random", valid=0.15, test=0.2),
    "column": Split("column", "part"),
    "file": Split("file", train_file="a.parquet", test_file="b.parquet", valid=0.4),
}
NASTY = {
    "user_id": "a \"quoted\" 'name'",
    "page": "line\nbreak",
    "item_id": '"""',
    "category": "back\\slash\\",
    "price": "# no comment {x} %s",
    "tags": "\N{ROCKET} \N{CJK UNIFIED IDEOGRAPH-4E2D}",
    "history_item_id": "long name " * 30,
    "history_category": "\N{ROCKET}" * 300,
    "click": 'click\'"""\\',
    "buy": "\N{ROCKET}\n" * 40,
    "time": "time\\",
}


@pytest.mark.parametrize("by", SPLITS)
def test_rows_are_split_as_the_data_set_splits_them(
    by: str, table: Path, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """Each split has the same rows in the same order, batch for batch."""
    frame = pl.read_parquet(table)
    parts = np.array(["train", "train", "valid", "test"])[np.arange(frame.height) % 4]
    frame = frame.with_columns(pl.Series("part", parts), weight=pl.col("price"))
    frame.head(1500).write_parquet(tmp_path / "a.parquet")
    frame.tail(500).write_parquet(tmp_path / "b.parquet")
    if by != "file":
        frame.write_parquet(tmp_path / "whole.parquet")
    path = tmp_path if by == "file" else tmp_path / "whole.parquet"
    schema = dataclasses.replace(data.schema, split=SPLITS[by], weight="weight")
    other = Dataset.open(path, schema, cache=tmp_path / "cache")
    export_architecture(make("lr"), other.schema, other.encoder, tmp_path / "export")
    script = load_script(tmp_path / "export")
    loaded = load(script, path)
    for split in ("train", "valid", "test"):
        theirs = list(loaded.batches(split, 512, seed=3))
        ours = list(other.batches(split, 512, seed=3))
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert a.keys() == b.keys()
            for key, tensor in a.items():
                assert torch.equal(tensor.nan_to_num(-9), b[key].nan_to_num(-9)), key


def test_a_csv_file_is_read_as_the_data_set_reads_it(
    table: Path, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """Ids with leading zeros stay text, whatever the reader of a CSV file would guess."""
    path = tmp_path / "impressions.csv"
    features = tuple(f for f in data.schema.features if f.kind in ("categorical", "numeric"))
    wanted = [*(f.name for f in features), "time", "click", "buy"]
    code = pl.format("0{}", pl.col("category").str.strip_prefix("category "))
    pl.read_parquet(table).select(wanted).with_columns(category=code).write_csv(path)
    schema = dataclasses.replace(data.schema, features=features)
    other = Dataset.open(path, schema, cache=tmp_path / "cache")
    export_architecture(make("lr"), other.schema, other.encoder, tmp_path / "export")
    loaded, rows = load(load_script(tmp_path / "export"), path), np.arange(other.rows["valid"])
    ours = other.take("valid", rows)
    assert torch.equal(loaded.take("valid", rows)["ids:item"], ours["ids:item"])
    assert "00" in other.encoder.vocabularies["category"]


def load(script: dict[str, Any], path: Path) -> Any:
    """The encoded table that an exported script trains on."""
    config = script["read_config"](script["HERE"] / "config.yaml")
    return script["load_table"](path, config.table, script["Encoder"].load(script["HERE"]))


def reader(script: dict[str, Any]) -> Any:
    """The exported module that reads tables."""
    return sys.modules[script["TableError"].__module__]


QUOTED = b'"a ""b""","c"\r\n"1",""\r\n"x, ""y""","2"\r\n'
TABLES = {
    "blank lines at the end": {"t.csv": b"a,b\n1,x\n,\n\n\r\n\n"},
    "every field quoted": {"t.csv": QUOTED},
    "upper case": {"T.TSV": b"a\tb\n1\t2,5\n", "U.Tsv": b"b\ta\n007\t2\n"},
    "compressed": {"t.CSV.gz": gzip.compress(QUOTED + b"\n")},
    "a mark of UTF-8": {"t.csv": b"\xef\xbb\xbf" + QUOTED},
    "null throughout one part": {"1.csv": b"a,b\n1,\n", "2.csv": b"a,b\n,0.5\n"},
    "text in one part": {"1.csv": b"a,b\n1,1.0\n", "2.csv": b"a,b\n2,x\n"},
    "other separators": {"t.csv": b"a;b\n1,5;x\n2;y\n", "u.csv": b"a\tb\n3\t4\n"},
    "carriage returns": {"t.csv": b'a,b\r1,"x\ry"\r2,y\r'},
    "blanks": {"t.csv": b'a, b, "c d"\n1, "x, y" , "z"\n'},
    "packed text": {"t.txt.bz2": bz2.compress(b"a|b\n1|2\n")},
    "columns of some files": {"t.csv": b"a,b\n1,2\n", "u.csv": b"c,a\nx,2\n"},
    "folders of keys": {"day=1/t.csv": b"a\n1\n", "day=2/t.csv": b"a\n2\n"},
    "files that are no tables": {
        "t.csv": b"a,b\n1,2\n",
        "_SUCCESS": b"",
        "_old.csv": b"a,b\n3,4\n",
        ".t.csv.swp": b"x",
        "schema.yaml": b"name: t\n",
    },
}


@pytest.mark.parametrize("case", TABLES)
def test_text_files_are_read_as_the_search_reads_them(
    case: str, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """The same rows, names, nulls and types, of a folder and of each file alone."""
    folder = tmp_path / "day [1]"
    folder.mkdir()
    for name, content in TABLES[case].items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    script = load_script(tmp_path / "export")
    for path in (folder, *(file.path for file in files_of(folder))):
        assert_same_table(script, path)


@pytest.mark.parametrize("form", ["parquet", "ipc", "ipc_stream"])
def test_binary_files_are_read_as_the_search_reads_them(
    form: str, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """Arrow in both its forms, brackets in names, endings in capitals, a folder a=1."""
    folder = tmp_path / "a=1"
    folder.mkdir()
    path = folder / ("part [1].PARQUET" if form == "parquet" else "part [1].Arrow")
    getattr(pl.DataFrame({"a": [3, None], "b": ["007", ""]}), f"write_{form}")(path)
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    script = load_script(tmp_path / "export")
    assert_same_table(script, path)
    assert_same_table(script, folder)


def test_a_delta_table_and_a_pattern_are_read_as_the_search_reads_them(
    data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    table = tmp_path / "table"
    frame = pl.DataFrame({"day": ["1", "2"], "a": [1, 2]})
    write_deltalake(table, frame.reverse(), partition_by=["day"])
    write_deltalake(table, frame, partition_by=["day"], mode="overwrite")
    for day in (1, 2):
        (tmp_path / "log" / f"day={day}").mkdir(parents=True)
        frame[day - 1 : day].drop("day").write_parquet(tmp_path / f"log/day={day}/p.parquet")
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    script = load_script(tmp_path / "export")
    assert_same_table(script, table)
    assert_same_table(script, tmp_path / "log" / "**" / "*.parquet")


def assert_same_table(script: dict[str, Any], path: Path) -> None:
    """The exported reader and the search give one frame, by the forms of the search."""
    theirs = reader(script)
    with open_table(path) as ours:
        found = theirs.typed(theirs.read_table(path), ours.forms)
        assert_frame_equal(found, ours.scan.collect())


@pytest.mark.parametrize(
    "test",
    [b'n,s,x\n7,1,\n8,2,\n"",3,\n4,5,\n\n', b"n,s,x\n7,a,1.5\n8,b,2\n9,c,\n1,007,3\n"],
    ids=["null throughout", "other types"],
)
def test_files_of_a_split_are_typed_together(
    test: bytes, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """A type holds all values of the train and the test file, as in the search."""
    (tmp_path / "train.csv").write_bytes(b"n,s,x\n1,1,1\n2,02,2\n\n")
    (tmp_path / "test.csv").write_bytes(test)
    split = Split("file", train_file="train.csv", test_file="test.csv", valid=0.5)
    schema = dataclasses.replace(data.schema, split=split)
    export_architecture(make("lr"), schema, data.encoder, tmp_path / "export")
    table = reader(load_script(tmp_path / "export"))
    with open_table(parts_of(tmp_path, split)) as ours:
        frame, rows, _ = table.read_split(tmp_path, split, ours.forms)
        assert_frame_equal(frame, ours.scan.collect())
        labels = assign(ours, schema)
    for number, name in enumerate(("train", "valid", "test")):
        assert np.array_equal(rows[name], np.flatnonzero(labels == number))


@pytest.mark.parametrize("name", ["table.xml", "cut.csv.gz", "folder"])
def test_what_is_no_table_is_named(
    name: str, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """An unknown ending, a file that was cut, a folder without tables: one sentence each."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "table.xml").write_text("a,b\n")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(QUOTED)[:-9])
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    script = load_script(tmp_path / "export")
    said = {"table.xml": "must end in .parquet", "cut.csv.gz": "is cut off", "folder": "no file"}
    with pytest.raises(script["TableError"], match=said[name]):
        reader(script).read_table(tmp_path / name)


@pytest.mark.parametrize("metric", ["auc", "gauc", "logloss"])
def test_each_metric_is_ours(
    metric: str, table: Path, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """The printed score of the same weights is the one that a search compares."""
    architecture = make("fm")
    out = tmp_path / "export"
    export_architecture(architecture, data.schema, data.encoder, out, metric=METRICS[metric])
    script = load_script(out)
    model = build_model(architecture, data.schema, seed=3)
    theirs = script["RankingModel"]()
    theirs.load_state_dict(model.state_dict())
    config = script["read_config"](out / "config.yaml")
    expected = score(model, data, "valid", METRICS[metric])
    found = script["score"](theirs, load(script, table), "valid", config)
    assert found == pytest.approx(expected)
    assert config.metric.better(2.0, 1.0) is (metric != "logloss")


def renamed(schema: Schema, names: dict[str, str]) -> Schema:
    """The schema of a table whose columns were renamed."""

    def new(name: str | None) -> str | None:
        return None if name is None else names.get(name, name)

    features = tuple(
        dataclasses.replace(
            feature,
            name=new(feature.name),
            **{k: new(getattr(feature, k)) for k in ("of", "time") if hasattr(feature, k)},
            **({"sequence": 'my "clicks"\n'} if feature.kind == "history" else {}),
        )
        for feature in schema.features
    )
    return dataclasses.replace(
        schema,
        tasks=tuple(
            dataclasses.replace(task, name=new(task.name), of=new(task.of)) for task in schema.tasks
        ),
        features=features,
        crosses=tuple((new(a), new(b)) for a, b in schema.crosses),
        statistics=dataclasses.replace(
            schema.statistics, of=tuple(new(name) for name in schema.statistics.of)
        ),
        scenario=new(schema.scenario),
        group=new(schema.group),
        time=new(schema.time),
        split=dataclasses.replace(schema.split, column=new(schema.split.column)),
    )


@pytest.mark.parametrize("name", ["deepfm", "drawn 3", "din"])
def test_any_column_name_compiles_and_runs(
    name: str,
    table: Path,
    data: Dataset,
    make: Make,
    load_script: Load,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Quotes, line breaks, backslashes, hashes, emoji, 300 characters: names stay data."""
    path = tmp_path / "nasty.parquet"
    pl.read_parquet(table).rename(NASTY).write_parquet(path)
    schema, architecture = renamed(data.schema, NASTY), make(name)
    if name == "din":  # its labels are softened by trees, which read every column
        schema = dataclasses.replace(
            schema, tasks=tuple(dataclasses.replace(task, of=None) for task in schema.tasks)
        )
        training = dataclasses.replace(architecture.training, distillation=0.5)
        architecture = dataclasses.replace(architecture, training=training)
    nasty = Dataset.open(path, schema, cache=tmp_path / "cache")
    out = tmp_path / "export"
    export_architecture(architecture, nasty.schema, nasty.encoder, out, metric=GAUC)
    for file in out.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        compile(text, file.name, "exec")
        assert max(map(len, text.splitlines())) <= 100
        assert file.name == "encoder.py" or text.isascii() or "·" in text
    script = load_script(out)
    config = script["read_config"](out / "config.yaml")
    assert tuple(config.table.tasks) == (NASTY["click"], NASTY["buy"])
    monkeypatch.setattr("sys.argv", ["train.py", str(path), "--epochs", "1"])
    with caplog.at_level("INFO"):
        script["main"](script["PARTS"], script["FILES"])
    assert "valid: GAUC" in caplog.text
    assert all(record.getMessage().isprintable() for record in caplog.records)


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (["item_id"], "the table has no column 'item_id'."),
        (["buy"], "the table has no column 'buy'."),
        (["time"], "the table has no column 'time'."),
        (None, "no such file: "),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    drop: list[str] | None,
    said: str,
    table: Path,
    data: Dataset,
    make: Make,
    load_script: Load,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A missing file or column is named on one line, without a traceback."""
    path = tmp_path / "table.parquet"
    if drop is not None:
        pl.read_parquet(table).drop(drop).write_parquet(path)
    export_architecture(make("lr"), data.schema, data.encoder, tmp_path / "export")
    script = load_script(tmp_path / "export")
    monkeypatch.setattr("sys.argv", ["train.py", str(path)])
    with pytest.raises(SystemExit) as ended:
        script["main"](script["PARTS"], script["FILES"])
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in error
    assert error.count("\n") == 1


def test_exported_weights_are_scored_without_training(
    table: Path,
    data: Dataset,
    make: Make,
    load_script: Load,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``--score`` prints the AUC of the weights that were exported, and writes nothing."""
    model = build_model(make("fm"), data.schema, seed=5)
    out = tmp_path / "export"
    files = export_architecture(
        make("fm"), data.schema, data.encoder, out, weights=model.state_dict()
    )
    script = load_script(out)
    monkeypatch.setattr("sys.argv", ["train.py", str(table), "--score"])
    with caplog.at_level("INFO"):
        script["main"](script["PARTS"], script["FILES"])
    expected = score(model, data, "valid", AUC)["click"]
    assert f"valid: AUC click {expected:.6f}" in caplog.text
    assert [path for path in sorted(out.iterdir()) if path.name != "__pycache__"] == files
