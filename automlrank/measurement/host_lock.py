"""A host-wide lock: while one process measures a latency, training processes pause.

It is two files in the system's temporary folder, locked by ``flock``, which the system releases
when a process dies: a killed process leaves nothing behind.

    door   locked by a measuring process; a working one checks it between steps and waits while it
           is locked
    room   shared by all working processes except while they pause; a measuring one waits until it
           is empty

Both waits are bounded: a suspended process does not block the others for ever.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

if sys.platform == "win32":
    LOCK_EX = LOCK_SH = LOCK_UN = 0

    def _lock(descriptor: int, how: int) -> bool:
        """Return True: there is no ``flock``, and no process pauses."""
        return True
else:
    import fcntl
    from fcntl import LOCK_EX, LOCK_SH, LOCK_UN

    def _lock(descriptor: int, how: int) -> bool:
        """Lock or unlock without waiting; return True on success."""
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


EMPTY_SECONDS = 5.0  # longest wait of a measuring process for the others to pause
PAUSE_SECONDS = 60.0  # longest wait of a working process for a measurement
POLL_SECONDS = 0.005

T = TypeVar("T")


@contextmanager
def quiet(folder: Path | None = None, *, wait: float = EMPTY_SECONDS) -> Iterator[bool]:
    """Pause the other working processes of this host; yield True if all of them paused in time.

    Measurements run one after the other. Not for use inside the same process's ``working``.
    """
    with _files(folder) as (door, room):
        alone = _within(door, LOCK_EX, PAUSE_SECONDS) and _within(room, LOCK_EX, wait)
        yield alone


def paced(steps: Iterable[T], folder: Path | None = None) -> Iterator[T]:
    """Yield the ``steps``, pausing before each while another process measures."""
    with working(folder) as pace:
        yield from pace.steps(steps)


@contextmanager
def working(folder: Path | None = None, *, wait: float = PAUSE_SECONDS) -> Iterator[Pace]:
    """Register this process as working; yield the pace at which it should compute."""
    with _files(folder) as (door, room):
        yield Pace(door, room, wait)


class Pace:
    """Pauses of a working process; after one wait that was too long it stops waiting."""

    def __init__(self, door: int, room: int, wait: float) -> None:
        self.door, self.room, self.wait = door, room, wait
        self.patient = _enter(door, room, wait)

    def pause(self) -> None:
        """Return once no process measures: in 3 µs if none does. Call it between two steps."""
        if not self.patient:
            return
        if _lock(self.door, LOCK_SH):
            _lock(self.door, LOCK_UN)
        else:
            _lock(self.room, LOCK_UN)
            self.patient = _enter(self.door, self.room, self.wait)

    def steps(self, steps: Iterable[T]) -> Iterator[T]:
        """Yield each of the steps, a pause before it."""
        for step in steps:
            self.pause()
            yield step

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Leave the room while this process waits for others, which may compute or measure."""
        _lock(self.room, LOCK_UN)
        yield
        if self.patient:
            self.patient = _enter(self.door, self.room, self.wait)


def _enter(door: int, room: int, wait: float) -> bool:
    """Enter the room once the door is open; return False if it stays locked for too long."""
    entered = _within(door, LOCK_SH, wait) and _within(room, LOCK_SH, wait)
    _lock(door, LOCK_UN)
    return entered


def _within(descriptor: int, how: int, seconds: float) -> bool:
    """Lock within the given seconds; poll, because ``flock`` waits for ever or not at all."""
    end = time.monotonic() + seconds
    while not _lock(descriptor, how):
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


@contextmanager
def _files(folder: Path | None) -> Iterator[tuple[int, int]]:
    """Yield the two files, open; closing them unlocks them."""
    folder = folder or _folder()
    with ExitStack() as stack:
        opened = []
        for name in ("door", "room"):
            opened.append(os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600))
            stack.callback(os.close, opened[-1])
        yield opened[0], opened[1]


def _folder() -> Path:
    """Return a folder for each user, because another user's files could not be opened."""
    user = os.getuid() if sys.platform != "win32" else os.getlogin()
    folder = Path(tempfile.gettempdir()) / f"automlrank-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
