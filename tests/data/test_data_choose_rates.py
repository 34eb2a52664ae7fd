"""Target rates where a schema says nothing: of what has many values, crossed with the scenario."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from automlrank.data.choose_rates import MOST_COLUMNS, MOST_PAIRS, choose_statistics
from automlrank.data.dataset import Dataset
from automlrank.data.infer import complete
from automlrank.data.read import open_table
from automlrank.schema import (
    NO_STATISTICS,
    CategoricalFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    TargetStatistics,
    Task,
    read_schema,
)
from automlrank.training.trees.features import flat_of

TASKS = (Task("y"),)
USER, ITEM = CategoricalFeature("user", side="user"), CategoricalFeature("item")
PAGE, HOUR = CategoricalFeature("page", side="request"), CategoricalFeature("hour", side="request")
COUNTS = {"user": 900, "item": 500, "page": 12, "hour": 24}
ROWS = 400


def of_counts(**counts: int) -> Schema:
    return Schema(TASKS, tuple(CategoricalFeature(name) for name in counts))


def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(n, size=ROWS) for name, n in COUNTS.items()}
    return pl.DataFrame({**columns, "y": rng.integers(2, size=ROWS)})


def test_columns_with_ten_values_have_rates_in_the_schemas_order() -> None:
    counts = {"few": 9, "ten": 10, "many": 1000}
    assert choose_statistics(of_counts(**counts), counts) == TargetStatistics(("ten", "many"))
    assert choose_statistics(of_counts(few=9), {"few": 9}) is None


def test_only_ids_of_their_own_have_rates() -> None:
    """Neither ranges of numbers nor lists."""
    features = (NumericFeature("n", transform="bucket"), MultiFeature("m"), ITEM)
    found = choose_statistics(Schema(TASKS, features), {"n": 99, "m": 99, "item": 99})
    assert found == TargetStatistics(("item",))


def test_of_many_columns_those_with_the_most_values_and_the_scenario_have_rates() -> None:
    counts = {f"c{i}": 100 + i for i in range(20)} | {"page": 10}
    schema = dataclasses.replace(of_counts(**counts), scenario="page")
    found = choose_statistics(schema, counts)
    assert found is not None
    assert found.of == (*(f"c{i}" for i in range(21 - MOST_COLUMNS, 20)), "page")
    assert found.crosses == tuple((f"c{19 - i}", "page") for i in range(MOST_PAIRS))


def test_a_scenario_of_few_values_is_crossed_all_the_same() -> None:
    schema = Schema(TASKS, (USER, ITEM, PAGE), scenario="page")
    found = choose_statistics(schema, {**COUNTS, "page": 3})
    assert found == TargetStatistics(("user", "item"), crosses=(("user", "page"), ("item", "page")))


def test_without_a_scenario_the_requests_columns_are_crossed_with_the_others() -> None:
    found = choose_statistics(Schema(TASKS, (USER, ITEM, PAGE, HOUR)), COUNTS)
    pairs = (("user", "page"), ("user", "hour"), ("item", "page"), ("item", "hour"))
    assert found == TargetStatistics(("user", "item", "page", "hour"), crosses=pairs)


def test_the_schemas_crosses_are_the_pairs_where_it_has_any() -> None:
    schema = Schema(TASKS, (USER, ITEM, PAGE), crosses=(("user", "item"),), scenario="page")
    found = choose_statistics(schema, COUNTS)
    assert found == TargetStatistics(("user", "item", "page"))
    rated = dataclasses.replace(schema, statistics=found).rated
    assert rated == (("user",), ("item",), ("page",), ("user", "item"))


@pytest.mark.parametrize("place", [0, 1])
def test_the_kinds_of_tasks_make_no_difference(place: int) -> None:
    tasks = [Task("y"), Task("z")]
    tasks[place] = Task(tasks[place].name, "regression")
    assert choose_statistics(Schema(tuple(tasks), (USER,)), COUNTS) == TargetStatistics(("user",))


def test_a_schema_that_lists_its_features_gets_what_an_inferred_one_gets(tmp_path: Path) -> None:
    """The same columns, the same statistics, the same arrays; written down they stay the same."""
    inferred = Dataset.open(frame(), label="y", cache=tmp_path / "a")
    listed = dataclasses.replace(inferred.schema.fitted({}), statistics=None)
    named = Dataset.open(frame(), listed, cache=tmp_path / "b")
    assert named.schema == inferred.schema
    assert named.schema.statistics == TargetStatistics(("user", "item", "page", "hour"))
    rows = np.arange(named.rows["train"])
    one, other = (data.take("train", rows) for data in (named, inferred))
    assert one["statistics:item"].shape == (len(rows), 8)
    assert one.keys() == other.keys()
    for key, array in one.items():
        np.testing.assert_array_equal(array, other[key])
    read_again = read_schema(named.schema.to_data())
    with open_table(frame()) as table:
        assert complete(read_again, table).schema == read_again


def test_none_means_none_for_networks_and_for_trees(tmp_path: Path) -> None:
    schema = {
        "tasks": {"y": {"kind": "binary"}},
        "features": {name: {"kind": "categorical"} for name in COUNTS},
        "crosses": [["user", "item"]],
        "statistics": "none",
    }
    data = Dataset.open(frame(), schema, cache=tmp_path)
    assert data.schema.statistics == NO_STATISTICS
    assert data.schema.to_data()["statistics"] == "none"
    assert data.schema.rated == ()
    batch = data.take("train", np.arange(9))
    assert not [key for key in batch if key.startswith("statistics")]
    with_rates, without = (
        flat_of(data.schema, data.encoder, with_rates=rates) for rates in (True, False)
    )
    np.testing.assert_array_equal(with_rates(batch), without(batch))


def test_trees_have_the_rates_of_the_schema(tmp_path: Path) -> None:
    """Chosen where it says nothing: one rule for networks and trees."""
    schema = Schema(TASKS, (USER, ITEM, PAGE, HOUR))
    data = Dataset.open(frame(), schema, cache=tmp_path)
    batch = data.take("train", np.arange(50))
    matrix = flat_of(data.schema, data.encoder, with_rates=True)(batch)
    sides = [batch[f"statistics:{side}"].numpy() for side in ("request", "item")]
    assert sum(side.shape[1] for side in sides) == 2 * (4 + MOST_PAIRS)
    for column in np.concatenate(sides, axis=1).T:
        assert (matrix == column[:, None]).all(axis=0).any()
