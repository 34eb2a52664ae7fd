"""An opened table of any size, read in chunks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import polars as pl

from automlrank.data.exact import column
from automlrank.data.forms import Form
from automlrank.data.pieces import CHUNK_ROWS, Piece, reading, together
from automlrank.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Table:
    """An opened table: scanning it again gives the same rows in the same order."""

    name: str
    scan: pl.LazyFrame
    schema: dict[str, pl.DataType]
    rows: int
    parts: tuple[int, ...]
    """The rows of each file, or of each entry of a list; one number for a frame."""
    pieces: tuple[Piece, ...]
    """Pieces that ``scan`` is made of: a slice far into many files reads all before it."""
    notes: tuple[str, ...] = ()
    """Sentences on what was decided in reading."""
    forms: Mapping[str, Form] = field(default_factory=dict)
    """Forms by which columns were read; columns without one are as they are stored."""

    def read_as(
        self,
        forms: Mapping[str, Form],
        notes: Sequence[str] = (),
        plain: Set[str] = frozenset(),
    ) -> Table:
        """The table with columns read by these forms; for ``plain`` text a cast is enough."""
        known, reads = [], [forms[name].cast(name) for name in plain]
        for name in forms.keys() - plain:
            known.append(forms[name].known(name, self.schema[name]))
            reads.append(forms[name].typed(name, self.schema[name]))
        pieces = tuple(
            piece._replace(scan=piece.scan.with_columns(known).with_columns(reads))
            for piece in self.pieces
        )
        scan = together(pieces).scan
        return dataclasses.replace(
            self,
            scan=scan,
            schema=dict(scan.collect_schema()),
            pieces=pieces,
            forms={**self.forms, **forms},
            notes=(*self.notes, *notes),
        )

    def stored(self, pieces: Sequence[Piece]) -> Table:
        """The same rows, stored elsewhere."""
        return dataclasses.replace(self, scan=together(pieces).scan, pieces=tuple(pieces))

    def column(self, name: str) -> pl.Series:
        """One whole column; raises DataError if there is none of the name."""
        if name not in self.schema:
            raise DataError(f"the table has no column {name!r}.", did_you_mean(name, self.schema))
        return self.select(name).to_series()

    def select(self, *expressions: pl.Expr | str) -> pl.DataFrame:
        """Columns, or what is made of them; raises DataError where the rows cannot be read."""
        with reading(self.pieces, self.name):
            exact = [column(item) if isinstance(item, str) else item for item in expressions]
            return self.scan.select(exact).collect(engine="streaming")

    def chunks(
        self, columns: Sequence[str] | None = None, rows: int | None = None
    ) -> Iterator[pl.DataFrame]:
        """All rows in order, at most ``rows`` (or CHUNK_ROWS) at a time.

        Slices read ahead no further than a group of rows; batches of Polars' streaming engine held
        2 GB of 10 million rows x 40 columns where the reader waited for them, slices 0.2 GB.
        Reading a chunk ahead in a thread gained nothing: Polars keeps the processors busy.
        """
        most = rows or CHUNK_ROWS
        for piece in _at_least(most, self.pieces):
            scan = piece.scan if columns is None else piece.scan.select(map(column, columns))
            size = -(-piece.rows // -(-piece.rows // most))  # as equal as they can be
            for start in range(0, piece.rows, size):
                with reading(self.pieces, self.name):
                    chunk = scan.slice(start, size).collect()
                yield chunk


def _at_least(rows: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Pieces merged until each has the given number of rows; the last may have fewer."""
    held: list[Piece] = []
    for piece in pieces:
        held.append(piece)
        if sum(one.rows for one in held) >= rows:
            yield together(held)
            held = []
    if any(piece.rows for piece in held):
        yield together(held)
