"""Batches on a device: the same rows in the same order, wherever they lie."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from test_loop import read

from automlrank.data.dataset import Batch, Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.measurement.metrics import AUC
from automlrank.model.network import build_model
from automlrank.training.device_batches import DeviceBatches, ahead, resident_rows
from automlrank.training.loop import fit, score

NO_GPU = "no GPU"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A table without lists."""
    frame, schema = synthetic_frame(1000, seed=0)
    kept = tuple(f for f in schema.features if f.kind in ("categorical", "numeric"))
    folder: Path = tmp_path_factory.mktemp("store")
    return Dataset.open(frame, dataclasses.replace(schema, features=kept), cache=folder)


def same(ours: list[Batch], theirs: list[Batch]) -> bool:
    return len(ours) == len(theirs) and all(
        a.keys() == b.keys()
        and all(torch.equal(a[k].nan_to_num(-9), b[k].nan_to_num(-9)) for k in a)
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("sampled", [False, True])
def test_rows_that_lie_on_the_device_make_the_same_batches(plain: Dataset, sampled: bool) -> None:
    """Shuffled, in order, of a sample: the gather needs no GPU to be tried."""
    data = plain.part_of("train", 300, seed=1) if sampled else plain
    feed = DeviceBatches(data, "train", "cpu")
    feed.resident = resident_rows(data, "train", "cpu")
    assert feed.resident is not None
    for seed in (None, 3):
        expected = list(data.batches("train", 128, seed=seed))
        assert same(list(feed.batches(128, seed=seed)), expected)
        assert same(list(ahead(iter(expected), "cpu")), expected)


def test_lists_do_not_lie_on_the_device(dataset: Dataset) -> None:
    """Padded to the longest of all rows, they would take more than they do on disk."""
    assert resident_rows(dataset, "train", "cpu") is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize("lists", [False, True])
def test_a_gpu_learns_what_the_processor_learns(
    plain: Dataset, dataset: Dataset, lists: bool
) -> None:
    data = dataset if lists else plain
    architecture = read("batch_size: 256, learning_rate: 0.02, bf16: false, epochs: 2")
    scores = []
    for device in ("cpu", "cuda"):
        model = build_model(architecture, data.schema, 0)
        for _ in fit(model, architecture, data, seed=0, device=device):
            pass
        scores.append(score(model, data, "valid", AUC, device)["click"])
        batch = next(DeviceBatches(data, "train", device).batches(64))
        assert {tensor.device.type for tensor in batch.values()} == {device}
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_a_step_on_a_gpu_does_not_wait_for_it(plain: Dataset) -> None:
    """Torch raises at a synchronisation; reports alone may ask for the loss."""
    from automlrank.training.trainer import make_trainer

    architecture = read("batch_size: 256, bf16: false")
    model = build_model(architecture, plain.schema, 0).to("cuda")
    trainer = make_trainer(model, architecture, plain.schema, plain.labels("train"), "cuda")
    batches = DeviceBatches(plain, "train", "cuda").batches(256)
    trainer.step(next(batches))
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer.step(next(batches))
    finally:
        torch.cuda.set_sync_debug_mode("default")
