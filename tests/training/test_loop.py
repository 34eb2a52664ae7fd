"""The training loop: it learns, stops, restores, repeats itself, and ends what diverges."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from automlrank.architecture import Architecture
from automlrank.blocks import BLOCKS
from automlrank.data.dataset import Dataset
from automlrank.documents import parse_document
from automlrank.errors import TrialError
from automlrank.measurement.metrics import AUC
from automlrank.model.network import build_model
from automlrank.training.loop import fit, predict, score
from automlrank.training.progress import Progress
from automlrank.training.step import Trainer
from automlrank.training.trainer import make_trainer

NET = "{parallel: [linear, {mlp: {width: 16}}]}"


def read(training: str = "", interaction: str = NET) -> Architecture:
    text = (
        f"{{architecture: a, embedding: {{dim: 8}}, interaction: {interaction}, "
        f"training: {{{training}}}}}"
    )
    return Architecture.read(parse_document(text).data)  # type: ignore[arg-type]


def run(architecture: Architecture, data: Dataset, seed: int = 0) -> tuple[Any, list[Progress]]:
    model = build_model(architecture, data.schema, seed)
    return model, list(fit(model, architecture, data, seed=seed))


FAST = "learning_rate: 0.02, batch_size: 256, bf16: false"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("bf16", ["true", "false"])
def test_it_learns(dataset: Dataset, bf16: str, seed: int) -> None:
    """The synthetic table has a signal: validation AUC is far from .5 (.776 or better)."""
    _, steps = run(read(FAST.replace("bf16: false", f"bf16: {bf16}")), dataset, seed)
    assert steps[-1].best is not None
    assert steps[-1].best["click"] > 0.65


def test_the_same_seed_gives_the_same_numbers(dataset: Dataset) -> None:
    (one, a), (other, b) = run(read(FAST), dataset), run(read(FAST), dataset)
    assert [(s.rows, s.loss, s.scores) for s in a] == [(s.rows, s.loss, s.scores) for s in b]
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
    assert [s.loss for s in a] != [s.loss for s in run(read(FAST), dataset, seed=1)[1]]


def test_the_best_weights_are_restored(dataset: Dataset) -> None:
    """The model's own score after training is the best of the curve, not the last."""
    model, steps = run(read(FAST), dataset)
    curve = [s.scores["click"] for s in steps if s.scores]
    assert score(model, dataset, "valid", AUC)["click"] == max(curve)
    assert curve[-1] != max(curve)


def test_who_stops_a_training_has_the_best_epoch_so_far(dataset: Dataset) -> None:
    model = build_model(read(FAST), dataset.schema, 0)
    steps, curve = fit(model, read(FAST), dataset, seed=0), []
    for step in steps:
        if len(curve) == 2:
            break  # within the third epoch
        curve += [step.scores["click"]] if step.scores else []
    steps.close()
    assert score(model, dataset, "valid", AUC)["click"] == max(curve)


def test_patience_ends_it(dataset: Dataset) -> None:
    _, steps = run(read(FAST + ", patience: 1"), dataset)
    curve = [s.scores["click"] for s in steps if s.scores]
    assert len(curve) < 20
    assert curve[-1] <= max(curve[:-1])
    assert all(a < b for a, b in itertools.pairwise(curve[:-1]))


class RatesSeen:
    """The learning rate of every step that a training makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[float] = []
        step = Trainer.step

        def noted(trainer: Trainer, *args: Any) -> torch.Tensor:
            loss = step(trainer, *args)
            self.seen.append(trainer.optimizers[0].param_groups[0]["lr"])
            return loss

        monkeypatch.setattr(Trainer, "step", noted)


def test_a_linear_schedule_falls_with_every_step_to_zero(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two epochs of 1800 rows in batches of 256: step k of 16 begins with what is left."""
    rates = RatesSeen(monkeypatch)
    run(read(FAST + ", epochs: 2, schedule: linear"), dataset)
    seen = [epoch * 1800 + 256 * i for epoch in range(2) for i in range(8)]
    np.testing.assert_allclose(rates.seen, [0.02 * (1 - rows / 3600) for rows in seen])


def test_a_plateau_drops_the_rate_after_each_epoch_without_a_gain(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = RatesSeen(monkeypatch)
    _, steps = run(read(FAST + ", epochs: 9, patience: 9, plateau: 0.5"), dataset)
    curve = [s.scores["click"] for s in steps if s.scores]
    gains = [score > max(curve[:i], default=0.0) for i, score in enumerate(curve)]
    drops = [gains[:i].count(False) for i in range(9)]
    np.testing.assert_allclose(rates.seen[::8], [0.02 * 0.5**n for n in drops])
    assert drops[-1] > 1


def test_rows_seen_are_counted(dataset: Dataset) -> None:
    _, steps = run(read(FAST + ", epochs: 2, patience: 2"), dataset)
    assert steps[-1].rows == 2 * dataset.rows["train"]


def test_an_epoch_is_reported_by_its_quarters(dataset: Dataset) -> None:
    """Fifteen steps of 128: the first, those that pass 450, 900, 1350 rows, the last, the end."""
    epoch = [s for s in run(read("batch_size: 128"), dataset)[1] if s.epoch == 0]
    assert [step.rows for step in epoch] == [128, 512, 1024, 1408, 1800, 1800]


def test_a_loss_that_is_not_finite_ends_the_trial(dataset: Dataset) -> None:
    class Broken(Dataset):
        def take(self, split: str, rows: Any) -> dict[str, torch.Tensor]:
            batch = super().take(split, rows)
            return {**batch, "labels": batch["labels"] * math.inf}

    parts = (dataset.name, dataset.schema, dataset.fingerprint, dataset.store, dataset.inferred)
    with pytest.raises(TrialError, match=r"the loss is (nan|-?inf) after \d+ rows"):
        run(read(FAST), Broken(*parts))


def test_bf16_keeps_float32_weights(dataset: Dataset) -> None:
    model, steps = run(read("learning_rate: 0.02, batch_size: 256, bf16: true, epochs: 2"), dataset)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert steps[-1].best is not None
    assert steps[-1].best["click"] > 0.6


def test_a_step_without_gradient_only_decays(dataset: Dataset) -> None:
    """A row of the table that no batch touches shrinks by exp(-l2 * share of the epoch)."""
    architecture = read("batch_size: 100, bf16: false, learning_rate: 0.01")
    model = build_model(architecture, dataset.schema, 0)
    trainer = make_trainer(model, architecture, dataset.schema, dataset.labels("train"), "cpu")
    batch = dataset.take("train", np.arange(100))
    with torch.no_grad():
        model.table.weight.fill_(1.0)  # type: ignore[union-attr,operator]
    trainer.step(batch)
    weight = model.get_parameter("table.weight")
    assert architecture.embedding is not None
    expected = math.exp(-architecture.embedding.l2 * 100 / dataset.rows["train"])
    assert (weight == torch.full_like(weight, 1.0) * expected).any(dim=1).any()


def test_coupled_l2_is_inside_the_gradient(dataset: Dataset) -> None:
    """Adam moves every row of the table, also those that no batch touches."""
    text = "{dim: 4, l2: 0, l2_coupled: 0.1}"
    architecture = dataclasses.replace(
        read("batch_size: 100, bf16: false, learning_rate: 0.01"),
        embedding=BLOCKS["embedding"](**parse_document(text).data),  # type: ignore[arg-type]
    )
    model = build_model(architecture, dataset.schema, 0)
    trainer = make_trainer(model, architecture, dataset.schema, dataset.labels("train"), "cpu")
    weight = model.get_parameter("table.weight")
    with torch.no_grad():
        weight.fill_(1.0)
    trainer.step(dataset.take("train", np.arange(10)))
    torch.testing.assert_close(weight[:2], torch.full_like(weight[:2], 0.99))  # one step of Adam
    settings = {g["weight_decay"]: len(g["params"]) for g in trainer.optimizers[0].param_groups}
    assert settings[0.1] == 1
    assert settings[0.0] == len(list(model.parameters())) - 1


def test_wide_is_trained_by_ftrl_and_its_zeros_are_told(dataset: Dataset) -> None:
    """Most pairs of the noise stay at exactly zero; a small l1 leaves none of those met."""
    shares = []
    for l1 in (0.0, 3.0):
        wide = f"{{parallel: [{{wide: {{l1: {l1}}}}}, {{mlp: {{width: 16}}}}]}}"
        model, steps = run(read(FAST + ", epochs: 2", wide), dataset)
        (name, share), *others = (steps[-1].zero_shares or {}).items()
        assert others == []
        weight = model.get_parameter(name)
        assert (weight != 0).any()
        shares.append(share)
    assert shares[0] == 0.0
    assert 0.2 < shares[1] < 1.0


def test_a_row_counts_the_same_for_ftrl_in_a_short_batch(dataset: Dataset) -> None:
    """Each of 10 rows moves ``z`` as far as in a batch of 100, by its label minus its score."""
    architecture = read("batch_size: 100, bf16: false, learning_rate: 0.01", "{wide: {l1: 0}}")
    moved = []
    for rows in (10, 100):
        model = build_model(architecture, dataset.schema, 0)
        trainer = make_trainer(model, architecture, dataset.schema, dataset.labels("train"), "cpu")
        trainer.step(dataset.take("train", np.arange(rows)))
        (state,) = trainer.optimizers[1].state.values()
        assert state["z"].abs().max() <= rows / 2
        moved.append(float(state["z"].abs().sum()) / rows)
    assert moved[0] == pytest.approx(moved[1], rel=0.3)


def test_predictions_keep_the_order_of_rows(dataset: Dataset) -> None:
    model = build_model(read(), dataset.schema, 0).eval()
    logits = predict(model, dataset, "valid")
    with torch.no_grad():
        some = model(dataset.take("valid", np.array([3, 1])))
    np.testing.assert_allclose(logits[[3, 1]], some.numpy(), atol=1e-5)
    assert logits.shape == (dataset.rows["valid"], 2)
