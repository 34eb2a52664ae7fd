"""Separator and names of a text file, by its header and first rows."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from automlrank.data.formats import kind_of
from automlrank.data.names import check_names
from automlrank.data.text_file import AS_UTF8, NEWLINE, outside_quotes, without_blanks
from automlrank.data.values import Array
from automlrank.errors import DataError

SEPARATORS = (b",", b"\t", b";", b"|")
ROWS = 200  # at the top of a file say how its fields are separated
FIRST_BYTES = 1 << 15  # often hold so many rows; a whole head takes 32 times as long
SAID = re.compile(rb"sep=([,\t;|])\r?\n")  # Excel's first line, which is no row


class Dialect(NamedTuple):
    """How a file's rows are read, and where they begin behind the header."""

    separator: bytes
    names: list[str]
    start: int


def dialect_of(head: bytes, path: Path) -> Dialect:
    """The dialect of a file that begins so; raises DataError for names that cannot be."""
    said = SAID.match(head)
    begin = said.end() if said else 0
    rows = head[begin:]
    separator = said[1] if said else separator_of(rows, own_separator(path))
    end = _first_row_end(rows)
    return Dialect(separator, _names(rows[:end], separator, path), begin + end)


def own_separator(path: Path) -> bytes:
    """The separator that a file's ending stands for."""
    return b"\t" if kind_of(path) == "TSV" else b","


def separator_of(head: bytes, own: bytes) -> bytes:
    """The separator of a file that begins so; ``own`` is that of its ending.

    It stands outside quotes, as often in each of the first rows as in the header; of several the
    most frequent. In ragged rows it stands as often in most. A header of one column has none.
    """
    counts = {separator: fields for separator, fields in _counts(head).items() if fields[0]}
    even = {s: (fields == fields[0]).mean() for s, fields in counts.items()}
    regular = [s for s in counts if even[s] == 1.0]
    usual = [s for s in counts if even[s] >= 0.5]
    order = {s: (int(counts[s][0]), s == own) for s in counts}
    return max(regular or ([own] if own in counts else usual), key=order.__getitem__, default=own)


def _counts(head: bytes) -> dict[bytes, Array]:
    """How often each separator stands outside quotes in the first rows, blank ones left out."""
    for size in (FIRST_BYTES, 8 * FIRST_BYTES, len(head)):
        found = np.frombuffer(head[:size], np.uint8)
        outside = outside_quotes(found)
        ends = np.flatnonzero((found == NEWLINE) & outside)[:ROWS]
        if len(ends) == ROWS:
            break
    if not len(ends):
        ends = np.array([len(found)])
    text = np.flatnonzero(~np.isin(found, list(b"\r\n")))
    is_blank = np.diff(np.searchsorted(text, ends), prepend=0) == 0
    counts = {}
    for separator in SEPARATORS:
        places = np.flatnonzero((found == separator[0]) & outside)
        fields = np.diff(np.searchsorted(places, ends), prepend=0)
        counts[separator] = fields[~is_blank]
    return {separator: fields for separator, fields in counts.items() if len(fields)}


def _first_row_end(data: bytes) -> int:
    """Behind the first newline outside of quotes, or at the end."""
    quotes, start = 0, 0
    while (newline := data.find(b"\n", start)) >= 0:
        quotes += data.count(b'"', start, newline)
        start = newline + 1
        if quotes % 2 == 0:
            return start
    return len(data)


def _names(line: bytes, separator: bytes, path: Path) -> list[str]:
    """The names of columns, without blanks around them."""
    try:
        text = without_blanks(line, separator).decode()
        if "\0" in text:  # UTF-16 without a mark
            raise DataError(f"{path}: row 1 holds NUL bytes.", AS_UTF8)
        opened = io.StringIO(text, newline="")
        row = next(csv.reader(opened, delimiter=separator.decode(), strict=True))
    except UnicodeDecodeError:
        raise DataError(f"{path}: row 1, the header, is not UTF-8.", AS_UTF8) from None
    except csv.Error as error:
        raise DataError(f"{path}: row 1 has no names of columns: {error}.") from None
    names = [name.strip(" \t") for name in row]
    check_names(names, str(path))
    return names
