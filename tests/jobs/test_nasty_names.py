"""Names and values that end lines, strings, tags and cells go from a search to its export."""

from __future__ import annotations

import csv
import dataclasses
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from raw_rows import raw_difference
from safetensors.torch import load_file

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.data.rates import fit_rates
from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump
from automlrank.jobs.result import Result
from automlrank.jobs.search import search
from automlrank.model.network import build_model
from automlrank.schema import (
    CategoricalFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    TargetStatistics,
    Task,
    VectorFeature,
    read_schema,
)

ROWS = 800
LONG = "\N{ROCKET}" * 20 + "x" * 279
NAMES = {
    "user_id": "a b",
    "page": "*",
    "item_id": "^a$",
    "category": "^.*$",
    "tags": f"{LONG}1",
    "history_item_id": f"{LONG}2",
    "history_category": "</script><b id='injected'>\"bold\"</b>",
    "history_time": "line\nbreak\r\n",
    "price": "a, \N{ROCKET};\t'x'",
    "age": '"""',
    "click": '</script><i id="injected">click',
    "buy": "back\\slash\\",
    "time": "^{time} %s #$",
    "vector": "^($",
    "shared": "a b x *",
    "bucket": "\x1b[31m\u202e",
}
VALUES = [
    *('say "x"', "two\nlines", "a,b", "\N{ROCKET}", "</script><u id='injected'>", LONG, "", "a b"),
    *("a_b", "a-b", "A B", f"{LONG}1", f"{LONG}2", "\\", "'", "\0", "|", "&amp;"),
]
SPACE = """name: tiny
references: [lr]
embedding: {dim: 4}
history: {choose: [mean_pool, din]}
interaction: {parallel: [linear, {choose: [fm, cross_net_v2]}, {mlp: {width: [8, 16], depth: 1}}]}
training: {epochs: 1, batch_size: 256}
"""


def nasty_value(of: pl.Expr) -> pl.Expr:
    """The same value for the same text."""
    return pl.lit(pl.Series(VALUES)).gather(of.hash(0) % len(VALUES))


def nasty() -> tuple[pl.DataFrame, Schema]:
    """The synthetic table with other names and values, and every kind of column."""
    frame, schema = synthetic_frame(ROWS, seed=0)
    rng = np.random.default_rng(0)
    vectors = pl.Series(rng.normal(size=(ROWS, 3)).tolist(), dtype=pl.List(pl.Float64))
    frame = frame.with_columns(
        *(nasty_value(pl.col(name)).alias(name) for name in ("page", "category")),
        pl.col("history_category").list.eval(nasty_value(pl.element())),
        pl.col("tags").list.eval(nasty_value(pl.element())),
        vector=vectors,
        shared=nasty_value(pl.col("user_id")),
        bucket=pl.col("price"),
    )
    features = {f.name: f for f in schema.features}
    features |= {
        "tags": MultiFeature("tags", pool="sum"),
        "vector": VectorFeature("vector"),
        "shared": CategoricalFeature("shared", shared_with="category"),
        "bucket": NumericFeature("bucket", transform="bucket", buckets=4),
    }

    def new(name: str | None) -> str | None:
        return None if name is None else NAMES[name]

    def renamed(feature: Any) -> Any:
        keys = [k for k in ("name", "of", "time", "shared_with") if hasattr(feature, k)]
        changed = {k: new(getattr(feature, k)) for k in keys}
        if feature.kind == "history":
            changed["sequence"] = "clicks </script>\n\"'"
        return dataclasses.replace(feature, **changed)

    schema = Schema(
        tasks=(Task(NAMES["click"]), Task(NAMES["buy"], of=NAMES["click"])),
        features=tuple(map(renamed, features.values())),
        crosses=((NAMES["user_id"], NAMES["page"]), (NAMES["item_id"], NAMES["category"])),
        statistics=TargetStatistics((NAMES["shared"], NAMES["item_id"]), "earlier_rows"),
        scenario=new(schema.scenario),
        group=new(schema.group),
        time=new(schema.time),
        split=dataclasses.replace(schema.split, column=new(schema.split.column)),
    )
    return frame.rename(NAMES), schema


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table, its schema and a small space as files."""
    folder = tmp_path_factory.mktemp("<b> 'nasty', \N{ROCKET}")
    frame, schema = nasty()
    frame.write_parquet(folder / "<script>&.parquet")
    (folder / "schema.yaml").write_text(dump(schema.to_data()), encoding="utf-8")
    (folder / "space.yaml").write_text(SPACE)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Result:
    """A search over it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMLRANK_CACHE", str(folder / "cache"))
        return search(
            folder / "<script>&.parquet",
            folder / "schema.yaml",
            folder / "space.yaml",
            trials=2,
            candidates=10,
            device="cpu",
            metric="gauc",
            out=folder / "run",
            command="automlrank search '<i id=\"injected\">'",
        )


class Elements(HTMLParser):
    """The ids of all elements, and the text outside of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str | None] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for key, value in attrs if key == "id"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_schema_comes_back_from_its_file(folder: Path) -> None:
    """Whatever its names hold."""
    assert read_schema(folder / "schema.yaml") == nasty()[1]


def test_all_trials_are_complete(found: Result) -> None:
    """No name is in the way of a model's modules or its files."""
    assert found.results.counts["complete"] == 2
    assert found.results.counts["failed"] == 0


def test_no_name_injects_an_element_into_the_page(found: Result) -> None:
    """``injected`` is an id in names, values, command and file; the page has no such element."""
    page = Elements()
    page.feed((found.folder / "report.html").read_text(encoding="utf-8"))
    page.close()
    assert "injected" not in page.ids
    assert page.tags.count("html") == page.tags.count("body") == 1
    assert "<script>&" in page.text
    assert NAMES["click"] in page.text
    assert "automlrank search '<i id=\"injected\">'" in page.text


def test_the_markdown_keeps_its_tables(found: Result) -> None:
    """Every row of a table has the cells of its head, and no tag stands in it."""
    text = (found.folder / "report.md").read_text(encoding="utf-8")
    width = 0
    for line in text.splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert not (width and cells) or cells == width, line
        width = cells


def test_the_trials_are_read_back(found: Result) -> None:
    """Every row of the CSV file has the columns of its head."""
    with (found.folder / "trials.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["number"] for row in rows] == [str(r.number) for r in found.results.records]
    assert all(None not in row for row in rows)


def test_the_export_compiles_trains_and_gives_the_same_logits(
    found: Result, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One epoch of the exported script on the same table, by the name it has."""
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(folder / "cache"))
    out = tmp_path / "export"
    found.export(out)
    for path in out.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), path.name, "exec")
    data = Dataset.open(folder / "<script>&.parquet", folder / "schema.yaml")
    model = build_model(Architecture.read(out / "architecture.yaml"), data.schema, seed=0)
    weights = out / "weights.safetensors"
    if weights.exists():
        model.load_state_dict(load_file(weights))
    rows = pl.read_parquet(folder / "<script>&.parquet").sample(64, seed=1)
    assert raw_difference(out, model, data.encoder, rows) <= 1e-5
    table = folder / "<script>&.parquet"
    arguments = ["train.py", str(table), "--epochs", "1", "--threads", "1", "--test"]
    ended = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "test: GAUC" in ended.stdout


def test_a_column_named_like_a_pair_has_rates_of_its_own() -> None:
    """``a x b`` is a column, and the pair of ``a`` and ``b`` another."""
    ids = {"a": np.array([3, 4, 4]), "b": np.array([3, 3, 4]), "a x b": np.array([3, 3, 3])}
    labels = np.array([[0.0], [1.0], [1.0]], np.float32)
    wanted = {("a", "b"): False, ("a x b",): False}
    rates = fit_rates(wanted, ids, labels, form="out_of_fold", prior=1.0)
    alone = fit_rates({("a x b",): False}, ids, labels, form="out_of_fold", prior=1.0)
    both = rates.encode(ids)["statistics:item"]
    np.testing.assert_array_equal(both[:, 2:], alone.encode(ids)["statistics:item"])
    assert (both[:, :2] != both[:, 2:]).any()
