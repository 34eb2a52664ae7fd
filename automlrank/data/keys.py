"""Columns that ``key=value`` folders, or a log, give all rows of a file."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from automlrank.data.damage import readable
from automlrank.data.exact import column
from automlrank.data.pieces import Piece, TableFile
from automlrank.data.values import as_text, text_of
from automlrank.errors import DataError


def with_keys(files: Sequence[TableFile], found: Sequence[list[Piece]]) -> list[list[Piece]]:
    """The pieces of each file with its keys as columns; a file's own column stays.

    Raises DataError where a file's own column says something else than its folder.
    """
    columns: list[list[pl.Expr]] = [[] for _ in files]
    for key in dict.fromkeys(key for file in files for key in file.keys):
        without = []
        for number, file in enumerate(files):
            has_own = key in found[number][0].scan.collect_schema()
            if has_own and key in file.checked:
                _check_own(file, key, found[number])
            elif key in file.keys and not has_own:
                without.append(number)
        values = typed_keys([files[number].keys[key] for number in without])
        for number, value in zip(without, values, strict=True):
            columns[number].append(pl.lit(value, values.dtype).alias(key))
    return [
        [Piece(piece.scan.with_columns(new), piece.rows, piece.file) for piece in pieces]
        for new, pieces in zip(columns, found, strict=True)
    ]


def typed_keys(values: Sequence[str | None]) -> pl.Series:
    """The values as whole numbers or as dates, if that is how all are spelled, else as text."""
    text = pl.Series(values, dtype=pl.String)
    for typed in (text.cast(pl.Int64, strict=False), text.str.to_date("%Y-%m-%d", strict=False)):
        if text.count() and typed.cast(pl.String).equals(text):
            return typed
    return text


def _check_own(file: TableFile, key: str, pieces: Sequence[Piece]) -> None:
    """Raise DataError if a file's own column has another value than its folder."""
    said = file.keys[key]
    for piece in pieces:
        kind = piece.scan.collect_schema()[key]
        same = _says(key, kind, said)
        with readable(str(file.path)):
            other = piece.scan.filter(~same).select(column(key)).head(1).collect()
        if other.height:
            raise DataError(
                f"{file.path} has {other.item()!r:.100} in its column {key!r}, but its folder is "
                f"named {key}={'' if said is None else said}.",
                "Rename the folder, or remove the column.",
            )


def _says(key: str, kind: pl.DataType, said: str | None) -> pl.Expr:
    """Where a column has the value of a folder's name, in whatever type."""
    if said is None:
        return column(key).is_null()
    if kind.is_nested():
        return pl.lit(False)
    given = pl.Series([said])
    same: pl.Expr = text_of(key, kind) == as_text(given).item()
    if kind.is_numeric():
        same |= column(key).cast(pl.Float64) == given.cast(pl.Float64, strict=False).item()
    return same.fill_null(False)
