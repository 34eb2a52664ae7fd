"""A small table of impressions with every kind of column and a signal that models can learn."""

from __future__ import annotations

import numpy as np
import polars as pl

from automlrank.data.values import Array
from automlrank.schema import (
    CategoricalFeature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Split,
    TargetStatistics,
    Task,
)

PAGES = ("home", "search", "related")
CATEGORIES, TAGS = 8, 12
MOST_TAGS, LONGEST_HISTORY = 3, 6  # some rows have none


def synthetic_frame(
    rows: int, seed: int = 0, *, users: int = 50, items: int = 40
) -> tuple[pl.DataFrame, Schema]:
    """A table sorted by time and its schema; equal arguments give equal tables.

    The logit of a click adds effects of the user, the item, the page and the price, and whether
    the history holds the item's category; three in ten clicks end in a purchase.
    """
    rng = np.random.default_rng(seed)
    user, item, page = (rng.integers(n, size=rows) for n in (users, items, len(PAGES)))
    age = rng.normal(40, 10, size=users).round(1)
    price = np.exp(rng.normal(size=items)).round(2) + 0.01
    time = 1_700_000_000 + 10 * np.arange(rows)
    histories, seen = _histories(rng, item, items, time)
    logit = rng.normal(size=users)[user] + rng.normal(size=items)[item] - 0.3 * np.log(price)[item]
    logit += np.array([0.5, 0.0, -0.5])[page] + np.where(seen, 1.0, -0.5)
    click = rng.random(rows) < 1 / (1 + np.exp(-logit))
    n_tags = rng.integers(MOST_TAGS + 1, size=rows)
    columns = {
        "user_id": user,
        "age": pl.Series(age[user]).set(pl.Series(user % 10 == 0), None),
        "page": np.array(PAGES)[page],
        "item_id": item,
        "category": _category(item),
        "price": price[item],
        "tags": _lists(rng.integers(TAGS, size=n_tags.sum()), n_tags),
        **histories,
        "time": time,
        "click": click.astype(np.int8),
        "buy": (click & (rng.random(rows) < 0.3)).astype(np.int8),
    }
    return pl.DataFrame(columns), synthetic_schema()


def synthetic_schema() -> Schema:
    """The schema of ``synthetic_frame``."""
    return Schema(
        tasks=(Task("click"), Task("buy", of="click")),
        features=(
            CategoricalFeature("user_id", side="user", context=True),
            NumericFeature("age", side="user"),
            CategoricalFeature("page", side="request", context=True),
            CategoricalFeature("item_id"),
            CategoricalFeature("category"),
            NumericFeature("price", transform="log"),
            MultiFeature("tags"),
            HistoryFeature(
                "history_item_id", "item_id", "clicks", time="history_time", side="user"
            ),
            HistoryFeature("history_category", "category", "clicks", side="user"),
        ),
        crosses=(("user_id", "category"),),
        statistics=TargetStatistics(("user_id", "item_id")),
        scenario="page",
        group="user_id",
        time="time",
        split=Split(by="time", column="time", valid=0.2, test=0.2),
    )


def _histories(
    rng: np.random.Generator, item: Array, items: int, time: Array
) -> tuple[dict[str, pl.Series], Array]:
    """Three list columns of equal lengths, and whether a row's holds its item's category."""
    lengths = rng.integers(LONGEST_HISTORY + 1, size=len(item))
    row = np.repeat(np.arange(len(item)), lengths)
    clicked = rng.integers(items, size=len(row))
    before = np.cumsum(lengths)[row] - np.arange(len(row))  # clicks from this one to the last
    same = clicked % CATEGORIES == item[row] % CATEGORIES
    columns = {
        "history_item_id": _lists(clicked, lengths),
        "history_category": _lists(_category(clicked), lengths),
        "history_time": _lists(time[row] - 60 * before, lengths),
    }
    return columns, np.bincount(row, weights=same, minlength=len(item)) > 0


def _category(item: Array) -> Array:
    return np.char.add("category ", (item % CATEGORIES).astype(str))


def _lists(values: Array, lengths: Array) -> pl.Series:
    """A list column: the first ``lengths[0]`` values, then the next."""
    rows = pl.DataFrame({"row": np.repeat(np.arange(len(lengths)), lengths), "value": values})
    lists = rows.group_by("row", maintain_order=True).agg("value")
    every = pl.DataFrame({"row": np.arange(len(lengths))}).join(lists, on="row", how="left")
    return every.sort("row")["value"].fill_null([])
