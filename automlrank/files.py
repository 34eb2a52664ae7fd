"""Files that are written: whole or not at all, and refused early where they cannot be."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automlrank.errors import RunError, reason_of


def write_text(path: Path, text: str) -> None:
    """Write a text file by renaming a finished part: a reader never sees half of it.

    An OSError names the file, not its part; that of a full disk names none by itself.
    """
    part = path.with_name(f".{os.getpid()}.part")  # short: the name itself may be the longest
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with contextlib.suppress(OSError):  # of a folder that is gone
            part.unlink(missing_ok=True)


def new_folder(parent: str | Path, name: str, date: str) -> Path:
    """Return a path that does not exist yet: ``parent/name-date``, then ``-2``, ``-3``."""
    stem = Path(parent) / f"{name}-{date}"
    candidates = (stem if n == 1 else stem.with_name(f"{stem.name}-{n}") for n in range(1, 10_000))
    return next(path for path in candidates if not path.exists())


def check_new(path: Path, hint: str = "Give another --out.") -> None:
    """Raise RunError unless a folder can be made at ``path``, or an empty one is there.

    It is made and removed again: rights, limits on names and kinds of disks have no surer test.
    """
    with _refused(path, "made", hint):
        if path.is_symlink():
            raise RunError(f"{path} is a link.", "Give the folder itself, or another --out.")
        if path.exists() and not path.is_dir() and not path.is_file():
            raise RunError(f"{path} exists and is no folder.", hint)
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise RunError(f"{path} exists and is not empty.", hint)
        _make_and_remove(path)


@contextmanager
def filled(out: Path) -> Iterator[Path]:
    """Yield a folder whose content is that of ``out`` if all goes well; else nothing is left.

    An empty ``out`` stays where it is: it may be mounted, or the place where the command runs.
    Raises RunError if ``out`` cannot be made, or the disk refuses a file.
    """
    check_new(out)
    is_there = out.is_dir()
    place = out if is_there else out.parent
    partial = place / f".{os.getpid()}.partial"
    try:
        partial.mkdir(parents=True)
        yield partial.resolve()
        if is_there:
            for path in partial.iterdir():
                path.rename(out / path.name)
            partial.rmdir()
        else:
            partial.rename(out)
    except OSError as error:
        if error.errno in (None, errno.EPIPE):  # a library's own, or the reader of the output left
            raise
        hint = "Free some space, or give another --out."
        raise RunError(f"{out} cannot be written: {disk_error(error)}.", hint) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a folder with all that is in it, a file or a link, if one is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_file(path: Path, hint: str) -> None:
    """Raise RunError unless a file can be written at ``path``, in a folder that exists."""
    with _refused(path, "written", hint):
        if path.is_dir():
            raise RunError(f"{path} is a folder.", hint)
        if path.exists() and not path.is_file():
            raise RunError(f"{path} is no file that can be replaced.", hint)
        if path.is_symlink() and not path.exists():
            raise RunError(f"{path} is a link that leads nowhere.", hint)
        if not path.parent.is_dir():
            raise RunError(f"there is no folder {path.parent}.", hint)
        with contextlib.suppress(FileNotFoundError):
            path.lstat()  # raises for a name that is too long
        with tempfile.TemporaryFile(dir=path.parent):
            pass


@contextmanager
def _refused(path: Path, verb: str, hint: str) -> Iterator[None]:
    """Raise what the system says against a path as RunError."""
    try:
        yield
    except (OSError, ValueError) as error:  # a name with a null is a ValueError
        raise RunError(f"{path} cannot be {verb}: {disk_error(error)}.", hint) from None


def _make_and_remove(path: Path) -> None:
    made: list[Path] = []
    try:
        for folder in [*reversed(path.parents), path]:
            if folder.exists() and not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, f"{folder} is no folder")
            if not folder.exists():
                folder.mkdir()
                made.append(folder)
        with tempfile.TemporaryFile(dir=path):
            pass
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # another process uses it by now
                folder.rmdir()


def unwritten(place: Path, error: BaseException) -> str:
    """Return the sentence on a file that cannot be written, or a place if no file is known."""
    file = error.filename if isinstance(error, OSError) else None
    return f"{file or place} cannot be written: {disk_error(error)}."


def disk_error(error: BaseException) -> str:
    """Return the system's message in one line; a database's error holds it as its cause."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    if isinstance(root, OSError) and root.strerror:
        return root.strerror
    if isinstance(root, sqlite3.Error):
        return str(root)
    return reason_of(root).removesuffix(".")
