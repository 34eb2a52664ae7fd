"""The fitted encoder: it turns a table's columns into ids and numbers.

Ids are local to their column: 0 padding (only in lists), 1 null, 2 a value outside of the
vocabulary, 3 and up the vocabulary or the hash.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from automlrank.data.columns import (
    BagColumn,
    BucketColumn,
    Column,
    HistoryColumn,
    IdColumn,
    NumberColumn,
    TimesColumn,
    VectorColumn,
    column_from,
)
from automlrank.data.forms import Form, forms_data, forms_from, typed
from automlrank.data.rates import Rates
from automlrank.data.values import (
    FIRST_ID,
    NULL_ID,
    OOV_ID,
    Array,
    EncodingError,
    Ragged,
    as_text,
    as_vectors,
    flatten,
    hashed,
    stored_text,
)

FORMAT = 8  # of encoder.json; another number is another meaning


@dataclass(frozen=True, eq=False)
class Encoder:
    """The columns in the order of the model's fields, and the ids of each vocabulary.

    A vocabulary is its values in the order of their ids, or a number of ``buckets``.
    """

    columns: tuple[Column, ...]
    vocabularies: Mapping[str, pl.Series]
    buckets: Mapping[str, int] = dataclasses.field(default_factory=dict)
    rates: Rates | None = None
    forms: Mapping[str, Form] = dataclasses.field(default_factory=dict)
    """Forms by which the columns of every table are read, those of labels and splits, too."""
    unknown: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Share of the training rows' values that are too rare for the vocabulary, by feature."""

    @property
    def sizes(self) -> dict[str, int]:
        """Size of each feature: its ids, the three special ones included, or a vector's length."""
        ids = {name: FIRST_ID + len(values) for name, values in self.vocabularies.items()}
        ids |= {name: FIRST_ID + buckets for name, buckets in self.buckets.items()}
        sizes = {}
        for column in self.columns:
            match column:
                case IdColumn(vocabulary=vocabulary) | BagColumn(vocabulary=vocabulary):
                    sizes[column.name] = ids[vocabulary]
                case BucketColumn(edges=edges):
                    sizes[column.name] = FIRST_ID + len(edges) + 1
                case VectorColumn(size=size):
                    sizes[column.name] = size
        return sizes

    @property
    def reads(self) -> list[str]:
        """The columns that a table must have."""
        rows = [column.row for column in self.columns if isinstance(column, TimesColumn)]
        return list(dict.fromkeys([*(column.source for column in self.columns), *rows]))

    def encode(self, frame: pl.DataFrame) -> dict[str, Array | Ragged]:
        """The arrays of a batch of new rows, with lists still ragged; raises EncodingError."""
        absent = [name for name in self.reads if name not in frame.columns]
        if absent:
            raise EncodingError(f"the table has no column {', '.join(map(repr, absent))}.")
        frame = typed(frame, {name: self.forms[name] for name in self.reads if name in self.forms})
        for column in self.columns:
            if isinstance(column, IdColumn):
                _check_plain(frame[column.source])
        arrays: dict[str, Array | Ragged] = {}
        ids = self._all_ids(frame)
        for side in ("request", "item"):
            columns = [c for c in self.columns if c.request == (side == "request")]
            numbers = [c.apply(frame[c.source]) for c in columns if isinstance(c, NumberColumn)]
            arrays[f"ids:{side}"] = _table(
                [ids[c.name] for c in columns if isinstance(c, IdColumn | BucketColumn)],
                frame.height,
                np.int32,
            )
            arrays[f"numbers:{side}"] = _table(numbers, frame.height, np.float32)
        for column in self.columns:
            match column:
                case BagColumn():
                    arrays[f"multi:{column.name}"] = self._bag(column, frame[column.source])
                case VectorColumn(name=name, separator=separator, size=size):
                    arrays[f"vector:{name}"] = as_vectors(frame[column.source], separator, size)
        arrays |= self._sequences(frame)
        return arrays | (self.rates.encode(ids) if self.rates else {})

    def ids_in(self, arrays: Mapping[str, Array | Ragged]) -> dict[str, Array]:
        """The columns of the arrays ``ids:SIDE``, by their names."""
        ids: dict[str, Array] = {}
        for side in ("request", "item"):
            columns = [c for c in self.columns if isinstance(c, IdColumn | BucketColumn)]
            names = [c.name for c in columns if c.request == (side == "request")]
            of_side = arrays[f"ids:{side}"]
            assert not isinstance(of_side, Ragged)
            ids |= {name: of_side[:, i] for i, name in enumerate(names)}
        return ids

    def decode(self, name: str, ids: Iterable[int]) -> list[str | None]:
        """The values of ids of a vocabulary; padding, null and out of vocabulary are None."""
        positions = np.asarray(list(ids), np.int64) - FIRST_ID
        known = pl.Series(np.maximum(positions, 0)).set(pl.Series(positions < 0), None)
        return self.vocabularies[name].gather(known).to_list()

    def save(self, folder: str | Path) -> None:
        """Write ``encoder.json``, ``vocabularies.parquet`` and the rates into the folder."""
        columns = [{"kind": c.kind, **dataclasses.asdict(c)} for c in self.columns]
        document = {
            "format": FORMAT,
            "columns": columns,
            "vocabularies": list(self.vocabularies),
            "buckets": dict(self.buckets),
            "forms": forms_data(self.forms),
            "unknown": dict(self.unknown),
        }
        text = json.dumps(document, indent=1, ensure_ascii=False)
        Path(folder, "encoder.json").write_text(text, encoding="utf-8")
        tables = [
            pl.DataFrame({"value": values, "id": _ids_of(values)}).select(
                pl.lit(name).alias("column"), "value", "id"
            )
            for name, values in self.vocabularies.items()
        ]
        none = pl.DataFrame(schema={"column": pl.String, "value": pl.String, "id": pl.Int32})
        pl.concat([none, *tables]).write_parquet(Path(folder, "vocabularies.parquet"))
        if self.rates:
            self.rates.save(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Encoder:
        """Read what ``save`` wrote; raises EncodingError for another format."""
        document = json.loads(Path(folder, "encoder.json").read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise EncodingError(f"encoder.json has format {document['format']}, not {FORMAT}.")
        columns = tuple(column_from(**item) for item in document["columns"])
        table = pl.read_parquet(Path(folder, "vocabularies.parquet"))
        values = {
            name: table.filter(pl.col("column") == name).sort("id")["value"]
            for name in document["vocabularies"]
        }
        forms = forms_from(document["forms"])
        rates, unknown = Rates.load(folder), document["unknown"]
        return cls(columns, values, document["buckets"], rates, forms, unknown)

    @cached_property
    def _enums(self) -> dict[str, pl.Enum]:
        """The vocabularies as types: a cast looks all values up."""
        return {name: pl.Enum(values) for name, values in self.vocabularies.items()}

    @cached_property
    def _lookups(self) -> dict[tuple[str, pl.DataType, str], pl.Expr]:
        """Expressions by column, type, vocabulary: each hashes its vocabulary when it is made."""
        return {}

    def _all_ids(self, frame: pl.DataFrame) -> dict[str, Array]:
        """The columns with one id per row, looked up in parallel."""
        columns = [c for c in self.columns if isinstance(c, IdColumn)]
        known = [c for c in columns if c.vocabulary in self.vocabularies]
        looked_up = frame.select(
            self._lookup(c.source, frame.schema[c.source], c.vocabulary).alias(c.name)
            for c in known
        )
        ids = {c.name: self._again(c.vocabulary, frame[c.source], looked_up[c.name]) for c in known}
        for column in self.columns:
            if isinstance(column, IdColumn) and column.vocabulary in self.buckets:
                ids[column.name] = self._ids(column.vocabulary, frame[column.source])
            elif isinstance(column, BucketColumn):
                ids[column.name] = column.apply(frame[column.source])
        return ids

    def _lookup(self, name: str, dtype: pl.DataType, vocabulary: str) -> pl.Expr:
        """Ids of a column; text is looked up as it stands, which most of it already should."""
        key = (name, dtype, vocabulary)
        if key not in self._lookups:
            text = stored_text(name, dtype)
            position = text.cast(self._enums[vocabulary], strict=False).to_physical()
            known = (position.cast(pl.Int32) + FIRST_ID).fill_null(pl.lit(OOV_ID, pl.Int32))
            null = pl.lit(NULL_ID, pl.Int32)
            self._lookups[key] = pl.when(text.is_null()).then(null).otherwise(known).alias(name)
        return self._lookups[key]

    def _again(self, vocabulary: str, values: pl.Series, ids: pl.Series) -> Array:
        """The ids, those of text that was not found by the one form of its values."""
        found = ids.to_numpy()
        rows = np.flatnonzero(found == OOV_ID)
        if values.dtype != pl.String or not len(rows):
            return found
        text = as_text(values.gather(rows))
        position = text.cast(self._enums[vocabulary], strict=False).to_physical().cast(pl.Int32)
        known = (position + FIRST_ID).fill_null(OOV_ID).to_numpy()
        found = found.copy()
        found[rows] = np.where(text.is_null().to_numpy(), NULL_ID, known)
        return found

    def _ids(self, vocabulary: str, values: pl.Series) -> Array:
        _check_plain(values)
        if vocabulary in self.vocabularies:
            lookup = self._lookup(values.name, values.dtype, vocabulary)
            return self._again(vocabulary, values, values.to_frame().select(lookup).to_series())
        text = as_text(values)
        ids = hashed(text, self.buckets[vocabulary])
        return np.where(text.is_null().to_numpy(), NULL_ID, ids).astype(np.int32)

    def _bag(self, column: BagColumn, values: pl.Series) -> Ragged:
        flat, starts = flatten(column.lists(values))
        lengths = np.diff(starts)
        ids = np.insert(self._ids(column.vocabulary, flat), starts[:-1][lengths == 0], NULL_ID)
        return Ragged(ids, np.concatenate([[0], np.cumsum(np.maximum(lengths, 1))]))

    def _sequences(self, frame: pl.DataFrame) -> dict[str, Array | Ragged]:
        arrays: dict[str, Array | Ragged] = {}
        first: dict[str, tuple[str, Array]] = {}
        for column in self.columns:
            if isinstance(column, HistoryColumn):
                flat, starts = flatten(column.lists(frame[column.source]))
                arrays[f"history:{column.name}"] = Ragged(
                    self._ids(column.vocabulary, flat), starts
                )
            elif isinstance(column, TimesColumn):
                ages, sessions = column.apply(frame[column.source], frame[column.row])
                arrays[f"age:{column.sequence}"] = ages
                arrays[f"session:{column.sequence}"] = sessions
                starts = ages.starts
            else:
                continue
            name, known = first.setdefault(column.sequence, (column.source, starts))
            _check_lengths(name, np.diff(known), column.source, np.diff(starts))
        return arrays


def _check_plain(values: pl.Series) -> None:
    """Raise EncodingError for what has no text."""
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        raise EncodingError(f"column {values.name!r} must hold plain values, not {values.dtype}.")


def _check_lengths(name: str, lengths: Array, other: str, others: Array) -> None:
    unequal = np.flatnonzero(lengths != others)
    if len(unequal):
        row = int(unequal[0])
        raise EncodingError(
            f"the columns {name!r} and {other!r} of one sequence must have equal lengths, "
            f"but have {lengths[row]} and {others[row]}.",
            row,
        )


def _ids_of(values: pl.Series) -> pl.Series:
    return pl.Series(np.arange(FIRST_ID, FIRST_ID + len(values), dtype=np.int32))


def _table(columns: Sequence[Array], rows: int, dtype: type) -> Array:
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0), dtype)
