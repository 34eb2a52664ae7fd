"""What is said where a schema does not fit its table."""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl
import pytest

from automlrank.data.check import check
from automlrank.data.read import open_table
from automlrank.errors import SchemaError
from automlrank.schema import (
    CategoricalFeature,
    Feature,
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


def table(**columns: object) -> pl.DataFrame:
    return pl.DataFrame({"y": [0, 1] * (N // 2), **columns})


def faults_of(schema: Schema, frame: pl.DataFrame) -> list[str]:
    """The faults in words, none where the schema fits."""
    with open_table(frame) as opened:
        try:
            check(schema, opened)
        except SchemaError as error:
            return [str(fault) for fault in error.faults]
    return []


def test_every_absent_column_is_said_at_once_with_its_neighbour() -> None:
    """One fault per place that names a column."""
    features = (NumericFeature("prise"), HistoryFeature("h", "prise", "h", time="no1"))
    schema = Schema((Task("yy"),), features,
                    group="no2", weight="no3", time="no4", ignore=("no5",), scenario="no6",
                    split=Split(by="group", column="no7"))  # fmt: skip
    faults = faults_of(schema, table(price=range(N)))
    assert len(faults) == 12
    assert "features.prise: the table has no column 'prise'. Did you mean 'price'?" in faults
    assert all(any(f"'no{i}'" in fault for fault in faults) for i in range(1, 8))


def test_faults_of_a_file_name_its_lines(tmp_path: Path) -> None:
    """File, line, path, problem, nearest name: for absent columns and for wrong types."""
    file = tmp_path / "schema.yaml"
    file.write_text(
        "tasks:\n  y: {kind: binary}\nfeatures:\n  prise: {kind: numeric}\n"
        "  page: {kind: numeric}\nignore: [a, b]\n"
    )
    faults = faults_of(read_schema(file), table(price=range(N), page=["x"] * N, a=range(N)))
    assert faults == [
        f"{file}:4: features.prise: the table has no column 'prise'. Did you mean 'price'?",
        f"{file}:6: ignore[1]: the table has no column 'b'. Known: a, page, price, y.",
        f"{file}:5: features.page: a numeric column must be numeric, but is String, such as 'x' in "
        "row 1. Make it categorical, or name its spellings of null, as nulls: {add: [...]}.",
    ]


@pytest.mark.parametrize(
    ("feature", "values", "message"),
    [
        (NumericFeature("x"), ["a"] * N, "must be numeric, but is String, such as 'a'"),
        (CategoricalFeature("x"), [[1]] * N, "one value per row"),
        (CategoricalFeature("x"), [{"a": 1}] * N, "one value per row"),
        (MultiFeature("x"), ["a,b"] * N, "a multi column must hold lists, but is String"),
        (MultiFeature("x"), [[[1]]] * N, "plain values"),
        (MultiFeature("x", separator=","), [{"a": 1}] * N, "must hold lists or text"),
        (VectorFeature("x"), ["1 2"] * N, "a vector column must hold lists, but is String"),
        (VectorFeature("x"), [["a"]] * N, "a vector column must hold lists of numbers"),
        (VectorFeature("x"), [0.5] * N, "a vector column must hold lists, but is Float64"),
    ],
)
def test_types_that_contradict_the_kind(
    feature: Feature, values: list[object], message: str
) -> None:
    """A kind that the column's type excludes."""
    (fault,) = faults_of(Schema(TASK, (feature,)), table(x=values))
    assert message in fault


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        (NumericFeature("x"), [True, False] * (N // 2)),
        (NumericFeature("x"), [None] * N),
        (CategoricalFeature("x"), [datetime.date(2022, 5, 1)] * N),
        (MultiFeature("x", separator=","), ["a,b"] * N),
        (MultiFeature("x"), [[], None] * (N // 2)),
        (VectorFeature("x"), [[1, 2]] * N),
        (VectorFeature("x"), pl.Series([[0.5, 1.0]] * N, dtype=pl.Array(pl.Float32, 2))),
        (VectorFeature("x", separator=" "), ["1 2"] * N),
    ],
)
def test_types_that_go_with_the_kind(feature: Feature, values: object) -> None:
    assert faults_of(Schema(TASK, (feature,)), table(x=values)) == []


def test_the_times_of_a_history_are_lists_or_text_with_its_separator() -> None:
    def faults(times: object, separator: str | None = None) -> list[str]:
        items = ["1,2"] * N if separator else [[1, 2]] * N
        history = HistoryFeature("h", "item", "h", time="times", separator=separator)
        schema = Schema(TASK, (CategoricalFeature("item"), history), time="t")
        return faults_of(schema, table(item=range(N), h=items, times=times, t=range(N)))

    assert faults([[1, 2]] * N) == []
    assert faults([[datetime.datetime(2022, 5, 1)]] * N) == []
    assert faults(["1,2"] * N, ",") == []
    assert "features.h.time: the time column must hold lists, but is Int64" in faults([1] * N)[0]
    assert faults([["2022-05-01", "2022-05-02T10:00:00"]] * N) == []
    (fault,) = faults(pl.Series([[1]] * N).cast(pl.List(pl.Duration)))
    assert "lists of numbers or times, but is List(Duration" in fault


def test_text_may_be_the_time_of_ages_and_rates() -> None:
    """Whether it is ISO 8601 is seen when it is read."""
    days = table(t=["2022-05-01"] * N, item=range(N), h=[[1]] * N, times=[["2022-04-01"]] * N)
    features = (CategoricalFeature("item"), HistoryFeature("h", "item", "h", time="times"))
    rates = TargetStatistics(("item",), form="earlier_days")
    split = Split(by="time", column="t")
    assert faults_of(Schema(TASK, features, statistics=rates, time="t", split=split), days) == []


@pytest.mark.parametrize("kind", [pl.Time(), pl.Duration()])
def test_a_time_of_day_or_a_duration_is_no_time(kind: pl.DataType) -> None:
    frame = table(t=pl.Series([3] * N).cast(pl.Int64).cast(kind))
    faults = faults_of(Schema(TASK, time="t", split=Split(by="time", column="t")), frame)
    assert [fault.split(":")[0] for fault in faults] == ["time", "split.column"]
    assert all("a time must be a number or a date, but column 't' is" in fault for fault in faults)


DURATION = pl.Series([3] * N).cast(pl.Duration("us"))


@pytest.mark.parametrize(
    ("schema", "place", "said"),
    [
        (Schema(TASK, (CategoricalFeature("d"),)), "features.d", "one value per row"),
        (Schema(TASK, group="d"), "group", "one value per row"),
        (Schema(TASK, split=Split(by="group", column="d")), "split.column", "one value per row"),
        (Schema(TASK, (MultiFeature("d"),)), "features.d", "must hold lists"),
    ],
)
def test_a_duration_is_refused_by_name_where_it_is_no_amount(
    schema: Schema, place: str, said: str
) -> None:
    (fault,) = faults_of(schema, table(d=DURATION))
    assert fault.startswith(f"{place}: ")
    assert said in fault
    assert "is Duration" in fault


def test_lists_of_durations_are_no_ids() -> None:
    frame = table(d=pl.Series([[3]] * N).cast(pl.List(pl.Duration("us"))))
    (fault,) = faults_of(Schema(TASK, (MultiFeature("d"),)), frame)
    assert fault.startswith("features.d: a multi column must hold lists of plain values, but is")


def test_a_duration_is_a_number_of_seconds() -> None:
    assert faults_of(Schema(TASK, (NumericFeature("d"),)), table(d=DURATION)) == []


def test_a_label_of_text_is_to_be_stored_as_numbers() -> None:
    (fault,) = faults_of(Schema((Task("x"),)), table(x=["0", "yes"] * (N // 2)))
    assert fault == (
        "tasks.x: a label must be numeric, but is String, such as 'yes' in row 2. "
        "Store it as numbers."
    )


def test_roles_need_one_value_per_row() -> None:
    """Scenario, group, time and the column of a split."""
    schema = Schema(TASK, scenario="l", group="l", time="l", split=Split(by="time", column="l"))
    faults = faults_of(schema, table(l=[[1]] * N))
    assert [fault.split(":")[0] for fault in faults] == [
        "scenario",
        "group",
        "time",
        "split.column",
    ]
    assert all("one value per row, but column 'l' is List(Int64)" in fault for fault in faults)


def test_all_contradictions_are_said_at_once() -> None:
    """Label, weight, group and feature in one error."""
    schema = Schema((Task("t"),), (NumericFeature("l"),), weight="t", group="l")
    faults = faults_of(schema, table(t=["a"] * N, l=[[1]] * N))
    assert len(faults) == 4
    assert (
        "tasks.t: a label must be numeric, but is String, such as 'a' in row 1. "
        "Store it as numbers."
    ) in faults
