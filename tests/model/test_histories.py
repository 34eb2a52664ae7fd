"""Encoders inside a model: the empty history, the auxiliary loss, what a request does once."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from automlrank.architecture import Architecture
from automlrank.blocks import BLOCKS
from automlrank.data.dataset import Dataset
from automlrank.errors import SpaceError
from automlrank.model.cost import cost
from automlrank.model.network import RankingModel, build_model
from automlrank.training.trainer import make_trainer

ENCODERS = [name for name in BLOCKS.of("history") if name != "none"]
ONCE = ("dien", "dsin", "can", "target_attention")
every_encoder = pytest.mark.parametrize("name", ENCODERS)


def read(history: Any, **training: object) -> Architecture:
    return Architecture.read(
        {
            "architecture": "a",
            "embedding": {"dim": 4},
            "history": history,
            "interaction": {"mlp": {"width": 8}},
            "training": {"bf16": False, **training},
        }
    )


def drawn(architecture: Architecture, data: Dataset) -> RankingModel:
    model = build_model(architecture, data.schema, seed=0)
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


def emptied(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    lists = ("history:", "age:", "session:")
    return {k: t * 0 if k.startswith(lists) else t for k, t in batch.items()}


@every_encoder
def test_an_empty_history_has_a_vector_that_is_learned(name: str, dataset: Dataset) -> None:
    """It reaches the logits and gets a gradient, and the encoder's parameters get none."""
    model = drawn(read(name), dataset).train()
    batch = emptied(next(dataset.batches("train", 64)))
    model(batch).sum().backward()
    vector = model.get_parameter("history_clicks_empty.vector")
    assert vector.grad is not None
    assert vector.grad.abs().min() > 0
    encoder = f"history_clicks_encoder_{name}."
    for key, parameter in model.named_parameters():
        if key.startswith(encoder):
            assert parameter.grad is None or not parameter.grad.any(), key


@every_encoder
def test_a_request_scores_as_its_rows_do(name: str, dataset: Dataset) -> None:
    """The user's side once, or with every candidate: the same logits."""
    model = drawn(read(name), dataset).eval()
    for index in range(3):
        request = dataset.request("valid", 9, index)
        rows = {k: t.expand(9, *t.shape[1:]) for k, t in request.items()}
        torch.testing.assert_close(model(request), model(rows), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ONCE)
def test_what_does_not_read_the_target_runs_once(name: str, dataset: Dataset) -> None:
    plan = build_model(read(name), dataset.schema).plan
    (extract,) = [step for step in plan.live_steps if str(step.call).endswith(".extract")]
    assert extract.request
    (own,) = [step for step in plan.live_steps if step.call == extract.call.partition(".")[0]]
    assert not own.request


def test_the_auxiliary_loss_is_added_in_training_only(dataset: Dataset) -> None:
    """The loss of a step grows by alpha times the mean; no serving step is part of it."""
    batch = next(dataset.batches("train", 64))
    losses = {}
    for alpha in (0.0, 1.0, 3.0):
        architecture = read({"dien": {"alpha": alpha}})
        model = drawn(architecture, dataset).train()
        torch.manual_seed(5)
        labels = dataset.labels("train")
        trainer = make_trainer(model, architecture, dataset.schema, labels, "cpu")
        losses[alpha] = trainer.step(batch).item()
    assert losses[1.0] - losses[0.0] > 0.1
    assert losses[3.0] - losses[0.0] == pytest.approx(3 * (losses[1.0] - losses[0.0]), rel=1e-4)
    plan = model.plan
    assert plan.losses == ("history_clicks_encoder_dien_loss",)
    apart = [step.output for step in plan.loss_steps]
    assert apart == ["history_clicks_others", "history_clicks_encoder_dien_loss"]
    assert not {step.output for step in plan.live_steps} & set(apart)


def test_encoders_side_by_side_have_what_they_extract_apart(dataset: Dataset) -> None:
    both = drawn(read({"parallel": ["dien", "can"]}), dataset).eval()
    calls = [str(step.call) for step in both.plan.live_steps]
    assert sum(call.endswith(".extract") for call in calls) == 2
    assert both(dataset.request("valid", 3)).isfinite().all()


def test_can_needs_one_id_a_behaviour(dataset: Dataset) -> None:
    """A sequence whose first column is of a multi feature has none."""
    schema = dataset.schema
    features = tuple(
        dataclasses.replace(f, of="tags") if f.name == "history_item_id" else f
        for f in schema.features
    )
    with pytest.raises(SpaceError, match="clicks is of a multi feature, so it has no one id"):
        build_model(read("can"), dataclasses.replace(schema, features=features))


def test_can_s_tables_count_and_decay_as_tables(dataset: Dataset) -> None:
    """A network of two layers and a feed for each of the target's ids, beside the columns'."""
    architecture = read({"can": {"width": 3, "depth": 2, "l2": 0.7}})
    model, columns = build_model(architecture, dataset.schema), "table.weight"
    networks, feed = (f"history_clicks_encoder_can.{name}" for name in ("networks", "feed"))
    ids = dataset.schema.feature("item_id").size  # type: ignore[attr-defined]
    assert model.get_parameter(networks).shape == (ids, 2 * (3 + 1) * 3)
    assert model.get_parameter(feed).shape == (ids, 3)
    entries = model.get_parameter(columns).numel() + ids * (24 + 3)
    assert cost(model.plan, dataset.schema).embedding_bytes == 4 * entries
    assert model.plan.tables == {columns, networks, feed}
    assert [model.plan.decays[name] for name in (networks, feed)] == [0.7, 0.7]


@pytest.mark.parametrize("name", ["bst", "dsin"])
def test_encoders_of_times_need_times(name: str, dataset: Dataset) -> None:
    schema = dataset.schema
    features = tuple(
        dataclasses.replace(f, time=None) if f.name == "history_item_id" else f
        for f in schema.features
    )
    with pytest.raises(SpaceError, match=f"{name} cannot be used: the histories of clicks have no"):
        build_model(read(name), dataclasses.replace(schema, features=features))
