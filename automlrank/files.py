"""Files that are written whole or not at all, and folders that must be new."""

from __future__ import annotations

import os
from pathlib import Path

from automlrank.errors import RunError, reason_of


def write_text(path: Path, text: str) -> None:
    """Write a text file by renaming a finished part: a reader never sees half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def new_folder(parent: str | Path, name: str, date: str) -> Path:
    """Return a path that does not exist yet: ``parent/name-date``, then ``-2``, ``-3``."""
    stem = Path(parent) / f"{name}-{date}"
    candidates = (stem if n == 1 else stem.with_name(f"{stem.name}-{n}") for n in range(1, 10_000))
    return next(path for path in candidates if not path.exists())


def check_new(path: Path, hint: str = "Give another --out.") -> None:
    """Raise RunError if ``path`` is a file or a folder with something in it."""
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise RunError(f"{path} exists and is not empty.", hint)


def disk_error(error: BaseException) -> str:
    """Return the system's message in one line; a database's error holds it as its cause."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    if isinstance(root, OSError) and root.strerror:
        return root.strerror
    return reason_of(root).removesuffix(".")
