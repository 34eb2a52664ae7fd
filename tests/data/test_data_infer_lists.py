"""Lists in text and in list columns: bags, vectors, and histories of another column's values."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from automlrank.data import infer
from automlrank.data.infer import Inferred
from automlrank.data.read import open_table
from automlrank.schema import (
    CategoricalFeature,
    HistoryFeature,
    MultiFeature,
    Schema,
    Task,
    VectorFeature,
)

N = 600
RNG = np.random.default_rng(0)
ITEM, USER = RNG.integers(60, size=N) + 100, RNG.integers(50, size=N)
CLICK = RNG.integers(2, size=N)
GENRES = ["action", "comedy", "drama", "sci-fi", "film noir", "war", "crime"]


def of_label(**columns: object) -> Inferred:
    """What is inferred from a label alone."""
    frame = pl.DataFrame({"click": CLICK, "user_id": USER, "item_id": ITEM, **columns})
    with open_table(frame) as table:
        return infer.complete(Schema((Task("click", "inferred"),)), table)


def feature_of(name: str, values: object, **columns: object) -> object:
    schema = of_label(**{name: values}, **columns).schema
    return next((f for f in schema.features if f.source == name), None)


def draws(values: list[str], most: int = 3, least: int = 1) -> list[list[str]]:
    """Lists of different values, of several lengths."""
    lengths = RNG.integers(least, most + 1, size=N)
    return [list(RNG.choice(values, size, replace=False)) for size in lengths]


def past(least: int = 0, most: int = 5) -> list[list[int]]:
    """Lists of items, which vary from row to row."""
    lengths = RNG.integers(least, most + 1, size=N)
    return [RNG.choice(ITEM, size).tolist() for size in lengths]


def joined(lists: list[list[object]], separator: str) -> list[str]:
    return [separator.join(map(str, items)) for items in lists]


@pytest.mark.parametrize("separator", [",", "|", ";", "\t", "^"])
def test_text_whose_parts_come_back_is_a_bag(separator: str) -> None:
    """Blanks around parts are no part of them."""
    lists = draws(GENRES)
    assert feature_of("x", joined(lists, separator)) == MultiFeature("x", separator=separator)
    assert feature_of("x", joined(lists, f"{separator} ")) == MultiFeature("x", separator=separator)


def test_lists_of_few_with_several_parts_are_bags() -> None:
    """Most rows of KuaiRand have one tag."""
    lists = draws([str(n) for n in range(30)], most=1)
    for row in range(0, N, 12):
        lists[row].append(str((int(lists[row][0]) + 5) % 30))
    assert feature_of("tag", joined(lists, ",")) == MultiFeature("tag", separator=",")


def test_lists_as_python_and_json_print_them_are_bags() -> None:
    numbers = [[int(n) for n in RNG.integers(9, size=3)][: k % 4] for k in range(N)]
    words = draws(GENRES, least=0)
    for values in (
        [str(items) for items in numbers],
        [str(items).replace(" ", "") for items in numbers],
        [str([str(word) for word in items]) for items in words],
        [str([str(word) for word in items]).replace("'", '"') for items in words],
    ):
        assert feature_of("x", values) == MultiFeature("x", separator=",")
    printed = ["[" + " ".join(map(str, items)) + "]" for items in numbers]  # as NumPy does
    assert feature_of("x", printed) == MultiFeature("x", separator=" ")


def sentences() -> list[str]:
    return [f"Well made, {a} and {b}, so buy it now" for a, b in RNG.integers(99, size=(N, 2))]


def agents() -> list[str]:
    start = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    return [f"{start} Chrome/{n}.0" for n in RNG.integers(90, 99, size=N)]


def places() -> list[str]:
    return [f"Town {n}, {'FR' if n % 2 else 'DE'}" for n in RNG.integers(99, size=N)]


def records(first: list[str], second: list[str], separator: str) -> list[str]:
    return [
        separator.join(pair)
        for pair in zip(RNG.choice(first, N), RNG.choice(second, N), strict=True)
    ]


@pytest.mark.parametrize(
    "values",
    [
        sentences(),
        agents(),
        places(),
        records(["ios", "web"], ["de", "fr"], "|"),
        records(["Ann", "Bob"], ["Lee", "Ray"], ", "),
        [f"https://a.com/?x={n},{n % 3}" for n in RNG.integers(9, size=N)],
        [f'{{"a": {n}, "b": 1}}' for n in RNG.integers(9, size=N)],
        joined(draws(["red", "blue", "green", "dark red"]), " "),
        [f"phone {n}" for n in RNG.integers(9, size=N)],
        list(RNG.choice(["Clothing, Shoes & Bags", "Home, Garden", "Music", "Books"], N)),
    ],
    ids=["sentences", "agents", "places", "records", "names", "links", "objects", "words", "models",
         "categories"],
)  # fmt: skip
def test_other_text_with_separators_is_no_list(values: list[str]) -> None:
    assert feature_of("x", values) == CategoricalFeature("x")


def test_numbers_of_one_length_are_a_vector() -> None:
    numbers = RNG.normal(size=(N, 4)).round(3).tolist()
    assert feature_of("x", joined(numbers, ";")) == VectorFeature("x", separator=";")
    assert feature_of("x", [str(items) for items in numbers]) == VectorFeature("x", separator=",")
    assert feature_of("x", numbers) == VectorFeature("x")


def test_lists_of_whole_floats_of_any_length_are_bags() -> None:
    """Pandas makes such of ids where one is missing."""
    assert feature_of("x", [[float(n) for n in items] for items in past()], item_id=USER) == (
        MultiFeature("x")
    )


@pytest.mark.parametrize("name", ["x", "viewed", "recent_items", "itemHistory"])
@pytest.mark.parametrize("separator", [None, "|", ",", " "])
def test_lists_of_values_of_another_column_are_its_history(
    name: str, separator: str | None
) -> None:
    """By the values, whatever the name; text that holds nothing else is a list also by blanks."""
    lists = past()
    values = lists if separator is None else joined(lists, separator)
    assert feature_of(name, values) == HistoryFeature(
        name, of="item_id", sequence=name, separator=separator
    )


@pytest.mark.parametrize("separator", [" > ", "/", "#", "&", "_", "-", ":"])
def test_other_marks_separate_lists_of_unlike_lengths_of_ids(separator: str) -> None:
    """10-19 is a range, and 7_12 a user and an item."""
    lists, mark = past(), separator.strip()
    found = feature_of("seen", joined(lists, separator))
    assert found == HistoryFeature("seen", of="item_id", sequence="seen", separator=mark)
    pairs = [separator.join(map(str, RNG.choice(ITEM, 2))) for _ in range(N)]
    assert feature_of("pair", pairs) == CategoricalFeature("pair")


def test_a_history_may_be_printed_in_brackets_or_be_of_text_ids() -> None:
    items = [f"v{n}" for n in ITEM]
    lists = [[f"v{n}" for n in row] for row in past()]
    curly = [f"{{{text}}}" for text in joined(lists, ",")]
    tuples = [str(tuple(row)) for row in lists]
    for values in (joined(lists, ","), [str(row) for row in lists], tuples, curly):
        found = feature_of("seen", values, item_id=items)
        assert found == HistoryFeature("seen", of="item_id", sequence="seen", separator=",")


def test_tags_of_an_item_are_no_history() -> None:
    """They belong to it: the same in all of its rows, though all are values of another column."""
    of_item = {item: RNG.choice(50, 2).tolist() for item in set(ITEM.tolist())}
    assert feature_of("tags", [of_item[item] for item in ITEM.tolist()]) == MultiFeature("tags")
    related = {item: RNG.choice(ITEM, 2).tolist() for item in set(ITEM.tolist())}
    assert feature_of("related", [related[n] for n in ITEM.tolist()]) == MultiFeature("related")


def test_small_numbers_in_lists_are_no_history_by_chance() -> None:
    """Few rows' users are among them, hours and ages are no ids, and ten tags are too few."""
    lists = [RNG.integers(20, size=k % 4).tolist() for k in range(N)]
    many = RNG.integers(5000, size=N)
    assert feature_of("x", lists, user_id=many) == MultiFeature("x")
    assert feature_of("x", lists, hour=RNG.integers(24, size=N), user_id=many) == MultiFeature("x")
    few = [[n % 5 for n in row] for row in lists]
    assert feature_of("x", few) == MultiFeature("x")


def test_of_two_columns_a_history_is_of_the_one_that_its_name_says() -> None:
    lists = past()
    found = feature_of("clicked_item_ids", lists, author_id=ITEM, item_id=RNG.permutation(ITEM))
    assert found == HistoryFeature("clicked_item_ids", of="item_id", sequence="clicked_item_ids")


def test_times_beside_a_history_are_its_times() -> None:
    """Lists of as many times as items, also as text, where the row's time is known."""
    now = 1_650_000_000 + 60 * np.arange(N)
    lists = past()
    when = [
        sorted(int(t) - 60 * int(k) for k in range(1, len(r) + 1))
        for t, r in zip(now, lists, strict=True)
    ]
    texts = {"seen": joined(lists, "|"), "seen_ts": joined(when, "|")}
    iso = pl.Series(when, dtype=pl.List(pl.Int64)).list.eval(
        pl.from_epoch(pl.element()).dt.strftime("%Y-%m-%d %H:%M:%S")
    )
    for columns, separator in (
        ({"seen": lists, "seen_ts": when}, None),
        (texts, "|"),
        ({"seen": lists, "seen_ts": joined(when, "|")}, "|"),
        ({"seen": lists, "seen_ts": iso}, None),
        ({**texts, "seen_ts": joined(iso.to_list(), "|")}, "|"),
    ):
        found = of_label(**columns, time=now)
        assert found.schema.feature("seen") == HistoryFeature(
            "seen", of="item_id", sequence="seen", time="seen_ts", separator=separator
        )
        assert found.reasons["seen_ts"] == "no feature: the times of a history"
        alone = of_label(**columns)
        assert alone.schema.feature("seen").time is None
        assert "no time of the row is known" in alone.reasons["seen_ts"]
    other = of_label(seen=texts["seen"], seen_ts=joined(when, ","), time=now)
    assert other.schema.feature("seen").time is None
    assert other.reasons["seen_ts"] == "left out: lists of times of no history"


def test_histories_of_one_length_are_one_sequence() -> None:
    """With text of two separators only one of them can have the times."""
    now = 1_650_000_000 + 60 * np.arange(N)
    lists = past()
    shop_of = {item: f"shop{item % 9}" for item in set(ITEM.tolist())}
    shops = [shop_of[item] for item in ITEM.tolist()]
    past_shops = joined([[shop_of[item] for item in row] for row in lists], ",")
    when = [[int(t) - 60] * len(row) for t, row in zip(now, lists, strict=True)]
    found = of_label(
        shop=shops, seen=joined(lists, "|"), seen_shops=past_shops, seen_ts=when, time=now
    )
    assert found.schema.feature("seen").time == "seen_ts"
    assert found.schema.feature("seen_shops") == HistoryFeature(
        "seen_shops", of="shop", sequence="seen", separator=","
    )
