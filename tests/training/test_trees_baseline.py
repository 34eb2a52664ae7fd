"""Boosted trees: one matrix in training and serving, rates without a row's own label, seeds."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
import torch

from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.data.values import PAD_ID, Array
from automlrank.measurement.latency import measure_latency
from automlrank.measurement.metrics import AUC, GAUC, LOGLOSS, Metric, auc
from automlrank.model.serving.runtimes import served
from automlrank.schema import CategoricalFeature, NumericFeature, Schema, Task
from automlrank.training.loop import predict, score
from automlrank.training.trees.baseline import Trees, fit_trees
from automlrank.training.trees.features import flat_of

torch.set_num_threads(1)


def opened(tmp_path_factory: pytest.TempPathFactory, **changes: object) -> Dataset:
    frame, schema = synthetic_frame(1500)
    schema = dataclasses.replace(schema, **changes)  # type: ignore[arg-type]
    return Dataset.open(frame, schema, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return opened(tmp_path_factory)


@pytest.fixture(scope="module")
def trees(data: Dataset) -> Trees:
    return fitted(data)


def fitted(data: Dataset, with_rates: bool = True, seed: int = 0, metric: Metric = AUC) -> Trees:
    return fit_trees(
        data, with_rates=with_rates, seed=seed, metric=metric, tell=lambda progress: None
    )


def matrix_of(data: Dataset, split: str, *, with_rates: bool) -> Array:
    flat = flat_of(data.schema, data.encoder, with_rates=with_rates)
    return flat.matrix(data.batches(split, 500), data.rows[split])


@pytest.mark.parametrize("with_rates", [False, True])
def test_a_request_gives_the_rows_of_its_user_with_each_item(
    data: Dataset, with_rates: bool
) -> None:
    """What serving makes of one user's row and N items, training makes of N rows."""
    flat = flat_of(data.schema, data.encoder, with_rates=with_rates)
    request = data.request("valid", 30, 7)
    rows = {key: t.expand(30, *t.shape[1:]) if len(t) == 1 else t for key, t in request.items()}
    assert len(request["ids:request"]) == 1
    np.testing.assert_array_equal(flat(request), flat(rows))
    assert flat(request).shape == (30, matrix_of(data, "valid", with_rates=with_rates).shape[1])


def test_a_history_counts_the_rows_own_ids_its_length_and_its_newest_age(data: Dataset) -> None:
    flat = flat_of(data.schema, data.encoder, with_rates=False)
    batch = data.take("train", np.arange(200))
    own = data.encoder.ids_in({k: batch[k].numpy() for k in ("ids:request", "ids:item")})
    items, ages = batch["history:history_item_id"].numpy(), batch["age:clicks"].numpy()
    expected = [
        [
            sum(item == mine for item in row if item != PAD_ID),
            sum(item != PAD_ID for item in row),
            min((age for age in past if age), default=99),
        ]
        for row, past, mine in zip(items, ages, own["item_id"], strict=True)
    ]
    assert max(matches for matches, _, _ in expected) > 0
    np.testing.assert_array_equal(flat(batch)[:, [-4, -2, -1]], expected)


def test_a_training_rows_rate_does_not_know_its_own_label() -> None:
    """Ids without any signal, five rows each: seen whole, their rates would give .7 in training."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"id": rng.integers(400, size=2000), "y": rng.integers(2, size=2000)})
    data = Dataset.open(frame, Schema((Task("y"),), (CategoricalFeature("id"),)))
    matrix = matrix_of(data, "train", with_rates=True)
    labels = data.labels("train")[:, 0]
    assert auc(labels, matrix[:, -2]) < 0.55
    batch = data.take("train", np.arange(len(labels)))
    assert data.encoder.rates is not None
    ids = data.encoder.ids_in({key: batch[key].numpy() for key in ("ids:request", "ids:item")})
    whole = data.encoder.rates.encode(ids)["statistics:item"]
    assert auc(labels, whole[:, 0]) > 0.65


def test_rates_take_the_place_of_their_ids(data: Dataset) -> None:
    """Those of user_id and item_id; the schema's cross stands beside them."""
    assert data.schema.rated == (("user_id",), ("item_id",), ("user_id", "category"))
    with_ids, with_rates = (
        flat_of(data.schema, data.encoder, with_rates=rates) for rates in (False, True)
    )
    assert len(with_ids.categories) - len(with_rates.categories) == 2


def test_ids_that_are_numbers_keep_their_order() -> None:
    """A year read as an id: its value stands beside the category."""
    rng = np.random.default_rng(0)
    year = rng.integers(1950, 2000, size=1000)
    frame = pl.DataFrame(
        {"year": year, "x": rng.normal(size=1000), "y": rng.integers(2, size=1000)}
    )
    data = Dataset.open(
        frame, Schema((Task("y"),), (CategoricalFeature("year"), NumericFeature("x")))
    )
    flat = flat_of(data.schema, data.encoder, with_rates=False)
    matrix = flat(data.take("valid", np.arange(100)))
    values = {round(float(v)) for v in matrix[:, 2] if not np.isnan(v)}
    assert values <= set(year.tolist())
    assert len(values) > 30


def test_trees_learn_and_the_same_seed_gives_the_same_trees(data: Dataset, trees: Trees) -> None:
    assert score(trees, data, "test", AUC)["click"] > 0.7
    logits = predict(trees, data, "test")
    assert logits.shape == (data.rows["test"], 2)
    np.testing.assert_array_equal(logits, predict(fitted(data), data, "test"))
    assert (logits != predict(fitted(data, seed=1), data, "test")).any()


def test_training_stops_where_validation_stands_still(data: Dataset, trees: Trees) -> None:
    assert 1 <= trees.boosters[0].best_iteration < 500
    by_loss = fitted(data, metric=LOGLOSS)
    loss = score(by_loss, data, "valid", LOGLOSS)["click"]
    assert loss <= score(trees, data, "valid", LOGLOSS)["click"] + 1e-3
    assert score(fitted(data, metric=GAUC), data, "valid", GAUC)["click"] > 0.6


def test_a_task_of_one_class_in_validation_is_trained_as_long_as_the_first(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    frame, schema = synthetic_frame(1500)
    late = pl.int_range(pl.len()) >= 900
    frame = frame.with_columns(buy=pl.when(~late).then("buy"))
    data = Dataset.open(frame, schema, cache=tmp_path_factory.mktemp("cache"))
    first, second = fitted(data).boosters
    assert second.num_trees() == first.best_iteration


def test_latency_is_measured_on_requests(data: Dataset, trees: Trees) -> None:
    requests = [data.request("valid", 20, i) for i in range(2)]
    with served(trees, data.schema, requests) as calls:
        latency = measure_latency(calls, tries=1, try_seconds=0.01)
    assert 0 < latency.p50 <= latency.p95


def test_weights_count(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rows of weight 0 might as well not be there: turned labels among them change nothing."""
    frame, schema = synthetic_frame(1500)
    frame = frame.with_columns(w=pl.when(pl.int_range(pl.len()) % 3 == 0).then(0.0).otherwise(1.0))
    turned = frame.with_columns(
        click=pl.when((pl.col("w") == 0) & (pl.int_range(pl.len()) < 900))
        .then(1 - pl.col("click")).otherwise("click").cast(pl.Int8)
    )  # fmt: skip
    schema = dataclasses.replace(schema, weight="w", statistics=None)
    one, other = (
        predict(fitted(opened_, with_rates=False), opened_, "test")[:, 0]
        for opened_ in (
            Dataset.open(table, schema, cache=tmp_path_factory.mktemp("cache"))
            for table in (frame, turned)
        )
    )
    np.testing.assert_allclose(one, other)
