"""Where encoded tables, staged tables and digests are kept between runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from automlrank.errors import DataError


def default_cache() -> Path:
    """The cache folder: ``AUTOMLRANK_CACHE``, or one in the home folder."""
    return Path(os.environ.get("AUTOMLRANK_CACHE") or Path.home() / ".cache" / "automlrank")


def write_part(frame: pl.DataFrame, path: Path) -> None:
    """Write rows as typed Parquet; raises DataError if the place cannot be written."""
    with staging():
        frame.write_parquet(path, compression="lz4", statistics=False)


@contextmanager
def staging() -> Iterator[None]:
    """Raises DataError where the cache folder is full or cannot be written."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:  # Polars wraps the system's errors
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"the table cannot be staged in {default_cache()}: {reason}.",
            "Free some space, or name another cache folder in AUTOMLRANK_CACHE.",
        ) from None
