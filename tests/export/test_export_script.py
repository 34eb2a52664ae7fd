"""The exported ``train.py``: every split, metric and column name; what it says of bad input."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.export.folder import export_architecture
from automlrank.model import build_model
from automlrank.schema import Schema, Split
from automlrank.train.loop import score

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
    arrays, rows = script["load"](path)
    for split in ("train", "valid", "test"):
        theirs = list(script["batches"](arrays, rows[split], 512, seed=3))
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
    arrays, rows = load_script(tmp_path / "export")["load"](path)
    ours = other.take("valid", np.arange(other.rows["valid"]))
    assert np.array_equal(arrays["ids:item"][rows["valid"]], ours["ids:item"].numpy())
    assert "00" in other.encoder.vocabularies["category"]


@pytest.mark.parametrize("metric", ["auc", "gauc", "logloss"])
def test_each_metric_is_ours(
    metric: str, table: Path, data: Dataset, make: Make, load_script: Load, tmp_path: Path
) -> None:
    """The printed score of the same weights is the one that a search compares."""
    architecture = make("fm")
    out = tmp_path / "export"
    export_architecture(architecture, data.schema, data.encoder, out, metric=metric)
    script = load_script(out)
    model = build_model(architecture, data.schema, seed=3)
    theirs = script["RankingModel"]()
    theirs.load_state_dict(model.state_dict())
    arrays, rows = script["load"](table)
    expected = score(model, data, "valid", metric)
    assert script["score"](theirs, arrays, rows["valid"]) == pytest.approx(expected)
    assert script["is_better"](2.0, 1.0) is (metric != "logloss")


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
        tasks=tuple(dataclasses.replace(task, name=new(task.name)) for task in schema.tasks),
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


@pytest.mark.parametrize("name", ["deepfm", "drawn 3"])
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
    schema = renamed(data.schema, NASTY)
    nasty = Dataset.open(path, schema, cache=tmp_path / "cache")
    out = tmp_path / "export"
    export_architecture(make(name), nasty.schema, nasty.encoder, out, metric="gauc")
    for file in out.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        compile(text, file.name, "exec")
        assert max(map(len, text.splitlines())) <= 100
        assert file.name == "encoder.py" or text.isascii() or "·" in text
    script = load_script(out)
    assert script["TASKS"] == (NASTY["click"], NASTY["buy"])
    monkeypatch.setattr("sys.argv", ["train.py", str(path), "--epochs", "1"])
    with caplog.at_level("INFO"):
        script["main"]()
    assert "valid: GAUC" in caplog.text


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
        script["main"]()
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
        script["main"]()
    expected = score(model, data, "valid", "auc")["click"]
    assert f"valid: AUC click {expected:.6f}" in caplog.text
    assert [path for path in sorted(out.iterdir()) if path.name != "__pycache__"] == files
