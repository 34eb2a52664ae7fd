"""Columns to ids and numbers: a fitted encoder as plain data, and the code that applies it.

Ids are local to their column: 0 padding (only in lists), 1 null, 2 a value outside of the
vocabulary, 3 and up the vocabulary. Values are compared as text in one form, whatever the
column's type: ``7``, ``7.0`` and ``"7"`` are the same value, ``true`` is ``1``, empty text is null.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import polars as pl

PAD_ID, NULL_ID, OOV_ID, FIRST_ID = 0, 1, 2, 3
FORMAT = 1  # of encoder.json; another number is another meaning

Array = np.ndarray[Any, np.dtype[Any]]


class EncodingError(ValueError):
    """A table lacks a column, or holds a value that has no encoding."""


class Ragged(NamedTuple):
    """Lists of ids, end to end: row ``i`` is ``values[starts[i] : starts[i + 1]]``."""

    values: Array  # [sum of lengths] int32
    starts: Array  # [rows + 1] int64

    def take(self, rows: Array) -> Ragged:
        """The lists of the given rows, in their order."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        shift = np.repeat(self.starts[rows] - starts[:-1], lengths)
        return Ragged(self.values[np.arange(starts[-1]) + shift], starts)

    def pad(self) -> Array:
        """``[rows, longest]`` (at least one wide), filled up with the padding's id."""
        lengths = np.diff(self.starts)
        width = max(1, int(lengths.max(initial=0)))
        padded = np.full((len(lengths), width), PAD_ID, np.int32)
        padded[np.arange(width) < lengths[:, None]] = self.values
        return padded


@dataclass(frozen=True)
class IdColumn:
    """One id per row."""

    kind: ClassVar[str] = "id"
    name: str
    request: bool


@dataclass(frozen=True)
class NumberColumn:
    """One number per row: ``(f(x) - mean) * scale``, where ``log`` is ``sign(x) log(1 + |x|)``."""

    kind: ClassVar[str] = "number"
    name: str
    request: bool
    log: bool = False
    mean: float = 0.0
    scale: float = 1.0

    def apply(self, column: pl.Series) -> Array:
        """``[rows]`` float32; a null is NaN."""
        return ((self.unscaled(column) - self.mean) * self.scale).astype(np.float32)

    def unscaled(self, column: pl.Series) -> Array:
        """``f(x)``: ``[rows]`` float64."""
        x = as_numbers(column)
        return np.sign(x) * np.log1p(np.abs(x)) if self.log else x


@dataclass(frozen=True)
class BagColumn:
    """Several ids per row, the first ``max_length`` kept; a row without any holds one null id."""

    kind: ClassVar[str] = "bag"
    name: str
    request: bool
    separator: str | None = None
    max_length: int = 20

    def lists(self, column: pl.Series) -> pl.Series:
        """The kept values of each row."""
        return as_lists(column, self.separator).list.head(self.max_length)


@dataclass(frozen=True)
class HistoryColumn:
    """Earlier values of the column ``of``, the last ``max_length`` kept; it may be empty."""

    kind: ClassVar[str] = "history"
    name: str
    request: bool
    of: str
    sequence: str
    separator: str | None = None
    max_length: int = 50

    def lists(self, column: pl.Series) -> pl.Series:
        """The kept values of each row, oldest first."""
        return as_lists(column, self.separator).list.tail(self.max_length)


Column = IdColumn | NumberColumn | BagColumn | HistoryColumn
KINDS: dict[str, type[Column]] = {
    cls.kind: cls for cls in (IdColumn, NumberColumn, BagColumn, HistoryColumn)
}


@dataclass(frozen=True, eq=False)
class Encoder:
    """The columns in the order of the model's fields, and the vocabularies in the order of ids."""

    columns: tuple[Column, ...]
    vocabularies: Mapping[str, pl.Series]

    @property
    def sizes(self) -> dict[str, int]:
        """How many ids each vocabulary has, the three special ones included."""
        return {name: FIRST_ID + len(values) for name, values in self.vocabularies.items()}

    def encode(self, frame: pl.DataFrame) -> dict[str, Array | Ragged]:
        """The arrays of a batch, with lists still ragged; raises EncodingError."""
        absent = [column.name for column in self.columns if column.name not in frame.columns]
        if absent:
            raise EncodingError(f"the table has no column {', '.join(map(repr, absent))}.")
        arrays: dict[str, Array | Ragged] = {}
        for side in ("request", "item"):
            columns = [c for c in self.columns if c.request == (side == "request")]
            ids = [self._ids(c.name, frame[c.name]) for c in columns if isinstance(c, IdColumn)]
            numbers = [c.apply(frame[c.name]) for c in columns if isinstance(c, NumberColumn)]
            arrays[f"ids:{side}"] = _table(ids, frame.height, np.int32)
            arrays[f"numbers:{side}"] = _table(numbers, frame.height, np.float32)
        for column in self.columns:
            if isinstance(column, BagColumn):
                arrays[f"multi:{column.name}"] = self._bag(column, frame[column.name])
        return arrays | self._histories(frame)

    def decode(self, name: str, ids: Iterable[int]) -> list[str | None]:
        """The values of ids of one column; padding, null and out of vocabulary are None."""
        positions = np.asarray(list(ids), np.int64) - FIRST_ID
        known = pl.Series(np.maximum(positions, 0)).set(pl.Series(positions < 0), None)
        return self.vocabularies[name].gather(known).to_list()

    def save(self, folder: str | Path) -> None:
        """Write ``encoder.json`` and ``vocabularies.parquet`` into the folder."""
        columns = [{"kind": c.kind, **dataclasses.asdict(c)} for c in self.columns]
        document = {"format": FORMAT, "columns": columns, "vocabularies": list(self.vocabularies)}
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

    @classmethod
    def load(cls, folder: str | Path) -> Encoder:
        """Read what ``save`` wrote; raises EncodingError for another format."""
        document = json.loads(Path(folder, "encoder.json").read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise EncodingError(f"encoder.json has format {document['format']}, not {FORMAT}.")
        columns = tuple(KINDS[item.pop("kind")](**item) for item in document["columns"])
        table = pl.read_parquet(Path(folder, "vocabularies.parquet"))
        values = {
            name: table.filter(pl.col("column") == name).sort("id")["value"]
            for name in document["vocabularies"]
        }
        return cls(columns, values)

    def _ids(self, vocabulary: str, values: pl.Series) -> Array:
        known, text = self.vocabularies[vocabulary], as_text(values)
        ids = text.replace_strict(known, _ids_of(known), default=OOV_ID, return_dtype=pl.Int32)
        return ids.set(text.is_null(), NULL_ID).to_numpy()

    def _bag(self, column: BagColumn, values: pl.Series) -> Ragged:
        flat, starts = flatten(column.lists(values))
        lengths = np.diff(starts)
        ids = np.insert(self._ids(column.name, flat), starts[:-1][lengths == 0], NULL_ID)
        return Ragged(ids, np.concatenate([[0], np.cumsum(np.maximum(lengths, 1))]))

    def _histories(self, frame: pl.DataFrame) -> dict[str, Array | Ragged]:
        arrays: dict[str, Array | Ragged] = {}
        first: dict[str, tuple[str, Array]] = {}
        for column in self.columns:
            if not isinstance(column, HistoryColumn):
                continue
            flat, starts = flatten(column.lists(frame[column.name]))
            name, lengths = first.setdefault(column.sequence, (column.name, np.diff(starts)))
            unequal = np.flatnonzero(np.diff(starts) != lengths)
            if len(unequal):
                raise EncodingError(
                    f"the histories {name!r} and {column.name!r} of one sequence must have equal "
                    f"lengths, but row {unequal[0]} has {lengths[unequal[0]]} "
                    f"and {np.diff(starts)[unequal[0]]}."
                )
            arrays[f"history:{column.name}"] = Ragged(self._ids(column.of, flat), starts)
        return arrays


def as_text(values: pl.Series) -> pl.Series:
    """Values in their one text form; null, NaN and empty text are null."""
    if values.dtype == pl.Boolean:
        values = values.cast(pl.Int8)
    if values.dtype.is_decimal():
        values = values.cast(pl.Float64)
    text = values.cast(pl.String)
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        is_whole = (whole.cast(values.dtype) == values).fill_null(False)
        text = text.zip_with(~is_whole, whole.cast(pl.String)).set(values.is_nan(), None)
    return text.set(text == "", None)


def as_numbers(values: pl.Series) -> Array:
    """``[rows]`` float64, nulls as NaN; raises EncodingError for text and for infinity."""
    if not (values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null)):
        raise EncodingError(f"column {values.name!r} must be numeric, but is {values.dtype}.")
    numbers = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise EncodingError(
            f"column {values.name!r} must be finite, but row {infinite[0]} is "
            f"{numbers[infinite[0]]}."
        )
    return numbers


def as_lists(values: pl.Series, separator: str | None) -> pl.Series:
    """Lists from a list column or from text; raises EncodingError for anything else."""
    if isinstance(values.dtype, pl.List):
        return values
    if isinstance(values.dtype, pl.Array):
        return values.arr.to_list()
    if values.dtype == pl.Null:
        return values.cast(pl.List(pl.String))
    if separator is None:
        raise EncodingError(f"column {values.name!r} must hold lists, but is {values.dtype}.")
    text = as_text(values).str.strip_chars()
    items = text.set(text == "", None).str.split(separator)
    return items.list.eval(pl.element().str.strip_chars())


def flatten(lists: pl.Series) -> tuple[pl.Series, Array]:
    """The values of all lists end to end, and where each row starts (``[rows + 1]``)."""
    lengths = lists.list.len().fill_null(0)
    starts = np.concatenate([[0], np.cumsum(lengths.to_numpy(), dtype=np.int64)])
    return lists.filter(lengths > 0).explode(), starts


def _ids_of(values: pl.Series) -> pl.Series:
    return pl.Series(np.arange(FIRST_ID, FIRST_ID + len(values), dtype=np.int32))


def _table(columns: Sequence[Array], rows: int, dtype: type) -> Array:
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0), dtype)
