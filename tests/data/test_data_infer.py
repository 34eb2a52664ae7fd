"""What columns are taken for, and what is said where a schema does not fit its table."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from automlrank.data.infer import complete, infer_schema
from automlrank.errors import SchemaError
from automlrank.schema import Categorical, History, Multi, Numeric, Schema, Split, Task, read_schema

N = 40
TASK = (Task("y"),)


def table(**columns) -> pl.DataFrame:
    return pl.DataFrame({"y": [0, 1] * (N // 2), **columns})


def feature_of(name: str, values, **others):
    inferred = infer_schema(table(**{name: values}, **others), "y")
    return next((f for f in inferred.schema.features if f.name == name), None), inferred


@pytest.mark.parametrize(
    ("values", "feature"),
    [
        (list(range(N)), Categorical("x")),
        (["a", "b"] * (N // 2), Categorical("x")),
        ([0.0, 1.0, 2.0, None] * (N // 4), Categorical("x")),
        ([0.5, 1.0] * (N // 2), Numeric("x")),
        ([["a"], []] * (N // 2), Multi("x")),
        ([0, None] * (N // 2), Categorical("x")),
    ],
)
def test_kinds(values, feature):
    """Whole numbers, text and few-valued whole floats are ids, lists are bags, the rest numbers."""
    found, inferred = feature_of("x", values)
    assert found == feature
    assert inferred.reasons["x"].startswith(feature.kind)


def test_many_valued_whole_floats_are_numbers():
    """More than a hundred values are an amount, not a code."""
    frame = pl.DataFrame({"y": [0, 1] * 101, "x": [float(i % 101) for i in range(202)]})
    assert infer_schema(frame, "y").schema.features == (Numeric("x"),)


@pytest.mark.parametrize("values", [[0, 1], [False, True], [0.0, 1.0], ["0", "1"], [1, 0]])
def test_columns_of_0_and_1_are_set_aside(values):
    """They may be outcomes; they are listed."""
    found, inferred = feature_of("x", values * (N // 2))
    assert found is None
    assert inferred.set_aside == ("x",)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([7] * N, "same value"),
        ([None] * N, "every value is null"),
        ([datetime.date(2022, 5, 1), None] * (N // 2), "a date or a time"),
        ([[0.5]] * N, "no feature can be made"),
        ([{"a": 1}] * N, "no feature can be made"),
    ],
)
def test_what_is_left_out_has_its_reason(values, reason):
    """Constant, null, temporal and nested columns are no features."""
    found, inferred = feature_of("x", values)
    assert found is None
    assert reason in inferred.reasons["x"]


def test_a_timestamp_is_left_out():
    """An id that (almost) every row has for itself teaches nothing."""
    frame = pl.DataFrame({"y": [0, 1] * 600, "x": range(1200)})
    assert "distinct values in 1200 rows" in infer_schema(frame, "y").reasons["x"]


@pytest.mark.parametrize("name", ["history_item", "item_history", "hist_item"])
def test_lists_named_after_a_column_are_its_histories(name):
    """``history_X``, ``X_history`` and ``hist_X``, where X is a column."""
    found, _ = feature_of(name, [[1], []] * (N // 2), item=list(range(N)))
    assert found == History(name, of="item", sequence=name)


def test_histories_of_equal_lengths_are_one_sequence_with_its_times():
    """Lengths say what belongs together; the history of the schema's time is the times."""
    frame = table(item=range(N), cat=["a", "b"] * (N // 2), t=range(N),
                  history_item=[[1], [1, 2]] * (N // 2), history_t=[[5], [5, 6]] * (N // 2),
                  history_cat=[["a"], ["b", "a"]] * (N // 2), cat_history=[["a"], []] * (N // 2)
                  )  # fmt: skip
    schema = complete(Schema(TASK, time="t"), frame).schema
    assert {f.name: (f.sequence, f.time) for f in schema.of_kind("history")} == {
        "history_item": ("history_item", "history_t"),
        "history_cat": ("history_item", "history_t"),
        "cat_history": ("cat_history", None),
    }


def test_columns_with_a_role_are_no_features():
    """Tasks, what is ignored, weight, time and the split's column; a group remains a feature."""
    frame = table(a=range(N), w=[0.5, 1.5] * (N // 2), t=range(N), s=range(N), g=range(N))
    schema = Schema(TASK, group="g", weight="w", time="t", ignore=("a",),
                    split=Split(by="time", column="s"))  # fmt: skip
    assert [f.name for f in complete(schema, frame).schema.features] == ["g"]


def test_a_scenario_of_two_values_is_a_feature():
    """What the schema names is not set aside."""
    schema = complete(Schema(TASK, scenario="x"), table(x=[0, 1] * (N // 2))).schema
    assert schema.features == (Categorical("x"),)


def test_a_schema_with_features_is_kept():
    """Nothing is added to what a person wrote."""
    schema = Schema(TASK, (Numeric("x"),))
    inferred = complete(schema, table(x=range(N), z=range(N)))
    assert inferred.schema == schema
    assert not inferred.reasons


def test_an_inferred_schema_survives_yaml_words():
    """``to_data`` and ``read_schema`` are inverse on it."""
    frame = table(item=range(N), history_item=[[1], []] * (N // 2), n=[0.5, 1.0] * (N // 2))
    schema = infer_schema(frame, "y").schema
    assert read_schema(schema.to_data()) == schema


def test_every_absent_column_is_said_at_once_with_its_neighbour():
    """One fault per place that names a column."""
    schema = Schema((Task("yy"),), (Numeric("prise"), History("h", "prise", "h", time="no1")),
                    group="no2", weight="no3", time="no4", ignore=("no5",),
                    split=Split(by="time", column="no6"))  # fmt: skip
    with pytest.raises(SchemaError) as caught:
        complete(schema, table(price=range(N)))
    text = str(caught.value)
    assert len(caught.value.faults) == 9
    assert "features.prise: the table has no column 'prise'. Did you mean 'price'?" in text
    assert all(f"'no{i}'" in text for i in range(1, 7))


@pytest.mark.parametrize(
    ("feature", "values", "message"),
    [
        (Numeric("x"), ["a"] * N, "must be numeric, but is String, such as 'a'"),
        (Categorical("x"), [[1]] * N, "one value per row"),
        (Multi("x"), ["a,b"] * N, "a multi column must hold lists, but is String"),
        (Multi("x"), [[[1]]] * N, "plain values"),
    ],
)
def test_types_that_contradict_the_kind(feature, values, message):
    """A kind that the column's type excludes."""
    with pytest.raises(SchemaError, match=message):
        complete(Schema(TASK, (feature,)), table(x=values))


def test_all_contradictions_are_said_at_once():
    """Label, weight, group and feature in one error."""
    frame = table(t=["a"] * N, l=[[1]] * N)
    with pytest.raises(SchemaError) as caught:
        complete(Schema((Task("t"),), (Numeric("l"),), weight="t", group="l"), frame)
    assert len(caught.value.faults) == 4
    assert "tasks.t: a label must be numeric, but is String, such as 'a'." in str(caught.value)
