"""Read a table from files, folders, patterns, bundled samples or frames, with side tables.

Parquet and Arrow files are scanned where they lie. Text, lazy frames and joined tables are staged:
written once as Parquet into a temporary folder, so that every later pass is cheap.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from automlrank.data.align import usual_types
from automlrank.data.damage import READ_ERRORS, readable, unreadable
from automlrank.data.detect import detect
from automlrank.data.digest import digest_of_files
from automlrank.data.exact import column
from automlrank.data.formats import is_text
from automlrank.data.join import Join, Side
from automlrank.data.names import check_names
from automlrank.data.pieces import CHUNK_ROWS, Piece, together
from automlrank.data.scan import Scanned, scan_files
from automlrank.data.sources import (
    Data,
    files_of,
    is_files,
    is_sample,
    items,
    left_out,
    locate,
    name_of,
    sample_path,
    sample_schema,
    samples,
)
from automlrank.data.staging import Staging
from automlrank.data.table import Table
from automlrank.data.wishes import Wish, wishes
from automlrank.errors import DataError, Fault
from automlrank.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Data",
    "Join",
    "digest",
    "is_sample",
    "locate",
    "name_of",
    "only_item",
    "open_table",
    "sample_path",
    "sample_schema",
    "samples",
]

FRAME_ERRORS = (*READ_ERRORS, TypeError, AttributeError, ValueError, OverflowError)


@contextmanager
def open_table(
    source: Data,
    joins: Sequence[Join] = (),
    schema: Schema | None = None,
    *,
    all_columns: bool = False,
) -> Iterator[Table]:
    """A table and its side tables, joined from the left; staged parts are removed at the end.

    The form of each column is found from all of its values, within what the schema says. Columns
    that a schema with features does not name stay as they are stored, unless ``all_columns``.
    Raises DataError if it cannot be read, has no rows, or its parts or keys do not fit together.
    """
    with contextlib.ExitStack() as stack:
        place = Staging(stack)
        table, from_text = _opened(source, joins, place)
        said = wishes(schema) if schema else {}
        every = Wish(nulls=schema.nulls if schema else None)
        is_open = all_columns or schema is None or not schema.features
        found = detect(table, {n: said.get(n, every) for n in table.schema if is_open or n in said})
        table = table.read_as(found.forms, found.notes, found.plain)
        yield table.stored(place.replace(table.pieces)) if from_text else table


def only_item(source: Data) -> Data:
    """The file of a list of one."""
    return source[0] if isinstance(source, list | tuple) and len(source) == 1 else source


def digest(source: Data, joins: Sequence[Join] = ()) -> str:
    """SHA-256 of the content, wherever it lies: of files' bytes, or of a frame's rows."""
    found = _digest(source)
    for join in joins:
        together = [found, join.key, _digest(join.path)]
        found = hashlib.sha256(repr(together).encode()).hexdigest()
    return found


def _opened(source: Data, joins: Sequence[Join], place: Staging) -> tuple[Table, bool]:
    """The table as it is stored, and True if some of it comes from text."""
    pieces, parts, notes = _scan(source, place)
    from_text = _are_text(pieces)
    if not sum(parts):
        raise DataError(f"{_place(source)} has no rows.")
    sides: list[Side] = []
    first = together(pieces).scan.collect_schema().to_frame()
    for join in joins:
        read = _scan(join.path, place)
        notes = (*notes, *read.notes)
        from_text = from_text or _are_text(read.pieces)
        side = together(read.pieces).scan
        sides.append(Side.read(first.schema, side, join))
        first = sides[-1].joined(first)
    if sides:
        pieces = place.write(pieces, sides)
    scan = together(pieces).scan
    schema = dict(scan.collect_schema())
    name, rows = name_of(source), sum(parts)
    return Table(name, scan, schema, rows, parts, tuple(pieces), notes=notes), from_text


def _scan(source: Data, place: Staging) -> Scanned:
    """The rows of a source, and how many each of its parts has."""
    if is_files(source):
        groups = [files_of(item) for item in items(source)]
        read = scan_files(groups, place)
        return read._replace(notes=(*read.notes, *left_out(items(source), groups)))
    scan = _lazy(source)
    if isinstance(source, pl.LazyFrame):
        pieces = place.write([Piece(scan, 0)])
        return Scanned(pieces, (sum(piece.rows for piece in pieces),))
    rows = int(scan.select(pl.len()).collect().item())
    return Scanned([Piece(scan, rows)], (rows,))


def _lazy(frame: Any) -> pl.LazyFrame:
    """A frame's rows in usual types."""
    try:
        if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
            check_names([str(name) for name in frame.columns], "the frame")
            frame = _from_pandas(frame)
        scan = frame.lazy()
        check_names(list(scan.collect_schema()), "the frame")
        _check_objects(scan)
    except FRAME_ERRORS as error:
        raise unreadable(f"a {type(frame).__name__} cannot be read as a table", error) from None
    return usual_types(scan)


def _from_pandas(frame: pd.DataFrame) -> pl.DataFrame:
    """The rows with the named levels of their index; raises DataError with what is no column."""
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    frame = frame.reset_index(level=named) if named else frame
    try:
        return pl.from_pandas(frame)
    except FRAME_ERRORS:
        for position, name in enumerate(frame.columns):
            try:
                pl.from_pandas(frame.iloc[:, [position]])
            except FRAME_ERRORS as error:
                problem = f"a DataFrame cannot be read as a table: its column {str(name)!r}"
                raise unreadable(problem, error) from None
        raise


def _check_objects(scan: pl.LazyFrame) -> None:
    """Raises DataError with every column of Python objects: they cannot be compared or stored."""
    faults = [
        Fault(f"column {name!r} holds objects of Python.", file="the frame", hint="Leave it out.")
        for name, kind in scan.collect_schema().items()
        if kind.is_object()
    ]
    if faults:
        raise DataError(faults)


def _digest(source: Data) -> str:
    if is_files(source):
        return digest_of_files(file for item in items(source) for file in files_of(item))
    scan = _lazy(source)
    total = hashlib.sha256(repr(scan.collect_schema()).encode())
    with readable("the frame"):
        for chunk in scan.with_columns(_spelled(scan)).collect_batches(
            chunk_size=CHUNK_ROWS, maintain_order=True
        ):
            total.update(chunk.hash_rows(seed=0).to_numpy().tobytes())
    return total.hexdigest()


def _spelled(scan: pl.LazyFrame) -> list[pl.Expr]:
    """Lists of categories as text: their codes, which would be hashed, differ between processes."""
    coded = (pl.Categorical, pl.Enum)
    schema = scan.collect_schema()
    lists = [n for n, kind in schema.items() if isinstance(kind, pl.List) and kind.inner in coded]
    return [column(name).cast(pl.List(pl.String)) for name in lists]


def _are_text(pieces: Sequence[Piece]) -> bool:
    """True if some rows come from a text file: typed once, they are read fast."""
    return any(piece.file is not None and is_text(piece.file) for piece in pieces)


def _place(source: Data) -> str:
    return ", ".join(map(str, items(source))) if is_files(source) else "the frame"
