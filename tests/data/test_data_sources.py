"""Features that name their column: the table might as well hold it under each name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from automlrank.data.dataset import Dataset
from automlrank.data.synthetic import synthetic_frame
from automlrank.data.values import EncodingError, Ragged
from automlrank.errors import SchemaError
from automlrank.jobs.inspect import inspect
from automlrank.schema import (
    CategoricalFeature,
    Feature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    TargetStatistics,
    Task,
    VectorFeature,
    read_schema,
)

ROWS = 600
OTHERS: tuple[Feature, ...] = (
    CategoricalFeature("age_id", side="user", column="age"),
    CategoricalFeature("user_hash", side="user", buckets=9, column="user_id"),
    NumericFeature("user_number", side="user", transform="log", column="user_id"),
    NumericFeature("price_rank", transform="quantile", column="price"),
    NumericFeature("price_range", transform="bucket", buckets=5, column="price"),
    CategoricalFeature("same_category", shared_with="category", column="category"),
    MultiFeature("first_tags", max_length=2, column="tags"),
    VectorFeature("size_again", column="size"),
    HistoryFeature("seen", "item_id", "seen", max_length=5, side="user", column="history_item_id"),
)


def table() -> tuple[pl.DataFrame, Schema]:
    """A table, and a schema with a second feature of many of its columns."""
    frame, schema = synthetic_frame(ROWS)
    sizes = np.random.default_rng(1).normal(size=(ROWS, 3)).tolist()
    frame = frame.with_columns(size=pl.Series(sizes))
    return frame, dataclasses.replace(
        schema,
        features=(*schema.features, *OTHERS),
        statistics=TargetStatistics(("user_id", "age_id")),
        crosses=(("age_id", "price_range"),),
    )


def assert_equal_stores(one: Dataset, other: Dataset) -> None:
    """Bit by bit, in every split."""
    assert one.schema.fitted({}).statistic_columns == other.schema.fitted({}).statistic_columns
    assert one.encoder.sizes == other.encoder.sizes
    for split, arrays in one.store.splits.items():
        others = other.store.splits[split]
        assert arrays.keys() == others.keys()
        for key, array in arrays.items():
            pair = (array, others[key])
            parts = [(a.values, a.starts) if isinstance(a, Ragged) else (a,) for a in pair]
            for mine, theirs in zip(*parts, strict=True):
                assert mine.dtype == theirs.dtype
                np.testing.assert_array_equal(mine, theirs)


def test_two_features_of_a_column_equal_the_column_under_two_names(tmp_path: Path) -> None:
    """Of every kind, with rates of it, and in new rows."""
    frame, schema = table()
    copied = frame.with_columns(pl.col(f.source).alias(f.name) for f in OTHERS)
    plain = tuple(dataclasses.replace(f, column=None) for f in schema.features)
    named = Dataset.open(frame, schema, cache=tmp_path)
    twice = Dataset.open(copied, dataclasses.replace(schema, features=plain), cache=tmp_path)
    assert_equal_stores(named, twice)
    new, again = named.encoder.encode(frame[:50]), twice.encoder.encode(copied[:50])
    assert {"multi:first_tags", "vector:size_again", "history:seen"} <= new.keys()
    for key in ("ids:request", "ids:item", "numbers:request", "statistics:item"):
        np.testing.assert_array_equal(new[key], again[key])
    assert not {f.name for f in OTHERS} & {*named.encoder.reads, *named.raw_rows()[0].columns}


def test_names_may_be_those_of_other_columns(tmp_path: Path) -> None:
    """Two that change places, and one named like a history's times."""
    frame, schema = synthetic_frame(ROWS)
    places = {"item_id": "category", "category": "item_id"}
    features = tuple(
        dataclasses.replace(f, column=places.get(f.name)) if f.role == "ids" else f
        for f in schema.features
    )
    features += (
        CategoricalFeature("history_time", column="page"),
        NumericFeature("time", column="price"),
    )
    swapped = dataclasses.replace(schema, features=features)
    renamed = frame.rename({"item_id": "category", "category": "item_id"})
    renamed = renamed.with_columns(page2="page", price2="price")
    of_copies = {"history_time": "page2", "time": "price2"}
    expected = tuple(dataclasses.replace(f, column=of_copies.get(f.name)) for f in features)
    assert_equal_stores(
        Dataset.open(frame, swapped, cache=tmp_path),
        Dataset.open(renamed, dataclasses.replace(schema, features=expected), cache=tmp_path),
    )


def test_the_scenario_is_a_feature_whatever_its_column(tmp_path: Path) -> None:
    frame, schema = synthetic_frame(ROWS)
    features = tuple(
        dataclasses.replace(f, name="where", column="page") if f.name == "page" else f
        for f in schema.features
    )
    named = Dataset.open(
        frame, dataclasses.replace(schema, features=features, scenario="where"), cache=tmp_path
    )
    plain = Dataset.open(frame, schema, cache=tmp_path)
    found, expected = named.scenarios("valid"), plain.scenarios("valid")
    assert found is not None
    assert expected is not None
    np.testing.assert_array_equal(found, expected)
    assert named.scenario_names([3, 4, 5]) == plain.scenario_names([3, 4, 5])


def test_a_schema_with_columns_is_read_back_from_its_own_words() -> None:
    _, schema = table()
    assert read_schema(schema.to_data()) == schema
    given = {"kind": "numeric", "transform": "log", "column": "age"}
    assert read_schema({"tasks": {"y": None}, "features": {"n": given}}).features == (
        NumericFeature("n", transform="log", column="age"),
    )


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (
            NumericFeature("n", column="agee"),
            "features.n.column: the table has no column 'agee'. Did you mean 'age'?",
        ),
        (
            NumericFeature("n", column="page"),
            "features.n.column: a numeric column must be numeric, but",
        ),
        (
            MultiFeature("n", column="age"),
            "features.n.column: a multi column must hold lists, but is",
        ),
        (NumericFeature("n", column="buy"), "features.n: a label must not be a feature."),
        (
            NumericFeature("n", column="old"),
            "features.n: the incumbent's score 'old' must be no label",
        ),
    ],
)
def test_a_fault_stands_where_the_column_is_named(
    feature: Feature, words: str, tmp_path: Path
) -> None:
    frame, schema = synthetic_frame(ROWS)
    frame = frame.with_columns(old="price")
    schema = dataclasses.replace(schema, features=(*schema.features, feature), incumbent="old")
    with pytest.raises(SchemaError) as caught:
        Dataset.open(frame, schema, cache=tmp_path)
    assert [words in str(fault) for fault in caught.value.faults] == [True]


def test_what_cannot_be_encoded_is_said_of_the_column(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [*range(40)], "y": [0, 1] * 20})
    data = Dataset.open(
        frame, Schema((Task("y"),), (NumericFeature("n", column="a"),)), cache=tmp_path
    )
    with pytest.raises(EncodingError, match="the table has no column 'a'"):
        data.encoder.encode(frame.drop("a"))
    with pytest.raises(EncodingError, match="column 'a' must be numeric"):
        data.encoder.encode(frame.with_columns(a=pl.lit("x")))


def test_an_inspection_is_of_columns() -> None:
    frame, schema = table()
    found = inspect(frame, schema)
    assert list(found.columns) == frame.columns
    assert not {f.source for f in schema.features} & set(found.unused)
    assert found.columns["size"].reason == "named in the schema"
    assert found.schema.features == schema.features


def test_whole_numbers_named_like_an_id_may_be_amounts_beside_their_ids() -> None:
    frame = pl.DataFrame({"some_id": [i % 200 for i in range(2000)], "y": [0, 1] * 1000})
    number = NumericFeature("n", column="some_id")
    alone = inspect(frame, Schema((Task("y"),), (number,)))
    both = inspect(frame, Schema((Task("y"),), (CategoricalFeature("some_id"), number)))
    assert any("named like an id" in sentence for sentence in alone.suspicions)
    assert not any("named like an id" in sentence for sentence in both.suspicions)
