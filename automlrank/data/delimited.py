"""Read a CSV or TSV file in blocks: every column as text, every row checked.

A block is cut at the end of a row, so that reading needs the memory of one block. Rows are counted
as in a spreadsheet: the header is row 1.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import polars as pl

from automlrank.data.names import check_names
from automlrank.data.text_block import AS_UTF8, BOM, TextBlock
from automlrank.errors import DataError

BLOCK_BYTES = 16 << 20  # about 60,000 rows of 40 columns
LONGEST_ROW = 256 << 20  # a quote that is never closed must not bring the whole file into memory


def read_blocks(path: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[pl.DataFrame]:
    """The rows in order, as text, empty as null; the first frame is empty and has the names.

    Raises DataError with the row for a file that is empty, ragged, badly quoted, not UTF-8 or cut.
    """
    blocks = _whole_rows(path, block_bytes)
    first = next(blocks, b"").removeprefix(BOM)
    if not first:
        raise DataError(f"{path} is empty.")
    separator = b"\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else b","
    end = _first_row_end(first)
    names = _header(first[:end], separator.decode(), path)
    yield pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    found = _blocks(itertools.chain([first[end:]], blocks), len(names), separator, path)
    with ThreadPoolExecutor(max_workers=1) as ahead:  # one block is parsed ahead: a third faster
        parsing: Future[pl.DataFrame] | None = None
        try:
            for block in found:
                following = ahead.submit(block.parsed, names)
                if parsing:
                    yield parsing.result()
                parsing = following
        except DataError:
            if parsing:
                parsing.result()  # a fault in an earlier row comes first
            raise
        if parsing:
            yield parsing.result()


def _blocks(
    pieces: Iterable[bytes], width: int, separator: bytes, path: Path
) -> Iterator[TextBlock]:
    """The pieces that hold rows, with the numbers of their rows."""
    row, blank = 2, False
    for data in pieces:
        if width > 1:
            data, blank = _without_blank_end(data, blank, path, row)
        if data:
            block = TextBlock(data, separator, path, row)
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


def _whole_rows(path: Path, block_bytes: int) -> Iterator[bytes]:
    """The file in pieces that end with a row's newline."""
    rest = b""
    try:
        with _opened(path) as opened:
            while piece := opened.read(block_bytes):
                if len(rest) > LONGEST_ROW:
                    yield rest + b"\n"  # a quote that is not closed is found with its row
                    raise DataError(f"{path} has a row of more than {LONGEST_ROW:,} bytes.")
                end = _last_row_end(piece, rest.count(b'"'))
                if end:
                    yield b"".join((rest, memoryview(piece)[:end]))  # one copy
                    rest = b""
                rest += piece[end:]
    except (EOFError, zlib.error):
        raise DataError(f"{path} is cut off or damaged.", "Copy the file again.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    if rest:
        yield rest + b"\n"


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _last_row_end(data: bytes, quotes: int) -> int:
    """Behind the last newline outside of quotes, or 0; ``quotes`` stand before ``data``."""
    quotes, end = quotes + data.count(b'"'), len(data)
    while (newline := data.rfind(b"\n", 0, end)) >= 0:
        quotes -= data.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0


def _first_row_end(data: bytes) -> int:
    """Behind the first newline outside of quotes, or at the end."""
    quotes, start = 0, 0
    while (newline := data.find(b"\n", start)) >= 0:
        quotes += data.count(b'"', start, newline)
        start = newline + 1
        if quotes % 2 == 0:
            return start
    return len(data)


def _header(line: bytes, separator: str, path: Path) -> list[str]:
    try:
        text = line.decode()
        if "\0" in text:  # UTF-16 without a mark
            raise DataError(f"{path}: row 1 holds NUL bytes.", AS_UTF8)
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except UnicodeDecodeError:
        raise DataError(f"{path}: row 1, the header, is not UTF-8.", AS_UTF8) from None
    except csv.Error as error:
        raise DataError(f"{path}: row 1 has no names of columns: {error}.") from None
    check_names(names, str(path))
    return names
