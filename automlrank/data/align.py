"""Give the rows of all files of a table the same columns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from automlrank.data.damage import readable
from automlrank.data.exact import column
from automlrank.data.keys import with_keys
from automlrank.data.names import other_name
from automlrank.data.pieces import Piece, TableFile
from automlrank.data.union import (
    Kinds,
    Schema,
    check_related,
    fitted,
    is_rounded,
    item_of,
    kinds_of,
    notes_of,
    united,
)

LARGEST_EXACT = 2**53  # of the whole numbers that floats tell apart


def aligned(
    files: Sequence[TableFile], found: Sequence[list[Piece]]
) -> tuple[list[list[Piece]], tuple[str, ...]]:
    """The pieces of each file with every column that any of them has, and sentences on that.

    Raises DataError for files that do not go together.
    """
    paths = [file.path for file in files]
    check_related(paths, [_schema(pieces) for pieces in found])
    found = with_keys(files, found)
    schemas = [_schema(pieces) for pieces in found]
    kinds = kinds_of(paths, schemas)
    wanted = {name: _wanted(name, of, found, schemas) for name, of in kinds.items()}
    fits = [_columns(schema, wanted, kinds) for schema in schemas]
    pieces = [
        [piece._replace(scan=piece.scan.select(fit)) for piece in of_file]
        for fit, of_file in zip(fits, found, strict=True)
    ]
    return pieces, tuple(notes_of(paths, schemas, kinds, wanted))


def without_deleted(scan: pl.LazyFrame, file: TableFile) -> pl.LazyFrame:
    """The rows of a file but those that its log takes back."""
    if not file.deleted:
        return scan
    number = other_name(scan.collect_schema())
    deleted = pl.Series(file.deleted, dtype=pl.UInt32)
    kept = scan.with_row_index(number).filter(~column(number).is_in(deleted.implode()))
    return kept.drop(number)


def usual_types(scan: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with lists for arrays, and Float32 for Float16, whose values Polars cannot count.

    Extensions, as the periods of pandas, are what they are stored as; structs of nothing are null.
    """
    schema = scan.collect_schema()
    usual = {name: _usual(kind) for name, kind in schema.items()}
    return scan.with_columns(
        _as_usual(name, schema[name], kind) for name, kind in usual.items() if kind != schema[name]
    )


def _as_usual(name: str, have: pl.DataType, kind: pl.DataType) -> pl.Expr:
    if kind == pl.Null:
        return pl.lit(None).alias(name)
    values = column(name).ext.storage() if isinstance(have, pl.BaseExtension) else column(name)
    return values.cast(kind)


def _usual(kind: pl.DataType) -> pl.DataType:
    if isinstance(kind, pl.List | pl.Array):
        return pl.List(_usual(item_of(kind)))
    if isinstance(kind, pl.BaseExtension):
        storage = kind.ext_storage()
        return _usual(storage if isinstance(storage, pl.DataType) else storage())
    if kind == pl.Struct([]):
        return pl.Null()
    return pl.Float32() if kind == pl.Float16 else kind


def _schema(pieces: Sequence[Piece]) -> Schema:
    return pieces[0].scan.collect_schema()


def _wanted(
    name: str, kinds: Kinds, found: Sequence[Sequence[Piece]], schemas: Sequence[Schema]
) -> pl.DataType | None:
    """The type of a column, which is text if floats would round whole numbers."""
    kind = united(name, kinds)
    if kind is None or not is_rounded(kinds, kind):
        return kind
    for schema, pieces in zip(schemas, found, strict=True):
        if name in schema and schema[name].is_integer():
            ends = [column(name).min().alias("low"), column(name).max().alias("high")]
            for piece in pieces:
                with readable(str(piece.file)):
                    low, high = piece.scan.select(ends).collect(engine="streaming").row(0)
                if max(abs(low or 0), abs(high or 0)) > LARGEST_EXACT:
                    return pl.String()
    return kind


def _columns(
    schema: Schema, wanted: dict[str, pl.DataType | None], kinds: dict[str, Kinds]
) -> list[pl.Expr]:
    return [
        fitted(name, schema.get(name), kind, kinds[name])
        for name, kind in wanted.items()
        if kind is not None
    ]
