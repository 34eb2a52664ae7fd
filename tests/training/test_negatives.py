"""Negative down-sampling: which rows an epoch keeps, and that what is served is calibrated."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from test_loop import read

from automlrank.architecture import Architecture
from automlrank.blocks import Bce
from automlrank.blocks.parts.logits import Correction
from automlrank.blocks.ports import Labels
from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.errors import SpaceError
from automlrank.model.network import build_model
from automlrank.schema import Task
from automlrank.space.requirements import needs_met
from automlrank.space.space import Space
from automlrank.training.checkpoint import Checkpoint
from automlrank.training.label_stats import class_shares
from automlrank.training.loop import fit, predict
from automlrank.training.negatives import kept_rows

SETTINGS = "learning_rate: 0.02, batch_size: 128, bf16: false, dropout: 0.2"
LABELS = np.array([[1, 0], [0, 1], [np.nan, 0], [0, 0]] * 250, np.float32)


def test_a_share_of_the_negatives_is_kept_and_every_other_row() -> None:
    """500 negatives, 250 positives, 250 nulls; another task's label decides nothing."""
    kept = kept_rows(LABELS, 0.25, seed=1)
    first = LABELS[kept, 0]
    assert ((first == 0).sum(), (first == 1).sum(), np.isnan(first).sum()) == (125, 250, 250)
    assert (np.diff(kept) > 0).all()
    assert 0 < (LABELS[kept, 1][first == 0] == 1).sum() < 125


def test_the_seed_draws_the_rows() -> None:
    one, again, other = (kept_rows(LABELS, 0.25, seed=seed).tolist() for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert len(kept_rows(LABELS, 1e-4, seed=1)) == 501  # one negative stays
    assert kept_rows(LABELS, 1.0, seed=1).tolist() == list(range(1000))


@pytest.mark.parametrize("w", [0.001, 0.25, 1.0])
def test_the_first_task_is_corrected_by_the_known_formula(w: float) -> None:
    logits = torch.linspace(-6, 6, 50).reshape(25, 2)
    p, q = logits.double().sigmoid(), Correction(2, w)(logits).double().sigmoid()
    expected = p / (p + (1 - p) / w)
    assert (q - expected)[:, 0].abs().max() < 1e-6
    assert (q - p)[:, 1].abs().max() < 1e-6


def test_where_the_loss_is_least_the_rates_of_all_rows_are_served() -> None:
    """One logit a task, learned on what is kept: exact for the first, on the mean for the other."""
    facts = Labels((-1, -1), (0.5, 0.5), (None, None), (1.0, 1.0), negatives=0.25)
    loss, correction, others = Bce().build(facts), Correction(2, 0.25), []
    for seed in range(30):
        labels = torch.from_numpy(LABELS[kept_rows(LABELS, 0.25, seed)])
        raw = torch.zeros(1, 2, requires_grad=True)
        for _ in range(12):  # Newton's steps: the tasks are apart, so the Hessian is a diagonal
            served = correction(raw).expand(len(labels), -1)
            slope = torch.autograd.grad(loss(served, labels, None).sum(), raw, create_graph=True)[0]
            (bend,) = torch.autograd.grad(slope.sum(), raw)
            raw = (raw - slope / bend).detach().requires_grad_()
        first, other = correction(raw)[0].sigmoid().tolist()
        assert first == pytest.approx(1 / 3, abs=1e-5)
        others.append(other)
    assert np.mean(others) == pytest.approx(0.25, abs=0.012)  # 3.5 standard errors


def test_a_prior_is_that_of_the_rows_kept() -> None:
    rows = kept_rows(LABELS, 0.25, seed=1)
    shares = class_shares(LABELS, (), 0.25)
    assert shares[0] == pytest.approx(np.nanmean(LABELS[rows, 0]))
    assert shares[1] == np.mean(LABELS[:, 1])


class Watched(Dataset):
    """A data set that tells the labels of every batch of training rows."""

    def orders(self, split: str, batch_size: int, **settings: Any) -> Iterator[Any]:
        if split == "train":
            TAKEN.append([])
        for rows in super().orders(split, batch_size, **settings):
            if split == "train":
                TAKEN[-1].append(rows)
            yield rows


TAKEN: list[list[Any]] = []


def test_every_epoch_keeps_other_negatives_and_all_positives(dataset: Dataset) -> None:
    TAKEN.clear()
    fields = {f.name: getattr(dataset, f.name) for f in dataclasses.fields(dataset)}
    train(Watched(**fields), read(f"{SETTINGS}, negatives: 0.25, epochs: 2, patience: 2"))
    epochs = [np.sort(np.concatenate(batches)) for batches in TAKEN]
    labels = dataset.labels("train")[:, 0]
    n, p = int((labels == 0).sum()), int((labels == 1).sum())
    assert [len(rows) for rows in epochs] == [p + round(n / 4)] * 2
    assert all(labels[rows].sum() == p for rows in epochs)
    assert not np.array_equal(*epochs)


def test_an_epoch_of_fewer_rows_is_reported_by_its_own_quarters(dataset: Dataset) -> None:
    model, architecture = made(dataset, read("batch_size: 100, negatives: 0.25, epochs: 1"))
    steps = list(fit(model, architecture, dataset, seed=0))
    rows = steps[-1].epoch_rows
    assert rows is not None
    assert rows < dataset.rows["train"]
    assert steps[-1].rows == rows
    assert len([s for s in steps if s.rows >= rows // 4]) == 5  # four quarters and the end


def made(data: Dataset, architecture: Architecture) -> tuple[Any, Architecture]:
    return build_model(architecture, data.schema, 0), architecture


def train(data: Dataset, architecture: Architecture, **settings: Any) -> Any:
    model, _ = made(data, architecture)
    for _ in fit(model, architecture, data, seed=0, **settings):
        pass
    return model


@pytest.fixture(scope="module")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """12,000 rows; the primary task is positive on one in nine, as is another not tied to it."""
    frame, schema = synthetic_frame(12_000, seed=2)
    rng = np.random.default_rng(0)
    like = (rng.random(frame.height) < 0.05 + 0.2 * frame["buy"].to_numpy()).astype(np.int8)
    tasks = (Task("buy"), Task("like"), Task("both", of="like"))
    frame = frame.with_columns(like=like, both=like * frame["click"].to_numpy())
    schema = dataclasses.replace(schema, tasks=tasks, statistics=None)
    return Dataset.open(frame, schema, cache=tmp_path_factory.mktemp("rare"))


@pytest.mark.parametrize(
    ("loss", "bf16"),
    [
        *(("bce", "true"), ("esmm", "false")),
        pytest.param("bce", "false", marks=pytest.mark.slow),
        pytest.param("esmm", "true", marks=pytest.mark.slow),
    ],
)
def test_what_is_served_is_as_calibrated_as_without(rare: Dataset, loss: str, bf16: str) -> None:
    """Each task's mean prediction over the training rows is its rate, but for some noise.

    Three seeds, a rate that falls to 0: their mean is off by at most 1.16 times here. Without the
    correction `buy` were off by 2.7 times, without its weights `like` by 1.6.
    """
    rates = np.mean(rare.labels("train"), axis=0)
    for negatives in (1.0, 0.25):
        settings = f"learning_rate: 0.01, batch_size: 32, bf16: {bf16}, negatives: {negatives}"
        settings += ", schedule: linear, epochs: 4, patience: 4"
        architecture = read(settings, "{mlp: {width: 8}}")
        architecture = dataclasses.replace(architecture, loss=read_loss(loss))
        served = [mean_prediction(rare, architecture, seed) for seed in range(3)]
        assert np.mean(served, axis=0) == pytest.approx(rates, rel=0.25), negatives


def mean_prediction(data: Dataset, architecture: Architecture, seed: int) -> Any:
    model = build_model(architecture, data.schema, seed)
    for _ in fit(model, architecture, data, seed=seed):
        pass
    return (1 / (1 + np.exp(-predict(model, data, "train")))).mean(axis=0)


def read_loss(name: str) -> Any:
    return Architecture.read({"architecture": "x", "interaction": "linear", "loss": name}).loss


def test_a_resumed_training_ends_with_the_same_weights(dataset: Dataset, tmp_path: Any) -> None:
    architecture = read(f"{SETTINGS}, negatives: 0.3, epochs: 4, patience: 4")
    whole = train(dataset, architecture).state_dict()
    kept = Checkpoint(tmp_path / "c.safetensors", pytest.fail, seconds=0.0)
    model, _ = made(dataset, architecture)
    for progress in fit(model, architecture, dataset, seed=0, checkpoint=kept):
        if progress.scores is not None and progress.epoch == 2:
            break  # cut off
    again = train(dataset, architecture, checkpoint=kept).state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_regression_task_has_no_negatives_to_leave_out(dataset: Dataset) -> None:
    """Said of a space by the line of the setting, and of an architecture."""
    tasks = (Task("price", "regression"), *dataset.schema.tasks)
    schema = dataclasses.replace(dataset.schema, tasks=tasks)
    space = Space.read(
        {"name": "x", "interaction": "linear", "training": {"negatives": [0.5, 1.0]}}
    )
    with pytest.raises(
        SpaceError, match=r"needs a binary primary task, but 'price' is a regression"
    ):
        needs_met(space, schema)
    with pytest.raises(SpaceError, match=r"training.negatives: `negatives` needs a binary"):
        build_model(read("negatives: 0.5"), schema)
    needs_met(space, dataset.schema)
