"""Names like an id's and like a time's, in every style."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from automlrank.data import infer
from automlrank.data.inference.names import is_id, is_time
from automlrank.data.read import open_table
from automlrank.schema import CategoricalFeature, NumericFeature, Schema, Task

IDS = (
    *("id", "ID", "user_id", "userId", "UserID", "USERID", "user id", "user.id", "user-id"),
    *("userid", "movieId", "adid", "uid", "pid", "guid", "UUID", "eventUUID", "itemCode", "code"),
    *("item_key", "hash", "user_id_hash", "sku", "product_SKU", "isbn", "user_ids", "cat_id_2"),
    *("order_no", "Artikel-Nr", "id_user", "idUser", "User IDs", "商品id", "postalcode"),
)
NO_IDS = (
    *("paid", "valid", "bid", "grid", "android", "fluid", "video", "user", "item", "keyboard"),
    *("aids", "kids", "prepaid", "void", "covid", "centroid", "price", "id_count", "hash_tags"),
    *("decode", "monkey", "avoid", "idea", "keyword_count", ""),
)


@pytest.mark.parametrize("name", IDS)
def test_names_of_ids(name: str) -> None:
    assert is_id(name)


@pytest.mark.parametrize("name", NO_IDS)
def test_names_that_end_like_an_id(name: str) -> None:
    assert not is_id(name)


@pytest.mark.parametrize(
    "name",
    ["time", "timestamp", "ts", "Date", "created_at", "eventTime", "time_ms", "when", "hour"],
)
def test_names_of_times(name: str) -> None:
    assert is_time(name)


@pytest.mark.parametrize("name", ["price", "events", "products", "date_id", "what", "contest"])
def test_names_of_no_times(name: str) -> None:
    assert not is_time(name)


N = 2000
LABEL = {"y": [0, 1] * (N // 2)}


def features_of(name: str, values: object) -> list[object]:
    with open_table(pl.DataFrame({**LABEL, name: values})) as table:
        found = infer.complete(Schema((Task("y"),)), table)
    return [feature for feature in found.schema.features if feature.source == name]


@pytest.mark.parametrize("stored", [pl.Int64, pl.Float64, pl.UInt32, pl.Float32])
@pytest.mark.parametrize("name", ["userId", "UserID", "user id", "user.id"])
def test_whole_numbers_named_like_an_id_are_ids(name: str, stored: pl.DataType) -> None:
    """Also floats, which pandas makes of whole numbers where one is missing."""
    values = pl.Series([None, *(i % 700 for i in range(N - 1))], dtype=stored)
    assert features_of(name, values) == [CategoricalFeature(name)]


@pytest.mark.parametrize("stored", [pl.Int64, pl.Float64])
@pytest.mark.parametrize("distinct", [50, 101, 700, 1800])
def test_other_whole_numbers_are_ids_and_amounts(stored: pl.DataType, distinct: int) -> None:
    """However they are stored, and however many values they have."""
    values = pl.Series([i % distinct for i in range(N)], dtype=stored)
    number = NumericFeature("age_number", transform="log", column="age")
    assert features_of("age", values) == [CategoricalFeature("age"), number]


def test_a_rows_own_numbers_are_its_id_or_an_amount() -> None:
    """An id where the name, or their order, or their size says so."""
    drawn = np.random.default_rng(0).permutation(N) * 17
    assert features_of("viewing", drawn) == [NumericFeature("viewing", transform="log")]
    assert features_of("view_id", drawn) == []
    assert features_of("viewing", np.sort(drawn)) == []
    assert features_of("viewing", np.random.default_rng(0).permutation(N) + 5) == []
    assert features_of("viewing", drawn + 2**60) == []


def test_numbers_that_floats_cannot_tell_apart_are_ids() -> None:
    assert features_of("x", 2**60 + np.arange(N) % 70) == [CategoricalFeature("x")]
