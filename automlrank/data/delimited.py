"""The rows of a CSV or TSV file in blocks: every column as text, every row checked.

A block is cut at the end of a row, so that a file needs the memory of one block. Rows are counted
as in a spreadsheet: the header is row 1.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from automlrank.data.names import check_names
from automlrank.data.values import Array
from automlrank.errors import DataError

BLOCK_BYTES = 16 << 20  # about 60,000 rows of 40 columns
LONGEST_ROW = 256 << 20  # a quote that is never closed must not bring the whole file into memory
BOM = b"\xef\xbb\xbf"
QUOTE, NEWLINE, RETURN = b'"\n\r'
AS_UTF8 = "Save the file as UTF-8."


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


def _blocks(pieces: Iterable[bytes], width: int, separator: bytes, path: Path) -> Iterator[_Block]:
    """The pieces that hold rows, with the numbers of their rows."""
    row, blank = 2, False
    for data in pieces:
        if width > 1:
            data, blank = _without_blank_end(data, blank, path, row)
        if data:
            block = _Block(data, separator, path, row)
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


@dataclass(frozen=True)
class _Block:
    """Whole rows of a file, the first of which is row number ``row``."""

    data: bytes
    separator: bytes
    path: Path
    row: int

    def parsed(self, names: Sequence[str]) -> pl.DataFrame:
        """The rows as text, empty as null."""
        width = len(names)
        if self._quoted:
            self._check_quotes()
        # Polars refuses long rows but fills short ones with nulls: the sum of fields finds those
        if self._count(self.separator) != self.rows * (width - 1):
            raise self._unreadable(width)
        try:
            frame = pl.read_csv(
                BOM + self.data if self.data.startswith(BOM) else self.data,  # one is dropped
                has_header=False,
                schema=dict.fromkeys(names, pl.String),
                separator=self.separator.decode(),
                quote_char='"' if self._quoted else None,
            )
        except pl.exceptions.PolarsError:
            raise self._unreadable(width) from None
        return frame.with_columns(pl.all().replace("", None)) if b'""' in self.data else frame

    @cached_property
    def rows(self) -> int:
        """How many there are."""
        return self._count(b"\n")

    @cached_property
    def _quoted(self) -> bool:
        return b'"' in self.data

    @cached_property
    def _bytes(self) -> Array:
        return np.frombuffer(self.data, np.uint8)

    @cached_property
    def _outside(self) -> Array:
        """``[bytes]`` bool: outside of quotes."""
        return ~np.logical_xor.accumulate(self._bytes == QUOTE)

    def _count(self, byte: bytes) -> int:
        """How often a byte occurs outside of quotes."""
        if not self._quoted:
            return self.data.count(byte)
        return int(np.count_nonzero((self._bytes == byte[0]) & self._outside))

    def _row_at(self, position: int) -> int:
        ends = (self._bytes[:position] == NEWLINE) & self._outside[:position]
        return self.row + int(np.count_nonzero(ends))

    def _check_quotes(self) -> None:
        """A quote opens behind a separator and closes before one, or stands doubled inside."""
        quotes = np.flatnonzero(self._bytes == QUOTE)
        before, behind = np.zeros(256, bool), np.zeros(256, bool)
        before[[QUOTE, NEWLINE, self.separator[0]]] = True
        behind[[QUOTE, NEWLINE, RETURN, self.separator[0]]] = True
        opening, closing = quotes[::2], quotes[1::2]
        good = before[self._bytes[opening - 1]] | (opening == 0)
        good[: len(closing)] &= behind[self._bytes[closing + 1]]  # the last byte is a newline
        good[len(closing) :] = False
        if not good.all():
            row = self._row_at(int(opening[np.argmin(good)]))
            raise self._error(
                row,
                "has a quote that is not closed, or stands inside a field without quotes",
                "Put the field in quotes and double the quotes in it.",
            )

    def _unreadable(self, width: int) -> DataError:
        """The error of the first row that is ragged or not UTF-8."""
        try:
            self.data.decode()
        except UnicodeDecodeError as error:
            return self._error(self._row_at(error.start), "is not UTF-8", AS_UTF8)
        ends = np.flatnonzero((self._bytes == NEWLINE) & self._outside)
        separators = np.flatnonzero((self._bytes == self.separator[0]) & self._outside)
        fields = np.diff(np.searchsorted(separators, ends), prepend=0) + 1
        at = int(np.argmax(fields != width))
        found = f"{fields[at]} fields" if fields[at] != 1 else "1 field"
        problem = f"has {found}, but the header has {width}"
        return self._error(self.row + at, problem, "Put text that holds separators in quotes.")

    def _error(self, row: int, problem: str, hint: str) -> DataError:
        return DataError(f"{self.path}: row {row} (the header is row 1) {problem}.", hint)
