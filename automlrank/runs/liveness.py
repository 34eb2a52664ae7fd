"""Liveness of a run's workers: each holds a lock file.

The operating system releases the lock when the process dies, whatever kills it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


class Liveness:
    """The lock files of one run's workers, by the worker's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def of(self, worker: str) -> Iterator[None]:
        """Hold the worker's lock: it is seen to be alive."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / file_of(worker)
        with FileLock(place):
            yield
        place.unlink(missing_ok=True)

    def is_alive(self, worker: str) -> bool:
        """Return True if a process holds the worker's lock."""
        return is_held(self.folder / file_of(worker))

    def is_anybody_alive(self) -> bool:
        """Return True if any process holds a worker's lock."""
        return any(is_held(place) for place in self.folder.glob("*.lock"))


def file_of(worker: str) -> str:
    return f"{worker}.lock"


def is_held(path: Path) -> bool:
    """Return True if a process holds the lock file."""
    if not path.is_file():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False
