"""From a table to batches, by way of the store."""

from __future__ import annotations

import dataclasses
import datetime
import json
import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from automlrank.data.dataset import Dataset
from automlrank.data.labels import not_happened
from automlrank.data.synthetic import synthetic_frame, synthetic_schema
from automlrank.errors import DataError, SchemaError
from automlrank.schema import (
    CategoricalFeature,
    HistoryFeature,
    NumericFeature,
    Schema,
    Split,
    Task,
)

torch.set_num_threads(1)
ROWS = 500
LISTS = [
    *("multi:tags", "history:history_item_id", "history:history_category"),
    *("age:clicks", "session:clicks"),
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    frame, schema = synthetic_frame(ROWS)
    return Dataset.open(frame, schema, cache=tmp_path_factory.mktemp("cache"))


def small(**columns) -> pl.DataFrame:
    return pl.DataFrame({"x": range(100), "y": [0, 1] * 50, **columns})


def test_synthetic_tables_are_repeatable_and_have_signal():
    """Equal seeds, equal tables; the clicks of a user or an item are not all alike."""
    frame, schema = synthetic_frame(4000, seed=3)
    assert frame.equals(synthetic_frame(4000, seed=3)[0])
    assert not frame.equals(synthetic_frame(4000, seed=4)[0])
    assert schema == synthetic_schema()
    rates = frame.group_by("user_id").agg(pl.col("click").mean())["click"]
    assert rates.std() > 0.1


def test_a_batch_has_the_declared_keys_types_and_shapes(dataset):
    """The layout that models and exported code rely on."""
    batch = dataset.take("train", np.arange(7))
    assert {key: (tuple(value.shape), value.dtype) for key, value in batch.items()
            if key not in LISTS} == {
        "ids:request": ((7, 2), torch.int32), "numbers:request": ((7, 1), torch.float32),
        "ids:item": ((7, 2), torch.int32), "numbers:item": ((7, 1), torch.float32),
        "statistics:request": ((7, 3), torch.float32), "statistics:item": ((7, 6), torch.float32),
        "labels": ((7, 2), torch.float32)}  # fmt: skip
    assert all(batch[key].dtype == torch.int32 and batch[key].shape[0] == 7 for key in LISTS)
    assert batch[LISTS[1]].shape == batch[LISTS[2]].shape


def test_batches_in_order_hold_every_row_once(dataset):
    """The last batch is short; labels come in the split's order."""
    batches = list(dataset.batches("train", 64))
    assert [len(batch["labels"]) for batch in batches] == [64] * 4 + [44]
    labels = torch.cat([batch["labels"] for batch in batches]).numpy()
    np.testing.assert_array_equal(labels, dataset.labels("train"))


def test_a_seed_shuffles_the_rows_and_only_it(dataset):
    """Same seed, same order; another seed, another; the same rows in all."""

    def prices(seed):
        return torch.cat([b["numbers:item"] for b in dataset.batches("train", 50, seed=seed)])

    assert torch.equal(prices(1), prices(1))
    assert not torch.equal(prices(1), prices(2))
    assert torch.equal(prices(1).sort(0).values, prices(None).sort(0).values)


def test_a_batch_row_equals_the_row_taken_alone(dataset):
    """A gather mixes nothing up; lists differ in padding only."""
    rows = np.array([5, 299, 0, 5])
    together = dataset.take("train", rows)
    for i, row in enumerate(rows):
        for key, value in dataset.take("train", np.array([row])).items():
            width = value.shape[1]
            torch.testing.assert_close(together[key][i : i + 1, :width], value, equal_nan=True)
            assert key not in LISTS or not together[key][i, width:].any()


def test_a_request_has_one_row_of_the_user_and_many_items(dataset):
    """Request columns of the row ``index``, items from there on, starting over at the end."""
    last = dataset.rows["test"] - 1
    request = dataset.request("test", 3, index=last)
    items = dataset.take("test", np.array([last, 0, 1]))
    assert torch.equal(request["ids:request"], items["ids:request"][:1])
    assert torch.equal(request["ids:item"], items["ids:item"])
    assert torch.equal(request["multi:tags"], items["multi:tags"])
    assert request["history:history_item_id"].shape[0] == 1
    assert "labels" not in request
    assert dataset.request("test", 300)["ids:item"].shape[0] == 300


def test_vocabularies_and_scales_come_from_training_rows(tmp_path):
    """A value that only later rows have is out of vocabulary; their numbers move no mean."""
    frame = small(n=[0.0, 1.0] * 40 + [99.0] * 20, s=["train"] * 80 + ["valid", "test"] * 10)
    schema = {"tasks": {"y": None}, "split": {"by": "column", "column": "s"},
              "features": {"x": {"kind": "categorical"}, "n": {"kind": "numeric"}}}  # fmt: skip
    dataset = Dataset.open(frame, schema, cache=tmp_path)
    assert dataset.encoder.sizes == {"x": 83}
    assert dataset.schema.feature("x").size == 83
    assert set(dataset.take("test", np.arange(10))["ids:item"].flatten().tolist()) == {2}
    numbers = dataset.take("train", np.arange(80))["numbers:item"]
    assert numbers.mean().item() == pytest.approx(0, abs=1e-6)


def test_rates_groups_and_weights(tmp_path):
    """Rates per split and task; equal groups have equal codes in all splits; weights as given."""
    frame = small(w=[0.5] * 100, g=["a", "b", "a", "c"] * 25, z=[None, 1.0, 0.0, 1.0] * 25)
    schema = Schema((Task("y"), Task("z")), (CategoricalFeature("x"),), group="g", weight="w")
    dataset = Dataset.open(frame, schema, cache=tmp_path)
    assert dataset.rows == {"train": 80, "valid": 10, "test": 10}
    labels = dataset.labels("train")
    assert dataset.label_rates["train"] == pytest.approx(
        {"y": labels[:, 0].mean(), "z": np.nanmean(labels[:, 1])}
    )
    assert np.isnan(labels[:, 1]).any()
    codes = np.concatenate([dataset.groups(split) for split in dataset.rows])
    assert np.bincount(codes).tolist() == [0, 50, 25, 25]
    assert dataset.take("valid", np.arange(2))["weight"].tolist() == [0.5, 0.5]


def test_a_schema_can_be_inferred_and_is_remembered(tmp_path):
    """Opened again from the store, the reasons are still there."""
    for _ in range(2):
        dataset = Dataset.open(small(z=[0, 1] * 50), label="y", cache=tmp_path)
        assert dataset.inferred.set_aside == ("z",)
        assert dataset.inferred.schema == dataset.schema
        assert dataset.schema.feature("x") == CategoricalFeature("x", size=83)


def test_a_label_goes_first(dataset, tmp_path):
    """``label`` makes one of the schema's tasks the primary one."""
    frame, schema = synthetic_frame(ROWS)
    other = Dataset.open(frame, schema, label="buy", cache=tmp_path)
    assert [task.name for task in other.schema.tasks] == ["buy", "click"]
    np.testing.assert_array_equal(other.labels("test")[:, ::-1], dataset.labels("test"))
    with pytest.raises(SchemaError, match=r"no task 'clik'.*Did you mean 'click'"):
        Dataset.open(frame, schema, label="clik", cache=tmp_path)


def test_a_store_is_reused_wherever_the_file_lies(tmp_path):
    """Same content and schema: the folder is not written again."""
    for name in ("a", "b"):
        small().write_parquet(tmp_path / f"{name}.parquet")
    first, second = (Dataset.open(tmp_path / f"{name}.parquet", label="y", cache=tmp_path / "c")
                     for name in ("a", "b"))  # fmt: skip
    assert first.folder == second.folder
    assert first.fingerprint == second.fingerprint
    assert (first.name, second.name) == ("a", "b")
    manifest = first.folder / "manifest.json"
    written = manifest.stat().st_mtime_ns
    Dataset.open(tmp_path / "a.parquet", label="y", cache=tmp_path / "c")
    assert manifest.stat().st_mtime_ns == written


def test_a_schema_with_dates_is_stored(tmp_path):
    """YAML reads 2022-05-03 as a date; the store's manifest is JSON."""
    days = [datetime.date(2022, 5, 1 + i // 20) for i in range(100)]
    split = Split("time", "d", valid_from=days[60], test_from=days[80])
    schema = Schema((Task("y"),), (CategoricalFeature("x"),), split=split)
    dataset = Dataset.open(small(d=days), schema, cache=tmp_path)
    assert dataset.rows == {"train": 60, "valid": 20, "test": 20}


def test_another_schema_or_order_of_columns_is_another_store(tmp_path):
    """Whatever changes the arrays changes the fingerprint."""
    features = CategoricalFeature("x"), NumericFeature("n")
    schemas = [Schema((Task("y"),), f) for f in (features, features[:1], features[::-1])]
    frame = small(n=np.arange(100.0))
    prints = {Dataset.open(frame, schema, cache=tmp_path).fingerprint for schema in schemas}
    assert len(prints) == 3


@pytest.mark.parametrize(
    "damage", ["missing", "short", "manifest", "partial", "encoder", "file", "link", "partial link"]
)
def test_a_damaged_store_is_built_again(tmp_path, damage):
    """A file that is missing or cut, a broken manifest, the remains of a killed build, or none."""
    first = Dataset.open(small(), label="y", cache=tmp_path)
    labels = first.labels("train").copy()
    folder = first.folder
    match damage:
        case "missing":
            (folder / "0.npy").unlink()
        case "short":
            (folder / "1.npy").write_bytes((folder / "1.npy").read_bytes()[:-8])
        case "manifest":
            (folder / "manifest.json").write_text("{")
        case "encoder":
            (folder / "encoder.json").unlink()
        case "partial":
            shutil.move(folder, f"{folder}.partial")
            (folder.with_name(folder.name + ".partial") / "manifest.json").unlink()
        case "file":
            shutil.rmtree(folder)
            folder.write_text("mine")
        case "link":
            shutil.rmtree(folder)
            folder.symlink_to(tmp_path / "nowhere")
        case "partial link":
            shutil.rmtree(folder)
            Path(f"{folder}.partial").symlink_to(tmp_path / "nowhere")
    again = Dataset.open(small(), label="y", cache=tmp_path)
    np.testing.assert_array_equal(again.labels("train"), labels)
    assert json.loads((folder / "manifest.json").read_text())
    assert not list(tmp_path.glob("*.partial"))


def zeros(path):
    path.write_bytes(bytes(path.stat().st_size))


def beyond(path):
    """Ids that no vocabulary has, in a file that NumPy reads."""
    np.save(path, np.full_like(np.load(path), 10**6))


def without_splits(path):
    manifest = json.loads(path.read_text())
    del manifest["splits"]
    path.write_text(json.dumps(manifest))


def another_format(path):
    path.write_text(path.read_text().replace('"format": ', '"format": 9'))


DAMAGES = {
    "an array of zeros": ("ids:item", zeros),
    "ids beyond the vocabulary": ("ids:item", beyond),
    "an encoder of zeros": ("encoder.json", zeros),
    "vocabularies of zeros": ("vocabularies.parquet", zeros),
    "raw rows of zeros": ("rows.parquet", zeros),
    "a manifest of zeros": ("manifest.json", zeros),
    "a list as manifest": ("manifest.json", lambda path: path.write_text("[]")),
    "null as manifest": ("manifest.json", lambda path: path.write_text("null")),
    "a manifest without splits": ("manifest.json", without_splits),
    "a manifest of another format": ("manifest.json", another_format),
    "another number in the manifest": (
        "manifest.json", lambda path: path.write_text(path.read_text().replace("60", "61", 1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_what_a_power_cut_leaves_is_encoded_again(tmp_path, name):
    """Files of the right size too; a note says so once, and a run's worker is told what to do."""
    first = Dataset.open(small(), label="y", cache=tmp_path)
    arrays = {key: np.array(first.store.splits["train"][key]) for key in ("ids:item", "labels")}
    file, damage = DAMAGES[name]
    files = json.loads((first.folder / "manifest.json").read_text())["splits"]["train"]
    file = files[file][0] if file in files else file
    damage(first.folder / file)
    with pytest.raises(DataError, match=f"{file}.*--resume, which encodes the table again"):
        Dataset.load(first.folder, "small")
    again = Dataset.open(small(), label="y", cache=tmp_path)
    assert again.folder == first.folder
    for key, array in arrays.items():
        np.testing.assert_array_equal(again.store.splits["train"][key], array)
    (note,) = again.notes
    assert str(first.folder / file) in note
    assert note.endswith("the table is encoded again.")
    assert Dataset.open(small(), label="y", cache=tmp_path).notes == ()
    assert Dataset.load(first.folder, "small").rows == first.rows


def _open(path, cache, barrier, queue):
    barrier.wait()
    dataset = Dataset.open(path, label="y", cache=cache)
    queue.put(
        (str(dataset.folder), dataset.folder.stat().st_ino, float(dataset.labels("train").sum()))
    )


def test_two_processes_at_once_build_one_store(tmp_path):
    """The second waits for the first, and reads what it wrote: the folder is the same one."""
    small().write_parquet(tmp_path / "a.parquet")
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(2), context.Queue()
    arguments = (tmp_path / "a.parquet", tmp_path / "c", barrier, queue)
    processes = [context.Process(target=_open, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    first, second = queue.get(timeout=600), queue.get(timeout=600)
    for process in processes:
        process.join()
    assert first == second
    assert len([path for path in (tmp_path / "c").iterdir() if path.is_dir()]) == 1


def test_a_mistake_leaves_nothing_behind(tmp_path):
    """No store and no part of one."""
    with pytest.raises(DataError):
        Dataset.open(small().with_columns(y=pl.lit(1)), label="y", cache=tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_csv_and_parquet_are_encoded_alike(tmp_path):
    """Whatever types the file gives: ids, numbers and labels are equal."""
    frame = pl.DataFrame({
        "y": [True, False] * 50, "f": [1.0, 2.0, None, 3.0] * 25, "n": np.linspace(0, 1, 100),
        "t": ["a", "", "7", "08"] * 25, "i": pl.Series([3, 1, 2, 9] * 25, dtype=pl.Int8),
        "m": ["1,2", "3", None, "2"] * 25})  # fmt: skip
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    schema = {"tasks": {"y": {}}, "features": {
        **{name: {"kind": "categorical"} for name in "fti"}, "n": {"kind": "numeric"},
        "m": {"kind": "multi", "separator": ","}}}  # fmt: skip
    batches = [Dataset.open(tmp_path / f"a.{ending}", schema, cache=tmp_path).take(
        "train", np.arange(80)) for ending in ("csv", "parquet")]  # fmt: skip
    for key in batches[0]:
        torch.testing.assert_close(batches[0][key], batches[1][key])


def test_columns_may_have_any_name(tmp_path):
    """Names are data: they never become file names."""
    name = "../a/b:c\n<x>"
    frame = pl.DataFrame({"y": [0, 1] * 50, name: [["a"], ["b"]] * 50})
    dataset = Dataset.open(frame, label="y", cache=tmp_path / "c")
    assert dataset.take("train", np.arange(3))[f"multi:{name}"].shape == (3, 1)
    assert {path.name for path in tmp_path.iterdir()} == {"c"}


def test_the_cache_folder_is_the_environments(tmp_path, monkeypatch):
    """``AUTOMLRANK_CACHE`` stands in for the home folder's."""
    monkeypatch.setenv("AUTOMLRANK_CACHE", str(tmp_path / "here"))
    assert Dataset.open(small(), label="y").folder.parent == tmp_path / "here"


def test_the_sample_opens_by_its_name(tmp_path):
    """With its own schema and split by time."""
    dataset = Dataset.open("kuairand", cache=tmp_path)
    assert dataset.rows == {"train": 35_000, "valid": 7_500, "test": 7_500}
    assert [task.name for task in dataset.schema.tasks] == ["is_click"]
    assert "history:history_tag" in dataset.request("valid", 10)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1] * 100, "constant on the training rows: always 1"),
        ([0, None] * 50, "null in 50 of 100"),
        ([None] * 100, "null in 100 of 100"),
        ([0, 1, 2, 5] * 25, r"a binary label must be 0 or 1, but holds 2, 5\."),
    ],
)
def test_bad_labels(tmp_path, labels, message):
    """One sentence with the task's name."""
    frame = small().with_columns(y=pl.Series(labels, dtype=pl.Int64))
    with pytest.raises(DataError, match=f"tasks.y: .*{message}"):
        Dataset.open(frame, Schema((Task("y"),)), cache=tmp_path)


def test_a_label_alone_of_many_values_is_a_regression(tmp_path):
    """Whatever the schema then says, the store has it, and so has whoever opens it again."""
    frame = small().with_columns(y=pl.Series([0, 1, 2, 5] * 25))
    for _ in range(2):
        dataset = Dataset.open(frame, label="y", cache=tmp_path)
        assert dataset.schema.tasks == (Task("y", "regression"),)


def test_a_regression_label_may_be_any_number(tmp_path):
    """Only binary tasks are held to 0 and 1."""
    schema = Schema((Task("n", kind="regression"),), (CategoricalFeature("x"),))
    dataset = Dataset.open(small(n=np.linspace(0, 9, 100)), schema, cache=tmp_path)
    assert dataset.labels("train").max() > 5


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n": [1.0, float("inf")] * 50}, "row 2: column 'n' must be finite, but is inf"),
        ({"w": [1.0, -1.0] * 50}, "'w' has -1.0 in row 2"),
        ({"w": [1.0, None] * 50}, "'w' has nan in row 2"),
        ({"h": [[1], [1, 2]] * 50}, r"row 2: .*'g' and 'h' .* have 1 and 2"),
    ],
)
def test_bad_values(tmp_path, columns, message):
    """The column and the row are named."""
    frame = small(
        **{"n": [0.5] * 100, "w": [1.0] * 100, "g": [[1]] * 100, "h": [[1]] * 100} | columns
    )
    histories = (HistoryFeature(name, "x", "s") for name in "gh")
    schema = Schema(
        (Task("y"),), (CategoricalFeature("x"), NumericFeature("n"), *histories), weight="w"
    )
    with pytest.raises(DataError, match=message):
        Dataset.open(frame, schema, cache=tmp_path)


def test_bad_uses(dataset, tmp_path):
    """No label, no such column, no such split, no rows in a batch, a cache that is a file."""
    with pytest.raises(SchemaError, match=r"neither a label nor a schema.*0 and 1: y"):
        Dataset.open(small(), cache=tmp_path)
    with pytest.raises(SchemaError, match=r"no column 'yy'. Did you mean 'y'"):
        Dataset.open(small(), label="yy", cache=tmp_path)
    with pytest.raises(ValueError, match=r"no split 'tst'. Did you mean 'test'"):
        dataset.take("tst", np.arange(1))
    with pytest.raises(ValueError, match="batch_size must be 1 or more"):
        next(dataset.batches("train", 0))
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written to"):
        Dataset.open(small(), label="y", cache=tmp_path / "file")


def test_a_dataset_is_a_value_that_cannot_be_changed(dataset):
    """Whoever shares one cannot spoil it: attributes are frozen, arrays are read-only."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        dataset.labels("train")[0] = 1


def test_a_last_training_batch_of_one_row_is_left_out(dataset: Dataset) -> None:
    """Batch norm has no statistics of one row; in order, for evaluation, every row counts."""
    rows = dataset.rows["train"]
    size = next(n for n in range(2, rows) if rows % n == 1)
    shuffled = [len(batch["labels"]) for batch in dataset.batches("train", size, seed=0)]
    in_order = [len(batch["labels"]) for batch in dataset.batches("train", size)]
    assert (sum(shuffled), min(shuffled)) == (rows - 1, size)
    assert sum(in_order) == rows


def test_a_table_without_any_feature_is_refused_with_the_reasons() -> None:
    frame = pl.DataFrame({"y": [0, 1] * 50, "x": [7] * 100})
    with pytest.raises(SchemaError, match=r"no column that can be a feature.*x: left out"):
        Dataset.open(frame, label="y")


def test_a_part_of_a_split_is_drawn_by_its_seed_and_keeps_its_order(dataset):
    """The other splits stay whole; a part of a part holds rows of it."""
    part = dataset.part_of("valid", 20, seed=1)
    assert part.rows == {**dataset.rows, "valid": 20}
    assert np.array_equal(part.part["valid"], dataset.part_of("valid", 20, seed=1).part["valid"])
    assert (np.diff(part.part["valid"]) > 0).all()
    smaller = part.part_of("valid", 5, seed=2)
    assert np.isin(smaller.part["valid"], part.part["valid"]).all()
    assert np.array_equal(smaller.labels("valid"), dataset.labels("valid")[smaller.part["valid"]])
    batches = torch.cat([batch["labels"] for batch in part.batches("valid", 8)])
    assert np.array_equal(batches.numpy(), part.labels("valid"), equal_nan=True)
    assert dataset.part_of("valid", 10**9) is dataset


def test_whole_groups_stay_whole(dataset):
    part = dataset.part_of("train", 60, seed=0, whole_groups=True)
    groups, kept = dataset.groups("train"), part.groups("train")
    assert 60 <= len(kept) < 60 + np.unique(groups, return_counts=True)[1].max()
    assert np.isin(groups, kept).sum() == len(kept)


def test_null_after_a_parent_that_did_not_happen_is_zero_and_any_other_null_stays() -> None:
    """Task 1 is of task 0, task 2 of task 1, null all the way; task 3 of 0 is not known once."""
    nan = np.nan
    labels = np.array([[0, nan, nan, nan], [1, 0, nan, nan], [1, 1, 1, 1], [0, nan, nan, 0]])
    found = not_happened(labels, (-1, 0, 1, 0))
    np.testing.assert_array_equal(found[:, :3], [[0, 0, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(found[:, 3], labels[:, 3])
