"""Side tables: columns of users or items, joined by a key."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from automlrank.data.damage import READ_ERRORS, unreadable
from automlrank.data.exact import column
from automlrank.data.names import other_name
from automlrank.data.values import text_of
from automlrank.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Join:
    """A side table and the column that both tables have."""

    path: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Join:
        """From ``users.parquet:user_id``; raises DataError for any other form."""
        path, _, key = text.rpartition(":")
        if not path or not key:
            raise DataError(f"a join must be FILE:COLUMN, as users.parquet:user_id, not {text!r}.")
        return cls(path, key)


@dataclass(frozen=True)
class Side:
    """A side table in memory; its unique keys are named ``temporary`` and typed as the table's."""

    rows: pl.DataFrame
    key: pl.Expr
    """Key in the main table."""
    temporary: str

    @classmethod
    def read(cls, schema: pl.Schema, side: pl.LazyFrame, join: Join) -> Side:
        """For a table of the given schema.

        Raises DataError for a key that is missing or not unique, and for a column that both have.
        """
        others = side.collect_schema()
        _check_columns(list(schema), list(others), join)
        mine, theirs = schema[join.key], others[join.key]
        for place, kind in (("the table", mine), (join.path, theirs)):
            if kind.is_nested():
                problem = f"a key must be one value per row, but {join.key!r} of {place} is {kind}."
                raise DataError(problem)
        if mine == theirs and mine.is_integer():
            left = right = column(join.key)
        else:
            left, right = text_of(join.key, mine), text_of(join.key, theirs)
        key = other_name([*schema, *others])
        try:
            rows = side.with_columns(right.alias(key)).drop(cs.by_name(join.key)).collect()
            rows = rows.filter(column(key).is_not_null())
            if rows.is_empty():
                raise DataError(f"{join.path} has no rows with a {join.key!r}.")
            twice = rows.filter(column(key).is_duplicated())[key]
        except READ_ERRORS as error:
            raise unreadable(f"{join.path} cannot be joined by {join.key!r}", error) from None
        if len(twice):
            raise DataError(
                f"{join.path} has {join.key} {twice[0]!r} in {(twice == twice[0]).sum()} rows, "
                "but a side table must have one row per key."
            )
        return cls(rows, left.alias(key), key)

    def joined(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """The rows in their order with the side table's other columns, null where none matches."""
        keyed = chunk.with_columns(self.key)
        found = keyed.join(self.rows, on=self.temporary, how="left", maintain_order="left")
        return found.drop(self.temporary)


def _check_columns(mine: list[str], theirs: list[str], join: Join) -> None:
    for place, names in (("the table", mine), (join.path, theirs)):
        if join.key not in names:
            raise DataError(
                f"{place} has no column {join.key!r} to join by.", did_you_mean(join.key, names)
            )
    both = [repr(name) for name in theirs if name in mine and name != join.key]
    if both:
        raise DataError(
            f"{join.path} has {', '.join(both)}, which the table has as well.",
            "Rename or remove it in one of the two.",
        )
