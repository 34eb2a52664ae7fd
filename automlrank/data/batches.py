"""Batches: choose the rows of each batch and gather their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from automlrank.data.values import Array, Ragged

Rows = np.ndarray[Any, np.dtype[np.int64]]


def orders(rows: Rows, batch_size: int, seed: int | None = None) -> Iterator[Rows]:
    """Yield the rows of each batch: in their order or, with a seed, shuffled.

    Shuffled, a last batch of one row is left out: batch norm has no statistics of one row.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, but got {batch_size}.")
    if seed is not None:
        rows = np.random.default_rng(seed).permutation(rows)
        rows = rows[: len(rows) - (len(rows) % batch_size == 1)]
    for start in range(0, len(rows), batch_size):
        yield rows[start : start + batch_size]


def gather(array: Array | Ragged, rows: Rows) -> Array:
    """Return the values of some rows, lists padded to their longest."""
    return array.take(rows).pad() if isinstance(array, Ragged) else np.take(array, rows, axis=0)
