"""Scan the files of one table: Parquet and Arrow where they lie, text and streams staged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from automlrank.data.align import aligned, usual_types, without_deleted
from automlrank.data.cache import write_part
from automlrank.data.damage import READ_ERRORS, unreadable
from automlrank.data.formats import ARROW_FILE, check_content, check_lengths, is_text, kind_of
from automlrank.data.names import check_names
from automlrank.data.pieces import Piece, TableFile
from automlrank.data.staging import Staging
from automlrank.data.text import stage_text


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
    found, notes = aligned(files, [_pieces_of(file, place) for file in files])
    pieces = [piece for of_file in found for piece in of_file]
    heights = [sum(piece.rows for piece in of_file) for of_file in found]
    if len(groups) == 1:
        return Scanned(pieces, tuple(heights), notes)
    left = iter(heights)
    parts = tuple(sum(itertools.islice(left, len(group))) for group in groups)
    return Scanned(pieces, parts, notes)


def _pieces_of(file: TableFile, place: Staging) -> list[Piece]:
    """The rows of a file in pieces of the same columns; at least one, perhaps without rows."""
    if is_text(file.path):
        return stage_text(file.path, place.folder())
    scan, rows = scan_file(file.path, place.folder)
    scan = usual_types(without_deleted(scan, file))
    return [Piece(scan, rows - len(file.deleted), file.path)]


def scan_file(path: Path, folder: Callable[[], Path]) -> tuple[pl.LazyFrame, int]:
    """A Parquet or Arrow file and its rows; ``folder`` makes a place to stage an Arrow stream.

    Raises DataError if the file cannot be read.
    """
    kind = kind_of(path)
    try:
        head = check_content(path)
        check_lengths(path, head)
        if kind == "Parquet":
            scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        elif head.startswith(ARROW_FILE):
            scan = pl.scan_ipc(path, glob=False, hive_partitioning=False)
        else:
            scan = pl.scan_parquet(_stage_stream(path, folder()))
        check_names(list(scan.collect_schema()), str(path))
        return scan, int(scan.select(pl.len()).collect().item())
    except (*READ_ERRORS, UnicodeDecodeError) as error:
        raise unreadable(f"{path} cannot be read as {kind}", error) from None


def _stage_stream(path: Path, folder: Path) -> list[Path]:
    """The batches of an Arrow stream, which cannot be read from its middle, as Parquet parts."""
    parts: list[Path] = []
    with pa.OSFile(str(path)) as opened, pa.ipc.open_stream(opened) as reader:
        check_names(reader.schema.names, str(path))
        for batch in [reader.schema.empty_table(), *reader]:
            batch.validate(full=True)  # a damaged one ends the process where it is read
            parts.append(folder / f"{len(parts):06}.parquet")
            write_part(pl.DataFrame(pl.from_arrow(batch)), parts[-1])
    return parts
