"""Sample of a table's rows, in which the evidence for a schema is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from automlrank.data.check import is_list
from automlrank.data.exact import column
from automlrank.data.forms import Form
from automlrank.data.sampled import every_kth
from automlrank.data.summary import Summary
from automlrank.data.table import Table
from automlrank.data.values import as_lists, as_text, flatten
from automlrank.data.wishes import Wish
from automlrank.schema import Nulls

SAMPLED = 200_000  # rows: what repeats at all repeats among them
LEAST_REPEATS, REPEATS = 20, 0.05  # rows of ids that repeat, and their share of all known ones
SLIPS = 0.02  # of the rows that would differ from others of their id by chance
MOST_ROWS = 10  # of an id: the odds that more agree by chance are taken to be as large
BETWEEN = "\x1f"  # items of a list as one text


@dataclass(frozen=True)
class View:
    """A table, the summaries of its columns, and every k-th of its rows."""

    table: Table
    summaries: Mapping[str, Summary]
    nulls: Nulls | None = None
    """Spellings of null that the schema names."""
    _texts: dict[str, pl.Series] = field(default_factory=dict)
    _possible_lists: dict[str, pl.Series] = field(default_factory=dict)
    _values: dict[str, pl.Series] = field(default_factory=dict)
    _lengths: dict[str, pl.Series] = field(default_factory=dict)
    _owned: dict[tuple[str, str], bool] = field(default_factory=dict)

    @cached_property
    def sample(self) -> pl.DataFrame:
        step = -(-self.table.rows // SAMPLED)
        return every_kth(self.table, step, list(self.summaries))

    def known(self, name: str) -> int:
        """The number of rows in which the column is not null."""
        return self.table.rows - self.summaries[name].nulls

    def texts(self, name: str) -> pl.Series:
        """The sampled values as text; a list is one text."""
        if name not in self._texts:
            values = self.sample[name]
            if is_list(values.dtype):
                items = as_lists(values, None)
                self._texts[name] = items.cast(pl.List(pl.String)).list.join(BETWEEN)
            else:
                self._texts[name] = as_text(values)
        return self._texts[name]

    def keys(self, name: str) -> pl.Series:
        """The sampled values as they are compared fastest: equal where their texts are."""
        kind = self.sample.schema[name]
        is_exact = kind.is_integer() or kind in (pl.Date, pl.Datetime("us"))
        return self.sample[name] if is_exact else self.texts(name)

    def possible_lists(self, name: str) -> pl.Series:
        """The sampled text of a column that may hold lists, without spellings of null."""
        if name not in self._possible_lists:
            self._possible_lists[name] = self._list_texts(self.texts(name))
        return self._possible_lists[name]

    def _list_texts(self, values: pl.Series) -> pl.Series:
        form = Form("list", Wish("list", self.nulls).nulls_of("list"))
        return values.to_frame().select(form.known(values.name, pl.String())).to_series()

    def read_lists(self, values: pl.Series, separator: str | None) -> pl.Series:
        """Values as lists."""
        return as_lists(values if separator is None else self._list_texts(values), separator)

    def lists(self, name: str, separator: str | None) -> pl.Series:
        """The sampled lists of a column."""
        return self.read_lists(self.sample[name], separator)

    def values(self, name: str, separator: str | None = None) -> pl.Series:
        """The distinct values, or items, of a column as text."""
        if name not in self._values:
            if self.is_bag(name, separator):
                flat, _ = flatten(self.lists(name, separator))
                found = as_text(flat.alias(name)).drop_nulls().unique()
            else:
                distinct = self.table.select(column(name).unique()).to_series()
                found = as_text(distinct).drop_nulls().unique()
            self._values[name] = found
        return self._values[name]

    def is_bag(self, name: str, separator: str | None) -> bool:
        """Return True for a column of lists, or of text that is read as lists."""
        return separator is not None or is_list(self.table.schema[name])

    def is_number(self, name: str) -> bool:
        return self.table.schema[name].is_numeric()

    def lengths(self, name: str, separator: str | None) -> pl.Series:
        """The lengths of the lists of all rows."""
        if name not in self._lengths:
            chunks = self.table.chunks([name])
            found = [self.read_lists(chunk[name], separator).list.len() for chunk in chunks]
            self._lengths[name] = pl.concat(found)
        return self._lengths[name]

    def order(self, name: str) -> pl.Series:
        """The sampled numbers or times as numbers."""
        return self.sample[name].to_physical()

    def is_sorted(self, name: str) -> bool:
        """Return True if the sampled values rise or fall from row to row."""
        values = self.order(name).drop_nulls()
        return values.is_sorted() or values.is_sorted(descending=True)

    def is_in_blocks(self, name: str) -> bool:
        """Return True if the rows of each value stand together."""
        texts = self.texts(name).drop_nulls()
        return bool(len(texts) and texts.rle_id().max() == texts.n_unique() - 1)

    def belongs_to(self, name: str, owner: str) -> bool:
        """Return True if a column is the same in all rows of each id, more than by chance.

        So is the release date of an item in the rows of the item.
        """
        key = (name, owner)
        if key not in self._owned:
            pairs = pl.DataFrame({"owner": self.keys(owner), "value": self.keys(name)})
            self._owned[key] = _belongs(pairs.drop_nulls())
        return self._owned[key]


def share_of(flags: pl.Series) -> float:
    """The share of the known flags that are true."""
    known = flags.drop_nulls()
    return float(known.sum()) / max(1, len(known))


def _belongs(pairs: pl.DataFrame) -> bool:
    value = pl.col("value")
    groups = pairs.group_by("owner").agg(rows=pl.len(), mixed=value.min() != value.max())
    repeated = groups.filter(pl.col("rows") > 1)
    rows = int(repeated["rows"].sum())
    if rows < max(LEAST_REPEATS, REPEATS * pairs.height):
        return False
    mixed = int(repeated.filter("mixed")["rows"].sum())
    if mixed > SLIPS * rows:  # fewer are expected than there are
        return False
    shares = pairs["value"].value_counts(normalize=True)["proportion"].to_numpy()
    sizes = repeated["rows"].to_numpy()
    agree = np.array([(shares**n).sum() for n in range(MOST_ROWS + 1)])
    expected = float((sizes * (1 - agree[np.minimum(sizes, MOST_ROWS)])).sum())
    return expected >= LEAST_REPEATS and mixed <= SLIPS * expected
