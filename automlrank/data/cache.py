"""The cache folder: encoded tables, staged tables and file digests, shared by all runs."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from automlrank.errors import DataError


def default_cache() -> Path:
    """The cache folder: ``AUTOMLRANK_CACHE``, or one in the home folder."""
    return Path(os.environ.get("AUTOMLRANK_CACHE") or Path.home() / ".cache" / "automlrank")


def staged_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder in the cache folder; those of killed processes are removed first."""
    cache = default_cache()
    cache.mkdir(parents=True, exist_ok=True)
    for folder in cache.glob("staged-*"):
        if _is_abandoned(folder.name):
            shutil.rmtree(folder, ignore_errors=True)  # another process may be at it as well
    return tempfile.TemporaryDirectory(prefix=_prefix(os.getpid()), dir=cache)


def _prefix(process: int) -> str:
    return f"staged-{process}-{platform.node()}-"


def _is_abandoned(name: str) -> bool:
    """Return True if a staged folder belongs to a dead process of this machine."""
    match = re.match(r"staged-(\d+)-", name)
    if not match or not name.startswith(_prefix(int(match[1]))) or os.name != "posix":
        return False  # of another machine; elsewhere than on POSIX, signal 0 ends a process
    try:
        os.kill(int(match[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


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
