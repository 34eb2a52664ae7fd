"""Damage to the files of a run: told with the file, and what to do about it."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automlrank.errors import Fault, RunError, UsageError

LOST = "Restore it from a copy, or run the search again with another --out."


class OtherVersionError(RunError):
    """A run was written in another format than this version reads."""


@contextmanager
def reading(path: Path, hint: str = LOST) -> Iterator[None]:
    """Raise what goes wrong inside as RunError: the file cannot be read, why, and what to do.

    Whatever the values of a damaged file make of themselves is an error of the file, be it a panic
    of a reader.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError, OtherVersionError):
        raise
    except UsageError as error:
        raise RunError([_placed(fault, path, hint) for fault in error.faults]) from error
    except BaseException as error:
        said = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, FileNotFoundError):  # that of a library says nothing
            said = os.strerror(errno.ENOENT)
        raise RunError(unread(path, said or "it is cut off or damaged"), hint) from error


def unread(path: Path, reason: str) -> str:
    """Return the sentence on a file that cannot be read."""
    return f"{path} cannot be read: {reason}."


def _placed(fault: Fault, path: Path, hint: str) -> Fault:
    """Return a fault as a sentence on the file, and what to do."""
    text = str(dataclasses.replace(fault, file=None, hint="")).rstrip(".")
    if not text.startswith(f"{path} cannot be read"):
        text = unread(path, text.removesuffix(f": {path}"))
    return Fault(f"{text.rstrip('.')}.", hint=f"{fault.hint} {hint}".strip())
