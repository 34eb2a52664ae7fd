"""Knowledge distillation: what boosted trees say of rows that they have not seen."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import polars as pl
import pytest
import torch
from test_loop import read

from automlrank.architecture import Architecture
from automlrank.blocks import BLOCKS
from automlrank.blocks.ports import Labels
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.data.values import Array
from automlrank.documents import parse_document
from automlrank.errors import SpaceError, TrialError, UsageError
from automlrank.measurement.metrics import auc
from automlrank.model.network import build_model
from automlrank.runs.stop_reasons import TimeIsUp
from automlrank.schema import CategoricalFeature, Schema, Task
from automlrank.space.shipped import left_out, space_for
from automlrank.space.space import Space
from automlrank.training.device_batches import DeviceBatches
from automlrank.training.loop import fit
from automlrank.training.trees import distillation
from automlrank.training.trees.distillation import (
    FOLDS,
    check_teacher,
    is_taught,
    kept_at,
    out_of_fold,
    soft_labels,
    softened,
    taught,
)
from automlrank.training.trees.features import flat_of
from automlrank.training.trees.params import installed, labelled


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two tasks, neither of which needs the other to have happened."""
    frame, schema = synthetic_frame(3000, seed=0)
    tasks = tuple(dataclasses.replace(task, of=None) for task in schema.tasks)
    cache = tmp_path_factory.mktemp("cache")
    return Dataset.open(frame, dataclasses.replace(schema, tasks=tasks), cache=cache)


@pytest.mark.parametrize("name", [name for name in BLOCKS.of("loss") if BLOCKS[name].soft])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_soft_label_is_both_losses_by_their_shares(name: str, share: float) -> None:
    """Up to what no logit moves: the squared error of a probability by its own variance."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=(50, 1)).astype(np.float32)
    q = rng.random((50, 1), dtype=np.float32)
    loss = BLOCKS[name]().build(Labels((-1,), (0.5,), (None,), (1.0,)))

    def gradient(labels: Array) -> torch.Tensor:
        logits = torch.linspace(-3, 3, 50)[:, None].requires_grad_()
        loss(logits, torch.from_numpy(labels), None).sum().backward()
        assert logits.grad is not None
        return logits.grad

    both = (1 - share) * gradient(y) + share * gradient(q)
    assert (gradient(softened(y, q, share)) - both).abs().max() < 1e-8


def test_without_rates_no_row_hears_its_own_label(free: Dataset) -> None:
    """Were the labels of a fold others, what is said of its rows would be the same to the bit."""
    flat = flat_of(free.schema, free.encoder, with_rates=False)
    train, valid = (labelled(free, split, flat) for split in ("train", "valid"))
    kinds = ["binary", "binary"]
    before = out_of_fold(train, valid, kinds, flat.categories)
    folds = np.random.default_rng(distillation.FOLD_SEED).integers(FOLDS, size=len(before))
    own = folds == 2
    labels = train.labels.copy()
    labels[own] = 1 - labels[own]
    other = dataclasses.replace(train, labels=labels)
    after = out_of_fold(other, valid, kinds, flat.categories)
    np.testing.assert_array_equal(before[own], after[own])
    assert (before[~own] != after[~own]).mean() > 0.9


def test_it_speaks_of_the_table_and_hardly_of_the_row() -> None:
    """Ids without any signal, five rows each: trees that saw the rows would give labels back; the
    rates of the other folds' rows count them."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"id": rng.integers(400, size=2000), "y": rng.integers(2, size=2000)})
    data = Dataset.open(frame, Schema((Task("y"),), (CategoricalFeature("id"),)))
    assert auc(data.labels("train")[:, 0], taught(data)[:, 0]) < 0.55


def test_it_is_a_probability_that_ranks_and_a_value_of_a_regression_task(free: Dataset) -> None:
    said, labels = taught(free), free.labels("train")
    assert auc(labels[:, 0], said[:, 0]) > 0.65
    assert said.mean(axis=0) == pytest.approx(np.nanmean(labels, axis=0), abs=0.02)
    frame, schema = synthetic_frame(2000, seed=0)
    frame = frame.with_columns(stay=200 + 90 * pl.col("price").log())
    tasks = (Task("stay", "regression"),)
    data = Dataset.open(frame, dataclasses.replace(schema, tasks=tasks, statistics=None))
    assert np.corrcoef(taught(data)[:, 0], data.labels("train")[:, 0])[0, 1] > 0.9


def test_an_unknown_label_stays_unknown_and_teaches_nobody(free: Dataset) -> None:
    labels = np.array([[1.0, np.nan], [0.0, 1.0]], np.float32)
    soft = softened(labels, np.full((2, 2), 0.5, np.float32), 0.5)
    np.testing.assert_array_equal(soft, [[0.75, np.nan], [0.25, 0.75]])
    flat = flat_of(free.schema, free.encoder, with_rates=False)
    train, valid = (labelled(free, split, flat) for split in ("train", "valid"))
    unknown = train.labels.copy()
    unknown[::2, 1] = np.nan
    partly = dataclasses.replace(train, labels=unknown)
    assert np.isfinite(out_of_fold(partly, valid, ["binary"] * 2, flat.categories)).all()
    blind = dataclasses.replace(valid, labels=np.full_like(valid.labels, np.nan))
    assert np.isfinite(out_of_fold(partly, blind, ["binary"] * 2, flat.categories)).all()


def test_it_is_trained_once_for_the_same_rows(
    free: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = taught(free)
    with monkeypatch.context() as patch:
        patch.setattr(distillation, "out_of_fold", None)
        np.testing.assert_array_equal(taught(free), first)
        with pytest.raises(TypeError):
            taught(free.sample(1000))
    part = free.sample(1000)
    assert taught(part).shape == (part.rows["train"], 2)


def test_damaged_answers_are_made_anew_and_a_full_disk_keeps_none(
    free: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, path = taught(free), kept_at(free)
    for damaged in (b"", path.read_bytes()[:200]):
        path.write_bytes(damaged)
        assert not is_taught(free)
        np.testing.assert_array_equal(taught(free), first)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    path.unlink()
    before = sorted(free.folder.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        np.testing.assert_array_equal(taught(free), first)
    assert sorted(free.folder.iterdir()) == before
    taught(free)


def test_who_watches_may_end_it(free: Dataset) -> None:
    def too_late() -> None:
        raise TimeIsUp

    with pytest.raises(TimeIsUp):
        taught(free.sample(900), too_late)


def test_a_task_of_too_few_labels_for_a_leaf_has_their_mean(free: Dataset) -> None:
    flat = flat_of(free.schema, free.encoder, with_rates=False)
    train, valid = (labelled(free, split, flat) for split in ("train", "valid"))
    rare = np.full_like(train.labels, np.nan)
    rare[0], rare[1] = 1.0, 0.0
    alone = dataclasses.replace(train, labels=rare)
    said = out_of_fold(alone, valid, ["binary"] * 2, flat.categories)
    np.testing.assert_array_equal(said, np.full_like(said, 0.5))


def test_training_rows_teach_soft_labels_and_are_judged_by_their_own(free: Dataset) -> None:
    soft = soft_labels(free, 0.8)
    assert soft is not None
    feed = DeviceBatches(free, "train", "cpu", labels=soft)
    rows = np.array([7, 3])
    np.testing.assert_array_equal(feed.taken(rows)["labels"], soft[rows])
    assert set(np.unique(free.take("train", rows)["labels"])) <= {0.0, 1.0}
    losses = [_loss(free, setting) for setting in ("distillation: 0.0", "distillation: 1.0")]
    assert losses[0] != losses[1]
    assert read("distillation: 1.0").summary == f"{read('').summary} · distilled"
    assert soft_labels(free, 0.0) is None


def _loss(data: Dataset, setting: str) -> float:
    architecture = read(f"{setting}, epochs: 1, batch_size: 500")
    *_, last = fit(build_model(architecture, data.schema, 0), architecture, data, seed=0)
    return last.loss


REFUSED = {
    "loss: focal, training: {distillation: 0.5}": "focal cannot be combined with `distillation`",
    "balance: uncertainty, training: {distillation: 0.5}": "uncertainty cannot be combined with",
    "training: {distillation: 0.5, negatives: 0.5}": "`negatives` cannot be combined",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_needs_the_labels_themselves_is_refused(free: Dataset, text: str) -> None:
    """In an architecture, and in a space before a draw has it."""
    data = parse_document(f"{{architecture: a, interaction: mlp, tasks: mmoe, {text}}}").data
    with pytest.raises(SpaceError, match=REFUSED[text]):
        build_model(Architecture.read(data), free.schema)  # type: ignore[arg-type]
    wider = text.replace("loss: focal", "loss: {choose: [bce, focal]}")
    wider = wider.replace("distillation: 0.5", "distillation: [0.0, 0.5]")
    with pytest.raises(SpaceError, match=REFUSED[text]):
        Space.read(parse_document(f"{{name: a, interaction: mlp, {wider}}}").data)  # type: ignore[arg-type]


def test_a_task_after_another_is_refused_and_left_out_of_a_shipped_space() -> None:
    data = Dataset.open(*synthetic_frame(2000, seed=0))
    assert any(task.of for task in data.schema.tasks)
    with pytest.raises(
        SpaceError, match=r"training.distillation: `distillation` cannot be used with"
    ):
        build_model(read("distillation: 0.5"), data.schema)
    space = Space.read({"name": "x", "interaction": "linear", "training": {"distillation": 0.5}})
    with pytest.raises(SpaceError, match="training: `distillation` cannot be used with a task"):
        space_for(data.schema, space, trees=True)
    assert not space_for(data.schema, "ctr", trees=True).distils


def test_without_lightgbm_a_shipped_space_leaves_it_out_and_others_say_what_to_do(
    free: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert space_for(free.schema, "ctr", trees=installed()).distils
    assert "distillation" not in left_out(space_for(free.schema, "ctr", trees=installed()), "ctr")
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # as if it could not be imported
    space = space_for(free.schema, "ctr", trees=installed())
    assert not space.distils
    assert "distillation" in left_out(space, "ctr")
    check_teacher(free, needed=True)  # kept
    part = free.sample(777)
    with pytest.raises(UsageError, match=r"not installed.*pip install 'automlrank\[lightgbm\]'"):
        check_teacher(part, needed=True)
    with pytest.raises(TrialError, match="not installed"):
        taught(part)
