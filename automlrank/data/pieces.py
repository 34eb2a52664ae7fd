"""Files of a table, and its rows in pieces of the same columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl

from automlrank.data.damage import READ_ERRORS, unreadable

CHUNK_ROWS = 100_000


class TableFile(NamedTuple):
    """A file of a table, and what its path or a log says of its rows."""

    path: Path
    keys: Mapping[str, str | None] = {}
    """Text of columns that the file itself need not hold, by their names."""
    checked: frozenset[str] = frozenset()
    """Keys of folders that were searched: a column of the file must say the same."""
    deleted: tuple[int, ...] = ()
    """Places of rows that a log takes back."""


class Piece(NamedTuple):
    """Rows that are stored together, and their number."""

    scan: pl.LazyFrame
    rows: int
    file: Path | None = None
    """Where they lie, if it is a file of the person's own."""


def together(pieces: Sequence[Piece]) -> Piece:
    """Pieces as one, in their order."""
    scan = pl.concat([piece.scan for piece in pieces]) if len(pieces) > 1 else pieces[0].scan
    return Piece(scan, sum(piece.rows for piece in pieces))


@contextmanager
def reading(pieces: Sequence[Piece], name: str) -> Iterator[None]:
    """Errors of reading are a person's to mend: DataError, with the file that causes it."""
    try:
        yield
    except READ_ERRORS as error:
        raise unreadable(f"{damaged_file(pieces) or name} cannot be read", error) from None


def damaged_file(pieces: Sequence[Piece]) -> Path | None:
    """The file of the pieces, or the first of them of which not all rows can be read."""
    files = dict.fromkeys(piece.file for piece in pieces if piece.file)
    return next((file for file in files if len(files) == 1 or _is_damaged(file, pieces)), None)


def _is_damaged(file: Path, pieces: Iterable[Piece]) -> bool:
    """Read all rows of a file, in batches and in slices: Polars has a reader for each."""
    try:
        for piece in pieces:
            if piece.file == file:
                for _ in piece.scan.collect_batches(chunk_size=CHUNK_ROWS):
                    pass
                for start in range(0, piece.rows, CHUNK_ROWS):
                    piece.scan.slice(start, CHUNK_ROWS).collect()
    except READ_ERRORS:
        return True
    return False
