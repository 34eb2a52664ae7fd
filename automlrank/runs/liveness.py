"""Which workers of a run are alive: each holds a lock file, which its death lets go of."""

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
        """Be seen as alive inside."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / file_of(worker)
        with FileLock(place):
            yield
        place.unlink(missing_ok=True)

    def is_alive(self, worker: str) -> bool:
        """Whether a process holds the worker's lock: a killed one does not."""
        return is_held(self.folder / file_of(worker))

    def is_anybody_alive(self) -> bool:
        """Whether any process holds a worker's lock."""
        return any(is_held(place) for place in self.folder.glob("*.lock"))


def file_of(worker: str) -> str:
    return f"{worker}.lock"


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock file."""
    if not path.is_file():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False
