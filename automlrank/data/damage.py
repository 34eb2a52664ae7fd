"""Errors of other libraries that damaged, foreign and unreachable files cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import pyarrow as pa

from automlrank.errors import DataError

READ_ERRORS = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,  # a BaseException: a reader met what its authors held impossible
    pa.ArrowException,
    OSError,
)


def unreadable(problem: str, error: BaseException) -> DataError:
    """A DataError with the first line of another library's message."""
    if isinstance(error, pl.exceptions.PanicException):
        return DataError(
            f"{problem}: its content is damaged, or in a form that Polars cannot read."
        )
    lines = [line for line in str(error).splitlines() if line.strip()]
    reason = (lines or [type(error).__name__])[0].rstrip(".")
    return DataError(f"{problem}: {reason}.")


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Errors of reading ``name`` are a person's to mend: DataError."""
    try:
        yield
    except READ_ERRORS as error:
        raise unreadable(f"{name} cannot be read", error) from None
