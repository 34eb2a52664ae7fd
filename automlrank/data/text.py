"""Stage CSV and TSV files as Parquet parts of text; the forms of columns are found later."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import polars as pl

from automlrank.data.cache import write_part
from automlrank.data.delimited import BLOCK_BYTES, read_blocks
from automlrank.data.pieces import Piece


def stage_text(file: Path, folder: Path, block_bytes: int = BLOCK_BYTES) -> list[Piece]:
    """Write a file as Parquet parts of text into an empty folder; the parts in order.

    A part is written while the next block is read. Raises DataError for a file that cannot be read.
    """
    pieces: list[Piece] = []
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[None] | None = None
        for frame in read_blocks(file, block_bytes):
            path = folder / f"{len(pieces):06}.parquet"
            pieces.append(Piece(pl.LazyFrame(schema=frame.schema), frame.height, file))
            if writing:
                writing.result()
            writing = writer.submit(write_part, frame, path)
        if writing:
            writing.result()
    return [
        piece._replace(scan=pl.scan_parquet(folder / f"{number:06}.parquet"))
        for number, piece in enumerate(pieces)
    ]
