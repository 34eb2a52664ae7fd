"""Scan the files of one table: pieces of rows that all have the same columns."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from automlrank.data.damage import readable
from automlrank.data.exact import column
from automlrank.data.formats import is_text, scan_file
from automlrank.data.keys import with_keys
from automlrank.data.names import other_name
from automlrank.data.sources import TableFile
from automlrank.data.staging import Staging
from automlrank.data.table import Piece
from automlrank.data.text import stage_text
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


class Scanned(NamedTuple):
    """The rows of a table's files; how many each part has; sentences on what was decided."""

    pieces: list[Piece]
    parts: tuple[int, ...]
    notes: tuple[str, ...] = ()


def scan_files(groups: Sequence[Sequence[TableFile]], place: Staging) -> Scanned:
    """The rows of all files, with every column that any of them has.

    A part is a group of files, or a file if there is but one group. Raises DataError for files that
    cannot be read or do not go together.
    """
    files = [file for group in groups for file in group]
    paths = [file.path for file in files]
    text = _text_pieces([path for path in paths if is_text(path)], place)
    found = [text.get(file.path) or _pieces_of(file, place) for file in files]
    check_related(paths, [_schema(pieces) for pieces in found])
    found = with_keys(files, found)
    schemas = [_schema(pieces) for pieces in found]
    kinds = kinds_of(paths, schemas)
    wanted = {name: _wanted(name, of, found, schemas) for name, of in kinds.items()}
    notes = tuple(notes_of(paths, schemas, kinds, wanted))
    pieces = [
        Piece(piece.scan.select(_columns(schema, wanted, kinds)), piece.rows, piece.file)
        for schema, of_file in zip(schemas, found, strict=True)
        for piece in of_file
    ]
    heights = [sum(piece.rows for piece in of_file) for of_file in found]
    if len(groups) == 1:
        return Scanned(pieces, tuple(heights), notes)
    left = iter(heights)
    parts = tuple(sum(itertools.islice(left, len(group))) for group in groups)
    return Scanned(pieces, parts, notes)


def usual_types(scan: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with lists for arrays, and Float32 for Float16, whose values Polars cannot count."""
    schema = scan.collect_schema()
    usual = {name: _usual(kind) for name, kind in schema.items()}
    return scan.with_columns(
        column(name).cast(kind) for name, kind in usual.items() if kind != schema[name]
    )


def _usual(kind: pl.DataType) -> pl.DataType:
    if isinstance(kind, pl.List | pl.Array):
        return pl.List(_usual(item_of(kind)))
    return pl.Float32() if kind == pl.Float16 else kind


def _text_pieces(files: Sequence[Path], place: Staging) -> dict[Path, list[Piece]]:
    """The rows of text files."""
    return {file: stage_text(file, place.folder()) for file in files}


def _pieces_of(file: TableFile, place: Staging) -> list[Piece]:
    """The rows of a Parquet or Arrow file."""
    scan, rows = scan_file(file.path, place.folder)
    if file.deleted:
        number = other_name(scan.collect_schema())
        deleted = pl.Series(file.deleted, dtype=pl.UInt32)
        scan = scan.with_row_index(number).filter(~column(number).is_in(deleted.implode()))
        scan, rows = scan.drop(number), rows - len(deleted)
    return [Piece(usual_types(scan), rows, file.path)]


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
