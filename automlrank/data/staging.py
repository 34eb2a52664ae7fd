"""Stage parts of a table as Parquet files, so that every later pass is cheap."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from automlrank.data.cache import staged_folder, staging, write_part
from automlrank.data.join import Side
from automlrank.data.pieces import CHUNK_ROWS, Piece, reading, together


class Staging:
    """A temporary folder in the cache folder, made when it is first asked for."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._numbers = itertools.count()
        self._place: Path | None = None

    def folder(self) -> Path:
        """A new empty folder."""
        with staging():
            if self._place is None:
                self._place = Path(self._stack.enter_context(staged_folder()))
            folder = self._place / str(next(self._numbers))
            folder.mkdir()
        return folder

    def replace(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The rows, computed once; whatever they were computed from is removed."""
        assert self._place is not None
        before = list(self._place.iterdir())
        written = self.write(pieces)
        for folder in before:
            shutil.rmtree(folder, ignore_errors=True)  # on Windows a mapped file stays
        return written

    def write(self, given: Sequence[Piece], sides: Sequence[Side] = ()) -> list[Piece]:
        """The rows with their side tables, computed once."""
        folder = self.folder()
        scan = together(given).scan
        pieces: list[Piece] = []
        with reading(given, "the table"):
            batches = scan.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True)
            for chunk in itertools.chain([scan.collect_schema().to_frame()], batches):
                for side in sides:
                    chunk = side.joined(chunk)
                path = folder / f"{len(pieces):06}.parquet"
                write_part(chunk, path)
                pieces.append(Piece(pl.scan_parquet(path), chunk.height))
        return pieces
