"""Every k-th row of a table."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from automlrank.data.table import Table


def every_kth(table: Table, step: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Return every ``step``-th row, from the first on."""
    chunks, start = [], 0
    for chunk in table.chunks(columns):
        chunks.append(chunk.gather_every(step, -start % step))
        start += chunk.height
    return pl.concat(chunks)
