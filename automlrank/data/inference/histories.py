"""Histories among the columns of lists: lists of values that another column has one of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from automlrank.data.inference.lists import ListColumn
from automlrank.data.inference.names import is_history, is_id, is_tags, share_a_stem
from automlrank.data.inference.view import View, share_of
from automlrank.data.values import as_text, flatten

# A history's items are values of its column, and most rows' values are in some history. Small whole
# numbers are values of many columns: tags from 1 to 20 are in users from 1 to 5,000 as well, of
# which few rows have one.
ITEMS, ITEMS_BY_NAME = 0.9, 0.5
ROWS = 0.5
# Where no name says that it is more than chance, distinct items, and numbers of a column of ids.
LEAST_ITEMS, LEAST_NUMBERS = 10, 50


def behind_history(name: str, columns: Iterable[str]) -> str | None:
    """``X`` of ``history_X``, ``X_history`` and ``hist_X``, where X is a column."""
    stems = (
        name.removeprefix("history_"),
        name.removesuffix("_history"),
        name.removeprefix("hist_"),
    )
    return next((stem for stem in stems if stem != name and stem in columns), None)


def owner_of(view: View, lists: ListColumn, ids: Mapping[str, str | None]) -> str | None:
    """The column that lists are a history of, None for lists that are none.

    ``ids`` are the columns of ids, one or several a row, with the separators of these. Lists that
    belong to an id describe it, as an item's tags do.
    """
    if is_tags(lists.name):
        return None
    flat, _ = flatten(view.lists(lists.name, lists.separator))
    items = as_text(flat.alias("item")).drop_nulls()
    if items.is_empty():
        return None
    fits = {
        name: fit
        for name, separator in ids.items()
        if name != lists.name
        and not _may_be_chance(view, lists.name, items, name)
        and (fit := _fit(view, lists.name, items, name, separator))
    }
    ranked = sorted(fits, key=lambda name: fits[name], reverse=True)
    return next((name for name in ranked if not _describes(view, lists.name, name, ids)), None)


def _fit(
    view: View, lists: str, items: pl.Series, name: str, separator: str | None
) -> tuple[bool, bool, float] | None:
    """How well lists fit a column of ids: by name, as an id's, by shares; None if not at all."""
    named, is_bag = share_a_stem(lists, name), view.is_bag(name, separator)
    if is_bag and not is_history(lists):
        return None
    values = view.values(name, separator)
    items_known = share_of(items.is_in(values.implode()))
    if items_known < (ITEMS_BY_NAME if named else ITEMS):
        return None
    if named or is_bag:
        return named, is_id(name), items_known
    rows_known = share_of(view.texts(name).drop_nulls().is_in(items.unique().implode()))
    return None if rows_known < ROWS else (named, is_id(name), items_known * rows_known)


def _may_be_chance(view: View, lists: str, items: pl.Series, name: str) -> bool:
    """Return True for small whole numbers, which columns of unlike things share."""
    if not view.is_number(name) or share_a_stem(lists, name):
        return False
    few = items.n_unique() < LEAST_ITEMS and not is_history(lists)
    return few or not (is_id(name) or view.summaries[name].distinct >= LEAST_NUMBERS)


def _describes(view: View, lists: str, of: str, ids: Mapping[str, str | None]) -> bool:
    """Return True for lists that belong to the id, or to one that the id belongs to as well."""
    if view.belongs_to(lists, of):
        return True
    others = [name for name in ids if name not in (lists, of)]
    return any(view.belongs_to(lists, name) and view.belongs_to(of, name) for name in others)
