"""Rows weighted so that scenarios count the same, without the large drowning the small."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from test_loop import read
from test_negatives import train

from automlrank.data.dataset import Dataset
from automlrank.data.values import FIRST_ID, NULL_ID, OOV_ID
from automlrank.errors import SpaceError
from automlrank.model.network import build_model
from automlrank.training.device_batches import DeviceBatches, resident_rows, weighted
from automlrank.training.scenarios import MOST, equal_weights, scenario_weights


def test_every_scenario_counts_the_same_and_a_row_one_on_average() -> None:
    counts = np.array([700, 200, 100])
    weights = equal_weights(counts)
    assert weights == pytest.approx(1000 / (3 * counts))
    assert weights * counts == pytest.approx([1000 / 3] * 3)


def test_a_row_counts_at_most_so_much_and_the_rest_is_shared() -> None:
    """20 and 5 rows cannot reach a share of 500: 250 of it are theirs, the others' grow."""
    counts = np.array([1200, 20, 5, 775])
    weights = equal_weights(counts)
    assert weights[1] == weights[2] == MOST
    assert (weights * counts)[[0, 3]] == pytest.approx([(2000 - 250) / 2] * 2)
    assert (weights * counts).sum() == pytest.approx(2000)
    assert equal_weights(np.array([9])) == pytest.approx([1.0])


def test_rows_without_a_known_scenario_count_once() -> None:
    ids = np.array([NULL_ID] * 3 + [OOV_ID] * 5 + [FIRST_ID] * 30 + [FIRST_ID + 1] * 10)
    weights = scenario_weights(ids)
    assert weights.dtype == np.float32
    assert (weights[:8] == 1).all()
    assert weights[8:38].sum() == pytest.approx(20)
    assert weights[38:].sum() == pytest.approx(20)


def test_a_batch_carries_the_weights_beside_the_schemas(dataset: Dataset) -> None:
    """Of its own rows, wherever they lie."""
    weights = scenario_weights(np.arange(dataset.rows["train"]) % 5 // 2 + FIRST_ID)
    feed = DeviceBatches(dataset, "train", "cpu", weights)
    orders = list(dataset.orders("train", 256, seed=3))
    for rows, batch in zip(orders, feed.batches(256, seed=3), strict=True):
        assert batch["weight"].tolist() == weights[rows].tolist()
        twice = weighted(batch, weights, rows)["weight"]
        assert twice.tolist() == (weights[rows] ** 2).tolist()
    assert "weight" not in next(DeviceBatches(dataset, "train", "cpu").batches(256))
    assert resident_rows(dataset, "train", "cpu") is None


def test_a_rare_scenario_is_learned_as_if_it_had_as_many_rows(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training is that of a schema whose weight column says the same."""
    ids = dataset.scenarios("train")
    assert ids is not None
    part = dataset.of_rows("train", np.flatnonzero((ids != ids[0]) | (np.arange(len(ids)) < 200)))
    equal = read("epochs: 2, batch_size: 128, bf16: false, scenarios: equal")
    plain = read("epochs: 2, batch_size: 128, bf16: false")
    ours, unweighted = train(part, equal).state_dict(), train(part, plain).state_dict()
    found = part.scenarios("train")
    assert found is not None
    sizes = {i: (found == i).sum() for i in np.unique(found)}
    rows = np.array([len(found) / (len(sizes) * sizes[i]) for i in found], np.float32)
    monkeypatch.setattr("automlrank.training.loop.row_weights", lambda data, settings: rows)
    again = train(part, plain).state_dict()
    assert all(torch.allclose(ours[name], again[name], atol=1e-6) for name in ours)
    assert not all(torch.allclose(ours[name], unweighted[name], atol=1e-3) for name in ours)


def test_without_scenarios_it_is_refused(dataset: Dataset) -> None:
    schema = dataclasses.replace(dataset.schema, scenario=None)
    with pytest.raises(SpaceError, match=r"training.scenarios: `scenarios: equal` needs"):
        build_model(read("scenarios: equal"), schema)
