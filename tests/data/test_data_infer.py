"""What columns are taken for, and why."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from automlrank.data import infer
from automlrank.data.infer import Inferred
from automlrank.data.read import open_table
from automlrank.data.summary import Summary, binary_columns, summarize
from automlrank.errors import SchemaError
from automlrank.schema import (
    CategoricalFeature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Split,
    TargetStatistics,
    Task,
    VectorFeature,
    read_schema,
)

N = 40
TASK = (Task("y"),)


def table(**columns) -> pl.DataFrame:
    return pl.DataFrame({"y": [0, 1] * (N // 2), **columns})


def complete(schema: Schema, frame: pl.DataFrame) -> Inferred:
    with open_table(frame) as opened:
        return infer.complete(schema, opened)


def infer_schema(frame: pl.DataFrame, label: str) -> Inferred:
    return complete(Schema((Task(label),)), frame)


def feature_of(name: str, values, **others):
    inferred = infer_schema(table(**{name: values}, **others), "y")
    return next((f for f in inferred.schema.features if f.name == name), None), inferred


@pytest.mark.parametrize(
    ("values", "feature"),
    [
        (list(range(N)), CategoricalFeature("x")),
        (["a", "b"] * (N // 2), CategoricalFeature("x")),
        ([0.0, 1.0, 2.0, None] * (N // 4), CategoricalFeature("x")),
        ([0.5, 1.0] * (N // 2), NumericFeature("x")),
        ([["a"], []] * (N // 2), MultiFeature("x")),
        ([0, None] * (N // 2), CategoricalFeature("x")),
        ([[0.5, 1.0], [2.0, 0.25]] * (N // 2), VectorFeature("x")),
        ([[0.5, 1.0], None] * (N // 2), VectorFeature("x")),
    ],
)
def test_kinds(values, feature):
    """Numbers in codes and text are ids, lists bags or vectors, the rest numbers."""
    found, inferred = feature_of("x", values)
    assert found == feature
    assert inferred.reasons["x"].startswith(feature.kind)


@pytest.mark.parametrize("kind", [pl.Int64, pl.Float64, pl.Float32, pl.UInt16])
def test_many_valued_whole_numbers_are_ids_and_numbers(kind):
    """Stored as floats, as pandas does where a value is null, or not."""
    values = pl.Series([i % 101 for i in range(202)], dtype=kind)
    frame = pl.DataFrame({"y": [0, 1] * 101, "x": values})
    number = NumericFeature("x_number", transform="log", column="x")
    assert infer_schema(frame, "y").schema.features == (CategoricalFeature("x"), number)


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
        ([datetime.date(2022, 5, 1), None] * (N // 2), "left out: a time"),
        ([[0.5]] * N, "no feature can be made"),
        ([[0.5, 1.0], [0.5]] * (N // 2), "no feature can be made"),
        ([[0.5, 1.0], [0.5, None]] * (N // 2), "no feature can be made"),
        ([{"a": 1}] * N, "no feature can be made"),
    ],
)
def test_what_is_left_out_has_its_reason(values, reason):
    """Constant, null, temporal and nested columns are no features."""
    found, inferred = feature_of("x", values)
    assert found is None
    assert reason in inferred.reasons["x"]


def test_a_row_id_is_left_out():
    """An id that (almost) every row has for itself teaches nothing."""
    frame = pl.DataFrame({"y": [0, 1] * 600, "x": range(1200)})
    assert "1200 distinct values in 1200 rows" in infer_schema(frame, "y").reasons["x"]


@pytest.mark.parametrize(("unit", "per"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("step", [1, 0, -1])
def test_a_timestamp_is_left_out_with_its_unit(unit, per, step):
    """Whole numbers from 2000 to 2100 that hardly repeat, or that are in order."""
    times = [(1_650_000_000 + 60 * (i * step if step else i // 2)) * per for i in range(N)]
    found, inferred = feature_of("x", times)
    assert found is None
    assert f"a time in {unit}; name it under time and split" in inferred.reasons["x"]


@pytest.mark.parametrize(
    "values",
    [
        [20220503 + i for i in range(N)],
        [1_650_000_000 + (7 * i) % 10 for i in range(N)],
        [1_650_000_000 + i for i in range(N - 1)] + [0],
    ],
)
def test_other_whole_numbers_are_no_timestamps(values):
    """Dates as numbers, few values in no order, and what lies outside of 2000 to 2100."""
    assert feature_of("x", values)[0] == CategoricalFeature("x")


ROWS = 2000


def amounts_of(name: str, values, **others) -> list:
    """The features that are made of a column, among 2,000 rows."""
    frame = pl.DataFrame({"y": [0, 1] * (ROWS // 2), name: values, **others})
    return [f for f in infer_schema(frame, "y").schema.features if f.source == name]


@pytest.mark.parametrize("distinct", [50, 100])
def test_whole_numbers_that_repeat_are_ids_and_amounts(distinct):
    """Also those that nulls have made floats; the features stand together."""
    ids, number = (
        CategoricalFeature("age"),
        NumericFeature("age_number", transform="log", column="age"),
    )
    ages = [i % distinct for i in range(ROWS)]
    assert amounts_of("age", ages) == [ids, number]
    assert amounts_of("age", [None, *map(float, ages[1:])]) == [ids, number]
    frame = pl.DataFrame({"y": [0, 1] * (ROWS // 2), "age": ages, "b": ["x", "z"] * (ROWS // 2)})
    found = infer_schema(frame, "y")
    assert found.schema.features == (ids, number, CategoricalFeature("b"))
    assert found.reasons["age"] == "ids and amounts"
    assert read_schema(found.schema.to_data()) == found.schema


def test_the_amounts_name_is_free():
    ages = [i % 60 for i in range(ROWS)]
    taken = {"age_number": ["x", "z"] * (ROWS // 2)}
    assert [f.name for f in amounts_of("age", ages, **taken)] == ["age", "age_number_"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("age", [i % 49 for i in range(ROWS)]),
        ("age", [f"{i % 60}y" for i in range(ROWS)]),
        ("shop_id", [i % 60 for i in range(ROWS)]),
        ("code", [i % 60 for i in range(ROWS)]),
    ],
)
def test_few_values_text_and_what_is_named_like_an_id_are_ids_alone(name, values):
    assert amounts_of(name, values) == [CategoricalFeature(name)]


@pytest.mark.parametrize("name", ["history_item", "item_history", "hist_item"])
def test_lists_named_after_a_column_are_its_histories(name):
    """``history_X``, ``X_history`` and ``hist_X``, where X is a column."""
    found, _ = feature_of(name, [[1], []] * (N // 2), item=list(range(N)))
    assert found == HistoryFeature(name, of="item", sequence=name)


def test_histories_of_equal_lengths_are_one_sequence_with_its_times():
    """Lengths say what belongs together; the history of the schema's time is the times."""
    frame = table(item=range(N), cat=["a", "b"] * (N // 2), t=range(N),
                  history_item=[[1], [1, 2]] * (N // 2), history_t=[[5], [5, 6]] * (N // 2),
                  history_cat=[["a"], ["b", "a"]] * (N // 2), cat_history=[["a"], []] * (N // 2)
                  )  # fmt: skip
    schema = complete(Schema(TASK, time="t"), frame).schema
    assert {f.name: (f.sequence, f.time) for f in schema.of_role("history")} == {
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
    assert schema.features == (CategoricalFeature("x"),)


def test_a_schema_with_features_is_kept():
    """Nothing is added to what a person wrote."""
    schema = Schema(TASK, (NumericFeature("x"),))
    inferred = complete(schema, table(x=range(N), z=range(N)))
    assert inferred.schema == schema
    assert not inferred.reasons


def test_an_inferred_schema_survives_yaml_words():
    """``to_data`` and ``read_schema`` are inverse on it."""
    frame = table(item=range(N), history_item=[[1], []] * (N // 2), n=[0.5, 1.0] * (N // 2))
    schema = infer_schema(frame, "y").schema
    assert read_schema(schema.to_data()) == schema


def test_what_an_inferred_schema_refers_to_is_checked():
    """A cross and statistics of columns that become no feature of ids."""
    schema = Schema(TASK, crosses=(("a", "n"),), statistics=TargetStatistics(("n",)))
    with pytest.raises(SchemaError) as caught:
        complete(schema, table(a=range(N), n=[0.5, 1.0] * (N // 2)))
    assert len(caught.value.faults) == 2
    assert "must be a categorical feature, but got 'n'" in str(caught.value)


MANY = {"a": list(range(N)), "b": list(range(N))}


def test_statistics_are_inferred_of_columns_with_many_values():
    assert infer_schema(table(**MANY), "y").schema.statistics == TargetStatistics(("a", "b"))
    crossed = Schema(TASK, crosses=(("a", "b"),))
    few = table(a=["x", "z"] * (N // 2), b=["x", "z"] * (N // 2))
    assert complete(crossed, few).schema.statistics == TargetStatistics()


def test_empty_statistics_are_not_inferred():
    schema = complete(Schema(TASK, statistics=TargetStatistics()), table(**MANY)).schema
    assert schema.statistics == TargetStatistics()
    assert schema.statistic_columns == {}


@pytest.mark.parametrize("tasks", [("y", "z"), ("z", "y")])
def test_tasks_of_any_kind_have_statistics(tasks):
    kinds = {"y": Task("y"), "z": Task("z", "regression")}
    schema = Schema(tuple(kinds[name] for name in tasks))
    frame = table(z=[i / 2 for i in range(N)], **MANY)
    alone = complete(Schema((Task("y"),)), frame.drop("z"))
    assert complete(schema, frame).schema.statistics == alone.schema.statistics != None  # noqa: E711


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1] * (N // 2), "binary"),
        ([True, False] * (N // 2), "binary"),
        ([0.0, None, 1.0, float("nan")] * (N // 4), "binary"),
        ([-1, 1] * (N // 2), "binary"),  # which its check refuses
        ([0, 1, 2, 0] * (N // 4), "regression"),
        ([0.0, 3.5, 12.25, 0.0] * (N // 4), "regression"),
    ],
)
def test_a_label_alone_of_more_than_two_numbers_is_a_regression(values, kind):
    """But for a stray one among hundreds of 0 and 1: see below."""
    frame = table(x=["a", "b"] * (N // 2), z=values)
    assert complete(Schema((Task("z", "inferred"),)), frame).schema.tasks == (Task("z", kind),)
    said = Schema((Task("z", "binary"),))
    assert complete(said, frame).schema.tasks == said.tasks


def test_a_stray_third_value_makes_no_regression():
    labels = [0, 1] * 100
    for strays, kind in ((1, "binary"), (2, "regression")):
        frame = pl.DataFrame({"z": [*labels[strays:], *[7] * strays], "x": ["a", "b"] * 100})
        assert complete(Schema((Task("z", "inferred"),)), frame).schema.tasks[0].kind == kind


def test_binary_columns_hold_0_and_1_and_nothing_else():
    """Whatever is null, and whatever type holds them."""
    frame = table(
        bools=[True, False] * (N // 2),
        text=["0", "1"] * (N // 2),
        nulls=[0.0, 1.0, None, float("nan")] * (N // 4),
        zeros=[0] * N,
        two=[0, 1, 2, 1] * (N // 4),
        words=["0", "a"] * (N // 2),
        lists=[[0], [1]] * (N // 2),
    )
    with open_table(frame) as opened:
        assert binary_columns(opened) == ("y", "bools", "text", "nulls")


def test_a_summary_counts_values_inside_of_lists_and_nan_as_null():
    frame = table(
        lists=[[1, 2], [], [2, 3], None] * (N // 4),
        floats=[0.5, float("nan"), None, 2.0] * (N // 4),
        structs=[{"a": 1}] * N,
    )
    with open_table(frame) as opened:
        found = summarize(opened, ["lists", "floats", "structs"])
    assert found == {
        "lists": Summary(distinct=3, nulls=N // 4),
        "floats": Summary(distinct=2, nulls=N // 2, low=0.5, high=2.0),
        "structs": Summary(distinct=0, nulls=0),
    }
