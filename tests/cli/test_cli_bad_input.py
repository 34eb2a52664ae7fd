"""Bad input: one sentence, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.documents import dump
from automlrank.schema import CategoricalFeature, Schema, Task

ROWS = 300


@pytest.fixture
def refused(command: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """Runs a search that must be refused; gives its sentence."""

    def search(*arguments: object, out: Path | None = None) -> str:
        folder = out or tmp_path / "run"
        before = sorted(folder.rglob("*")) if out else []
        ended = command("search", *arguments, "--trials", 1, "--out", folder, "--format", "json")
        assert ended.code == 2, ended
        assert ended.out == ""
        assert ended.err.startswith("Error: ")
        assert ended.err.count("\n") == 1, ended.err
        assert "Traceback" not in ended.err
        assert (sorted(folder.rglob("*")) == before) if out else not folder.exists()
        return str(ended.err)

    return search


def written(tmp_path: Path, **columns: Any) -> Path:
    frame, _ = synthetic_frame(ROWS, seed=0)
    frame = frame.with_columns(**columns)
    frame.write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_no_such_file(refused: Callable[..., str], inputs: Path) -> None:
    missing = inputs / "impresions.parquet"
    assert "Did you mean 'impressions.parquet'?" in refused(missing, "--label", "click")


def test_no_such_column(refused: Callable[..., str], inputs: Path) -> None:
    sentence = refused(inputs / "impressions.parquet", "--label", "clicks")
    assert "the table has no column 'clicks'. Did you mean 'click'?" in sentence


def test_no_such_column_of_the_schema(
    refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text("tasks: {click: {kind: binary}}\nfeatures: {usr_id: {kind: categorical}}\n")
    sentence = refused(inputs / "impressions.parquet", "--schema", schema)
    assert "features.usr_id: the table has no column 'usr_id'. Did you mean 'user_id'?" in sentence


def test_neither_label_nor_schema(refused: Callable[..., str], inputs: Path) -> None:
    assert "Columns of only 0 and 1: click, buy." in refused(inputs / "impressions.parquet")


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet", "header.csv", "rows.parquet"])
def test_an_empty_file(name: str, refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("click,item\n" if name == "header.csv" else "")
    if name == "rows.parquet":
        pl.DataFrame({"click": [], "item": []}).write_parquet(file)
    sentence = refused(file, "--label", "click")
    assert "is empty" in sentence or "has no rows" in sentence


def test_a_file_that_is_not_what_its_name_says(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    file.write_text("click,item\n1,2\n")
    assert "cannot be read as Parquet" in refused(file, "--label", "click")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1] * ROWS, "the label is constant on the training rows: always 1."),
        ([None, 0, 1] * (ROWS // 3), "is null in 100 of 300"),
        ([2, 2, *[0, 1] * (ROWS // 2 - 1)], "a binary label must be 0 or 1, but holds 2."),
        ([0.5, 1.0] * (ROWS // 2), "a binary label must be 0 or 1, but holds 0.5."),
        (["yes", "no"] * (ROWS // 2), "a label must be numeric"),
    ],
)
def test_a_label_that_cannot_be_learned(
    values: list[object], sentence: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    assert sentence in refused(written(tmp_path, click=pl.Series(values)), "--label", "click")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: x\ninteraction: {stack: [fm, mlp]}\n", ":2: interaction.stack[0]: gives a Logit"),
        ("name: x\ninteraction: [fm\n", "not valid YAML"),
        ("interaction: !!python/object/apply:os.system ['true']\n", ":1: "),
        ("name: x\nname: y\ninteraction: fm\n", "this key stands twice"),
        ("", "the file is empty."),
        ("name: x\ninteraction: fmm\n", "no block 'fmm'. Did you mean 'fm'?"),
    ],
)
def test_a_space_that_cannot_be_used(
    text: str, sentence: str, refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    space = tmp_path / "space.yaml"
    space.write_text(text)
    table = inputs / "impressions.parquet"
    assert sentence in refused(table, "--label", "click", "--space", space)


def test_a_space_that_needs_what_the_schema_lacks(
    refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("name: x\ninteraction: mlp\ntower: ppnet\n")
    sentence = refused(inputs / "impressions.parquet", "--label", "click", "--space", space)
    assert "ppnet cannot be used: the schema marks no column as context." in sentence


def test_unsafe_yaml_is_not_run(refused: Callable[..., str], inputs: Path, tmp_path: Path) -> None:
    """The schema asks for a file to be made; it is not."""
    made = tmp_path / "made"
    schema = tmp_path / "schema.yaml"
    schema.write_text(f"tasks: !!python/object/apply:os.system ['touch {made}']\n")
    refused(inputs / "impressions.parquet", "--schema", schema)
    assert not made.exists()


def test_a_budget_that_nothing_meets_names_the_fastest(
    refused: Callable[..., str], search_arguments: list[object]
) -> None:
    sentence = refused(*search_arguments[1:], "--latency-ms", 0.0001)
    assert "the fastest, " in sentence
    assert "ms or less for 20 candidates" in sentence


@pytest.mark.parametrize("what", ["folder", "file"])
def test_an_output_that_exists(
    what: str, refused: Callable[..., str], search_arguments: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "taken"
    if what == "folder":
        out.mkdir()
    (out / "notes.txt" if what == "folder" else out).write_text("mine")
    assert "Give another --out" in refused(*search_arguments[1:], out=out)


@pytest.mark.parametrize("name", ["search", "train"])
def test_an_impossible_output_is_told_before_the_table_is_read(
    name: str,
    command: Callable[..., Any],
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("the table was read")

    monkeypatch.setattr(Dataset, "open", read)
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(link)
    file.write_text("mine")
    table, schema = inputs / "impressions.parquet", inputs / "schema.yaml"
    what = (table,) if name == "search" else ("lr", table)
    for out, said in ((link, "is a link."), (file / "below", "is no folder.")):
        ended = command(name, *what, "--schema", schema, "--out", out)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("Error: ")
        assert said in ended.err


def test_a_run_of_other_data(
    searched: tuple[Path, Any], refused: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    folder, _ = searched
    frame, _ = synthetic_frame(ROWS, seed=9)
    table = tmp_path / "other.parquet"
    frame.write_parquet(table)
    options = ["--schema", inputs / "schema.yaml", "--space", inputs / "small.yaml", "--resume"]
    assert "belongs to other data" in refused(table, *options, out=folder)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--metric", "acu", "Did you mean 'auc'?"),
        ("--device", "tpu", "auto, cpu, cuda"),
        ("--seed", -1, "--seed must be 0 or more, but got -1."),
        ("--latency-ms", 0, "--latency-ms must be above 0, but got 0.0."),
        ("--candidates", 0, "--candidates must be 1 or more, but got 0."),
        ("--schema", "nowhere.yaml", "no such file: nowhere.yaml"),
        ("--space", "deepfn", "Did you mean 'deepfm'?"),
    ],
)
def test_an_option_out_of_its_range(
    option: str, value: object, sentence: str, refused: Callable[..., str], inputs: Path
) -> None:
    assert sentence in refused(inputs / "impressions.parquet", "--label", "click", option, value)


@pytest.mark.parametrize(
    "arguments",
    [["report", "RUN"], ["export", "RUN", "--out", "OUT"], ["latency", "RUN", "TABLE"]],
)
def test_a_folder_that_is_no_run(
    arguments: list[str], inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    places = {
        "RUN": tmp_path / "no",
        "OUT": tmp_path / "out",
        "TABLE": inputs / "impressions.parquet",
    }
    ended = command(*(places.get(word, word) for word in arguments), *(
        ["--label", "click"] if arguments[0] == "latency" else []))  # fmt: skip
    assert ended.code == 2
    assert str(tmp_path / "no") in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "out").exists()


def test_training_that_the_schema_cannot_serve(
    inputs: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    schema = tmp_path / "schema.yaml"
    features = (CategoricalFeature("user_id"),)
    schema.write_text(dump(Schema((Task("click"),), features).to_data()))
    out = tmp_path / "out"
    arguments = ["din", inputs / "impressions.parquet", "--schema", schema, "--out", out]
    ended = command("train", *arguments)
    assert ended.code == 2
    assert "din cannot be used: the schema has no history column." in ended.err
    assert not out.exists()


# ---- every way of the data, by every command ----------------------------------------------

COMMANDS = {
    "search": ["search", "DATA", "--trials", 1, "--space", "lr", "--out", "RUN"],
    "train": ["train", "lr", "DATA", "--out", "RUN"],
    "inspect": ["data", "inspect", "DATA"],
}
LABEL = ["--label", "click"]
PAGE = "tasks: {click: {}}\nfeatures:\n  page: {kind: categorical}\n"


@dataclass(frozen=True)
class Bad:
    """A table with some columns changed, or a file's content; a schema; what is said of it."""

    said: tuple[str, ...]
    columns: Mapping[str, object] = field(default_factory=dict)
    schema: str = ""
    content: bytes | None = None
    name: str = "t.parquet"
    join: pl.DataFrame | None = None
    commands: tuple[str, ...] = tuple(COMMANDS)

    def arguments(self, folder: Path) -> list[object]:
        path = folder / self.name
        if self.content is None:
            written(folder, **{k: as_column(v) for k, v in self.columns.items()})
        else:
            path.write_bytes(self.content)
        options: list[object] = LABEL
        if self.schema:
            (folder / "s.yaml").write_text(self.schema)
            options = ["--schema", folder / "s.yaml"]
        if self.join is not None:
            self.join.write_parquet(folder / "side.parquet")
            options = [*options, "--join", f"{folder / 'side.parquet'}:user_id"]
        return [path, *options]


def as_column(value: object) -> object:
    """Values in turn over all rows; expressions as they are."""
    if isinstance(value, pl.Expr | pl.Series):
        return value
    assert isinstance(value, list)
    return pl.Series((value * ROWS)[:ROWS], strict=False)


def parquet(names: list[str], *columns: list[int]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(list(columns), names=names), sink, use_dictionary=False)
    return sink.getvalue()


WHOLE = parquet(["click", "item"], [0, 1] * 5000, [i * 7919 % 10_007 for i in range(10_000)])
DAMAGED = WHOLE[:20_000] + b"\xff" * 1000 + WHOLE[21_000:]
STORED = ("search", "train")  # inspect shows the table all the same
AT_4 = pl.int_range(pl.len()) == 4
LISTS = pl.List(pl.Int64)
NINE = pl.when(AT_4).then(pl.lit(list(range(9)), dtype=LISTS)).otherwise("history_item_id")
SEQUENCE = (
    PAGE + "  item_id: {kind: categorical}\n"
    "  history_item_id: {kind: history, of: item_id, time: history_time}\ntime: time\n"
)
BAD = {
    "a ragged row": Bad(
        ("t.csv: row 3 (the header is row 1) has 3 fields, but the header has 2.",),
        content=b"click,item\n1,a\n0,b,c\n", name="t.csv"),
    "a short row": Bad(
        ("t.csv: row 3 (the header is row 1) has 1 field, but the header has 2.",),
        content=b"click,item\n1,a\n0\n", name="t.csv"),
    "a byte that is not UTF-8": Bad(
        ("t.csv: row 3 (the header is row 1) is not UTF-8. Save the file as UTF-8.",),
        content=b"click,item\n1,a\n0,\xff\n", name="t.csv"),
    "UTF-16": Bad(("row 1, the header, is not UTF-8.",),
                  content="click,item\n1,a\n".encode("utf-16"), name="t.csv"),
    "a quote left open": Bad(("row 3 (the header is row 1) has a quote that is not closed",),
                             content=b'click,item\n1,a\n0,"b\n', name="t.csv"),
    "names twice in CSV": Bad(("t.csv: has more than one column 'a'.",),
                              content=b"click,a,a\n1,a,b\n", name="t.csv"),
    "names twice in Parquet": Bad(("column with name 'a' has more than one occurrence.",),
                                  content=parquet(["click", "a", "a"], [0, 1], [1, 2], [3, 4])),
    "a gzip cut off": Bad(("t.csv.gz is cut off or damaged.",),
                          content=gzip.compress(b"click\n1\n0\n" * 900)[:40], name="t.csv.gz"),
    **{f"Parquet cut at {cut}": Bad(("t.parquet cannot be read as Parquet",),
                                    content=WHOLE[: int(len(WHOLE) * cut)])
       for cut in (0.001, 0.5, 0.99)},
    "damaged Parquet": Bad(("t.parquet cannot be read as Parquet: ",), content=DAMAGED),
    "a third value": Bad(("s.yaml:1: tasks.click: a binary label must be 0 or 1, but holds 2.",),
                         {"click": [0, 1, 2]}, PAGE, commands=STORED),
    "a stray third value": Bad(("tasks.click: a binary label must be 0 or 1, but holds 2. "
                                "Is it of kind: regression?",),
                               {"click": pl.when(AT_4).then(2).otherwise("click")},
                               commands=STORED),
    "a label that is null": Bad(("tasks.click: the primary label must be known in every row, "
                                 "but is null in 300 of 300.",),
                                {"click": pl.lit(None)}, commands=STORED),
    "a label among the features": Bad(("s.yaml:4: features.click: a label must not be",),
                                      schema=PAGE + "  click: {kind: categorical}\n"),
    "an infinite number": Bad(
        ("row 5: column 'price' must be finite, but is inf.",),
        {"price": pl.when(AT_4).then(float("inf")).otherwise("price")},
        PAGE + "  price: {kind: numeric}\n", commands=STORED),
    "a number beyond float32": Bad(
        ("row 5: column 'price' must be at most 3.4e+38, but is 1e+39.",),
        {"price": pl.when(AT_4).then(1e39).otherwise("price")},
        PAGE + "  price: {kind: numeric, transform: none}\n", commands=STORED),
    "text in numbers": Bad(
        ("features.price: a numeric column must be numeric, but is String, such as 'x'",),
        {"price": ["1", "2", "x"]}, PAGE + "  price: {kind: numeric}\n"),
    "every fault of a schema against its table": Bad(
        ("s.yaml:3: features.pge: the table has no column 'pge'. Did you mean 'page'?",
         "s.yaml:6: weight: the table has no column 'wght'.",
         "s.yaml:4: features.page: a numeric column must be numeric, but is String",
         "s.yaml:5: features.tags: a categorical column must hold one value per row"),
        schema="tasks: {click: {}}\nfeatures:\n  pge: {kind: categorical}\n"
        "  page: {kind: numeric}\n  tags: {kind: categorical}\nweight: wght\n"),
    "every fault of a schema in itself": Bad(
        ("s.yaml:4: features.tags.kind: no column kind 'mlti'. Did you mean 'multi'?",
         "s.yaml:5: features.x.min_count: must be a whole number of 1 or more, but got 0.",
         "s.yaml:5: features.x.buckets: must be a whole number of 1 or more, at most "),
        schema=PAGE + "  tags: {kind: mlti}\n"
        "  x: {kind: categorical, min_count: 0, buckets: 99999999999}\n"),
    "a name that ends lines": Bad(
        ("features.pa\\nge: the table has no column 'pa\\nge'. Did you mean 'page'?",),
        schema='tasks: {click: {}}\nfeatures: {"pa\\nge": {kind: categorical}}\n'),
    "a vector of another length": Bad(
        ("row 5: column 'v' must hold 2 numbers, but holds 1.",),
        {"v": pl.when(AT_4).then(pl.lit([1.0], dtype=pl.List(pl.Float64)))
              .otherwise(pl.lit([1.0, 2.0], dtype=pl.List(pl.Float64)))},
        PAGE + "  v: {kind: vector}\n", commands=STORED),
    "a vector of mixed items": Bad(
        ("row 2: column 'v' must hold finite numbers, but holds 'x'.",),
        {"v": ["1|2", "1|x"]}, PAGE + "  v: {kind: vector, separator: '|'}\n", commands=STORED),
    "a vector of nulls": Bad(
        ("column 'v' holds no vector in the training rows.",),
        {"v": pl.lit(None, dtype=pl.List(pl.Float64))}, PAGE + "  v: {kind: vector}\n",
        commands=STORED),
    "shared with nobody": Bad(
        ("s.yaml:4: features.item_id.shared_with: must be another categorical or multi feature, "
         "but got 'pge'. Did you mean 'page'?",),
        schema=PAGE + "  item_id: {kind: categorical, shared_with: pge}\n"),
    "crosses and statistics of numbers": Bad(
        ("crosses[0]: must be a categorical feature, but got 'price'.",
         "statistics.of[0]: must be a categorical feature, but got 'price'.",
         "statistics.of[1]: must be a categorical feature, but got 'pag'. Did you mean 'page'?"),
        schema=PAGE + "  price: {kind: numeric}\ncrosses: [[page, price]]\n"
        "statistics: {of: [price, pag]}\n"),
    "statistics of rows without a time": Bad(
        ("column 'time' times the rows, but is null in 1 of 300.",),
        {"time": pl.when(~AT_4).then("time")},
        PAGE + "statistics: {of: [page], form: earlier_rows}\ntime: time\n", commands=STORED),
    "one group": Bad(
        ("each split must have rows, but the sizes are train 0, valid 0, test 300.",),
        {"g": ["a"]}, PAGE + "group: g\nsplit: {by: group}\n"),
    "a word that is no split": Bad(
        ("column 's' must say train, valid or test, but says 'tset'. Did you mean 'test'?",),
        {"s": ["train", "valid", "tset"]}, PAGE + "split: {by: column, column: s}\n"),
    "a split by text that is no time": Bad(
        ("column 'time' must hold times, but holds 'monday'.",),
        {"time": ["monday", "friday"]}, PAGE + "split: {by: time, column: time}\n"),
    "ages by text that is no time": Bad(
        ("column 'time' must hold times, but holds '",),
        {"time": ["monday", "friday"]}, SEQUENCE, commands=STORED),
    "times that are no times": Bad(
        ("column 'history_time' must hold times, but holds 'x'.",),
        {"history_time": ["1|x"], "history_item_id": ["1|2"]},
        SEQUENCE.replace("{kind: history", "{kind: history, separator: '|'"), commands=STORED),
    "a null among times": Bad(
        ("row 5: column 'history_time' must hold times, but one is null.",),
        {"history_time": pl.when(AT_4).then(pl.lit([None], dtype=LISTS))
                         .otherwise(pl.lit([1], dtype=LISTS)),
         "history_item_id": pl.lit([1], dtype=LISTS)}, SEQUENCE, commands=STORED),
    "a history longer than its times": Bad(
        ("row 5: the columns 'history_item_id' and 'history_time' of one sequence must have equal "
         "lengths, but have 9 and ",),
        {"history_item_id": NINE}, SEQUENCE, commands=STORED),
    "a negative weight": Bad(
        ("weights must be 0 or more, but column 'w' has -1.0 in row 2.",),
        {"w": [1.0, -1.0]}, PAGE + "weight: w\n", commands=STORED),
    "weights of 0": Bad(("the weights of column 'w' are 0 in every training row.",),
                        {"w": [0.0]}, PAGE + "weight: w\n", commands=STORED),
    "a side table with a key twice": Bad(
        ("side.parquet has user_id 1 in 2 rows, but a side table must have one row per key.",),
        join=pl.DataFrame({"user_id": [1, 1, 2], "x": [1, 2, 3]})),
    "a side table without the key": Bad(
        ("side.parquet has no column 'user_id' to join by. Did you mean 'usr_id'?",),
        join=pl.DataFrame({"usr_id": [1], "x": [1]})),
    "a side table of nothing": Bad(
        ("side.parquet has no rows with a 'user_id'.",),
        join=pl.DataFrame(schema={"user_id": pl.Int64, "x": pl.Int64})),
}  # fmt: skip


@pytest.fixture
def refuses(
    command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Runs a command that must be refused; gives its sentences, with nothing left behind."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(cache))

    def run(name: str, path: object, *options: object) -> list[str]:
        places = {"DATA": path, "RUN": tmp_path / "run"}
        words = [places.get(str(word), word) for word in COMMANDS[name]]
        ended = command(*words, *options)
        assert ended.code == 2, ended
        assert "Traceback" not in ended.err
        assert not (tmp_path / "run").exists()
        assert not cache.is_dir() or {p.suffix for p in cache.iterdir()} <= {".lock"}
        return list(ended.err.splitlines())

    return run


@pytest.mark.parametrize(
    ("case", "name"), [(case, name) for case, bad in BAD.items() for name in bad.commands]
)
def test_a_table_that_cannot_be_used(
    case: str, name: str, refuses: Callable[..., list[str]], tmp_path: Path
) -> None:
    """One sentence a fault, each with its place and value; exit code 2; nothing half-written."""
    sentences = refuses(name, *BAD[case].arguments(tmp_path))
    assert len(sentences) == len(BAD[case].said), sentences
    for sentence, said in zip(sentences, BAD[case].said, strict=True):
        assert sentence.startswith("Error: ")
        assert said in sentence


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_empty_file_among_parts(
    ending: str, name: str, refuses: Callable[..., list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    frame, _ = synthetic_frame(ROWS, seed=0)
    plain = frame.select("click", "page")
    (plain.write_csv if ending == "csv" else plain.write_parquet)(folder / f"a.{ending}")
    (folder / f"b.{ending}").touch()
    assert refuses(name, folder, *LABEL) == [f"Error: {folder / f'b.{ending}'} is empty."]


@pytest.mark.parametrize("name", STORED)
def test_a_cache_that_cannot_be_written(
    name: str, refuses: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where the folder should be; root may write where rights forbid it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(tmp_path / "file" / "cache"))
    table = written(tmp_path)
    pl.read_parquet(table).select("click", "page").write_csv(tmp_path / "t.csv")
    for path in (table, tmp_path / "t.csv"):
        (sentence,) = refuses(name, path, *LABEL)
        assert sentence.startswith("Error: the encoded data cannot be written to ")
        assert "name another cache folder" in sentence


@pytest.mark.parametrize("transform", ["standard", "log", "quantile", "bucket"])
def test_a_number_that_is_null_throughout_can_be_trained_on(
    transform: str, command: Callable[..., Any], tmp_path: Path, own_cache: None
) -> None:
    """So can a history that is empty throughout."""
    history = pl.lit([], dtype=LISTS)
    table = written(tmp_path, price=pl.lit(None, dtype=pl.Float64), history_item_id=history)
    schema = tmp_path / "s.yaml"
    schema.write_text(
        PAGE + f"  price: {{kind: numeric, transform: {transform}}}\n"
        "  item_id: {kind: categorical}\n  history_item_id: {kind: history, of: item_id}\n"
    )
    ended = command("train", "lr", table, "--schema", schema)
    assert ended.code == 0, ended
