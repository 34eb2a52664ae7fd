"""A block of whole CSV or TSV rows as bytes: checked, and parsed as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from automlrank.data.text_file import (
    AS_UTF8,
    BOM,
    NEWLINE,
    QUOTE,
    RETURN,
    outside_quotes,
    with_newlines,
    without_blanks,
)
from automlrank.data.values import Array
from automlrank.errors import DataError


@dataclass(frozen=True)
class TextBlock:
    """Whole rows of a file, the first of which is row number ``row``."""

    data: bytes
    separator: bytes
    path: Path
    row: int

    @classmethod
    def of(cls, data: bytes, separator: bytes, width: int, path: Path, row: int) -> TextBlock:
        """Rows of ``width`` columns, without blanks around quotes.

        Carriage returns that stand alone end rows, if only so all rows have as many fields.
        """
        block = cls(without_blanks(data, separator), separator, path, row)
        if data.count(b"\r") > data.count(b"\r\n") and not block.fits(width):
            other = cls(b"".join(with_newlines([block.data])), separator, path, row)
            return other if other.fits(width) else block
        return block

    def fits(self, width: int) -> bool:
        """Return True if the rows have as many fields as the header, on average."""
        return self._count(self.separator) == self.rows * (width - 1)

    def parsed(self, names: Sequence[str]) -> pl.DataFrame:
        """The rows as text, empty as null."""
        width = len(names)
        if self._quoted:
            self._check_quotes()
        # Polars refuses long rows but fills short ones with nulls: the sum of fields finds those
        if not self.fits(width):
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
        """Number of rows."""
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
        return outside_quotes(self._bytes)

    def _count(self, byte: bytes) -> int:
        """Return the number of times a byte occurs outside quotes."""
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
