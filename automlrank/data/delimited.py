"""Read a text file in blocks: every column as text, every row checked.

A block is cut at the end of a row, so that reading needs the memory of one block. Rows are counted
as in a spreadsheet: the header is row 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import polars as pl

from automlrank.data.dialect import Dialect, dialect_of
from automlrank.data.text_block import TextBlock
from automlrank.data.text_file import text_pieces
from automlrank.errors import DataError

BLOCK_BYTES = 16 << 20  # about 60,000 rows of 40 columns
LONGEST_ROW = 256 << 20  # a quote that is never closed must not bring the whole file into memory


def read_blocks(path: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[pl.DataFrame]:
    """The rows in order, as text, empty as null; the first frame is empty and has the names.

    Raises DataError with the row for a file that is empty, ragged, badly quoted, not UTF-8 or cut.
    """
    head, pieces = text_pieces(path, block_bytes)
    dialect = dialect_of(head, path)
    yield pl.DataFrame(schema=dict.fromkeys(dialect.names, pl.String))
    rows = _without_start(_whole_rows(pieces, path), dialect.start)
    with ThreadPoolExecutor(max_workers=1) as ahead:  # one block is parsed ahead: a third faster
        parsing: Future[pl.DataFrame] | None = None
        try:
            for block in _blocks(rows, dialect, path):
                following = ahead.submit(block.parsed, dialect.names)
                if parsing:
                    yield parsing.result()
                parsing = following
        except DataError:
            if parsing:
                parsing.result()  # a fault in an earlier row comes first
            raise
        if parsing:
            yield parsing.result()


def _without_start(pieces: Iterable[bytes], start: int) -> Iterator[bytes]:
    """The pieces behind the first ``start`` bytes."""
    for piece in pieces:
        if start < len(piece):
            yield piece[start:]
        start = max(0, start - len(piece))


def _blocks(pieces: Iterable[bytes], dialect: Dialect, path: Path) -> Iterator[TextBlock]:
    """The pieces that hold rows, with the numbers of their rows."""
    row, blank, width = 2, False, len(dialect.names)
    for data in pieces:
        if width > 1:
            data, blank = _without_blank_end(data, blank, path, row)
        if data:
            block = TextBlock.of(data, dialect.separator, width, path, row)
            yield block
            row += block.rows


def _without_blank_end(data: bytes, blank: bool, path: Path, row: int) -> tuple[bytes, bool]:
    """The rows, and whether blank lines follow them: at the end of a file they are no rows."""
    if not blank and not data.endswith((b"\n\n", b"\n\r\n")) and len(data) > len(b"\r\n"):
        return data, False
    kept = data.rstrip(b"\r\n")
    if kept and blank:
        raise DataError(f"{path}: row {row} is empty.", "Remove the line.")
    blank = blank or data.count(b"\n", len(kept)) > bool(kept)
    return kept + b"\n" if kept else b"", blank


def _whole_rows(pieces: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """The file in pieces that end with a row's newline."""
    rest = b""
    for piece in pieces:
        if len(rest) > LONGEST_ROW:
            yield rest + b"\n"  # a quote that is not closed is found with its row
            raise DataError(f"{path} has a row of more than {LONGEST_ROW:,} bytes.")
        end = _last_row_end(piece, rest.count(b'"'))
        if end:
            yield b"".join((rest, memoryview(piece)[:end]))  # one copy
            rest = b""
        rest += piece[end:]
    if rest:
        yield rest + b"\n"


def _last_row_end(data: bytes, quotes: int) -> int:
    """Behind the last newline outside of quotes, or 0; ``quotes`` stand before ``data``."""
    quotes, end = quotes + data.count(b'"'), len(data)
    while (newline := data.rfind(b"\n", 0, end)) >= 0:
        quotes -= data.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0
