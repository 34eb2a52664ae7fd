"""Bytes of a text file: unpacked, without a mark, with newlines where rows end."""

from __future__ import annotations

import bz2
import gzip
import itertools
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from automlrank.data.formats import check_content, packing
from automlrank.data.values import Array
from automlrank.errors import DataError

HEAD_BYTES = 1 << 20  # hold the header, and the rows that tell the separator
BOM = b"\xef\xbb\xbf"
QUOTE, NEWLINE, RETURN = b'"\n\r'
BLANKS = b" \t"
MOST_BLANKS = 1000  # around quotes
AS_UTF8 = "Save the file as UTF-8."


def text_pieces(path: Path, size: int) -> tuple[bytes, Iterator[bytes]]:
    """The head of a file, and all of it in pieces of about ``size`` bytes.

    Rows end with a newline, perhaps behind a carriage return. Raises DataError for a file that is
    empty, cut, damaged or of another format.
    """
    pieces, head = _unpacked(path, size), b""
    while len(head) < HEAD_BYTES and (piece := next(pieces, b"")):
        head += piece
    if not head:
        raise DataError(f"{path} is empty.")
    head = head.removeprefix(BOM) or b"\n"
    parts = (head[start : start + size] for start in range(0, len(head), size))
    every = itertools.chain(parts, pieces)
    if not ends_with_returns(head):
        return head, every
    return b"".join(with_newlines([head])), with_newlines(every)


def ends_with_returns(head: bytes) -> bool:
    """Return True if the first row ends with a carriage return alone, as on an old Mac."""
    if b"\r" not in head:
        return False
    found = np.frombuffer(head, np.uint8)
    ends = np.flatnonzero(((found == NEWLINE) | (found == RETURN)) & outside_quotes(found))
    return len(ends) > 0 and found[ends[0]] == RETURN and head[ends[0] + 1 : ends[0] + 2] != b"\n"


def outside_quotes(found: Array) -> Array:
    """``[bytes]`` bool: outside of quotes; a closing quote counts as outside."""
    return ~np.logical_xor.accumulate(found == QUOTE)


def with_newlines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces with newlines for carriage returns that stand alone outside of quotes."""
    is_quoted, held = False, b""
    for piece in pieces:
        data = held + piece
        held = b"\r" if data.endswith(b"\r") else b""  # a newline may follow
        data = data.removesuffix(held)
        yield _newlines_for_returns(data, is_quoted)
        is_quoted ^= data.count(b'"') % 2 == 1
    if held:
        yield b"\r" if is_quoted else b"\n"


def _newlines_for_returns(data: bytes, is_quoted: bool) -> bytes:
    if b"\r" not in data:
        return data
    found = np.frombuffer(data, np.uint8).copy()
    alone = (found == RETURN) & (outside_quotes(found) ^ is_quoted)
    alone[:-1] &= found[1:] != NEWLINE
    found[alone] = NEWLINE
    return found.tobytes()


def without_blanks(data: bytes, separator: bytes) -> bytes:
    """Rows without the blanks between a separator, or a row's end, and quotes."""
    if b'"' not in data:
        return data
    found = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(found == QUOTE)
    edges = [separator[0], NEWLINE, RETURN]
    dropped = np.zeros(len(found), bool)
    _mark_blanks(found, quotes[::2], -1, edges, dropped)
    _mark_blanks(found, quotes[1::2], 1, edges, dropped)
    return found[~dropped].tobytes() if dropped.any() else data


def _mark_blanks(found: Array, quotes: Array, step: int, edges: list[int], marked: Array) -> None:
    """Mark runs of blanks that go from quotes, by ``step``, to an edge or the rows' start."""
    blanks = [blank for blank in BLANKS if blank not in edges]
    last = len(found) - 1
    starts, length = quotes, 1
    while len(starts) and length <= MOST_BLANKS:
        at = starts + step * length
        inside = (at >= 0) & (at <= last)
        byte = np.where(inside, found[np.clip(at, 0, last)], NEWLINE)
        reached = starts[np.isin(byte, edges)] if length > 1 else starts[:0]
        for back in range(1, length):
            marked[reached + step * back] = True
        starts = starts[np.isin(byte, blanks)]
        length += 1


def _unpacked(path: Path, size: int) -> Iterator[bytes]:
    try:
        check_content(path)
        with _opened(path) as opened:
            while piece := opened.read(size):
                yield bytes(piece)
    except (EOFError, zlib.error, pa.ArrowException):
        raise DataError(f"{path} is cut off or damaged.", "Copy the file again.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None


def _opened(path: Path) -> BinaryIO | gzip.GzipFile | bz2.BZ2File | pa.NativeFile:
    match packing(path):
        case ".gz":
            return gzip.open(path)
        case ".bz2":
            return bz2.open(path)
        case ".zst":
            return pa.input_stream(str(path), compression="zstd")
    return path.open("rb")
