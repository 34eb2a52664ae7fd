"""A host-wide lock: while somebody measures a latency, whoever computes beside it pauses.

Two files in the system's temporary folder, locked by ``flock``, which ends with its process: a
killed one, measuring or at work, leaves nothing behind.

    door   held by who measures; who works looks at it between steps and waits while it is shut
    room   shared by all who work, but for the pauses; who measures waits until it is empty

Both waits are bounded, so that a process stopped by hand hinders nobody for ever.
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
        """There is no ``flock``: nobody pauses."""
        return True
else:
    import fcntl
    from fcntl import LOCK_EX, LOCK_SH, LOCK_UN

    def _lock(descriptor: int, how: int) -> bool:
        """Lock or unlock without waiting; gives whether it did."""
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


EMPTY_SECONDS = 5.0  # how long who measures waits for others to reach their next pause
PAUSE_SECONDS = 60.0  # how long who works waits for who measures
POLL_SECONDS = 0.005

T = TypeVar("T")


@contextmanager
def quiet(folder: Path | None = None, *, wait: float = EMPTY_SECONDS) -> Iterator[bool]:
    """Measure alone: others at work on this host pause; gives whether all of them do.

    Those who measure do so one after the other. Not for use inside one's own ``working``.
    """
    with _files(folder) as (door, room):
        alone = _within(door, LOCK_EX, PAUSE_SECONDS) and _within(room, LOCK_EX, wait)
        yield alone


def paced(steps: Iterable[T], folder: Path | None = None) -> Iterator[T]:
    """Work through ``steps``, pausing before each while somebody measures."""
    with working(folder) as pace:
        yield from pace.steps(steps)


@contextmanager
def working(folder: Path | None = None, *, wait: float = PAUSE_SECONDS) -> Iterator[Pace]:
    """Compute beside others, at the pace of what it gives."""
    with _files(folder) as (door, room):
        yield Pace(door, room, wait)


class Pace:
    """In the room, but for the pauses. Who has waited in vain waits no more."""

    def __init__(self, door: int, room: int, wait: float) -> None:
        self.door, self.room, self.wait = door, room, wait
        self.patient = _enter(door, room, wait)

    def pause(self) -> None:
        """Between two steps: returns once nobody measures; takes 3 µs while nobody does."""
        if not self.patient:
            return
        if _lock(self.door, LOCK_SH):
            _lock(self.door, LOCK_UN)
        else:
            _lock(self.room, LOCK_UN)
            self.patient = _enter(self.door, self.room, self.wait)

    def steps(self, steps: Iterable[T]) -> Iterator[T]:
        """Each of the steps, a pause before it."""
        for step in steps:
            self.pause()
            yield step

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Out of the room: for what others do meanwhile, who may compute or measure themselves."""
        _lock(self.room, LOCK_UN)
        yield
        if self.patient:
            self.patient = _enter(self.door, self.room, self.wait)


def _enter(door: int, room: int, wait: float) -> bool:
    """Into the room once the door is open; false where it stays shut for too long."""
    entered = _within(door, LOCK_SH, wait) and _within(room, LOCK_SH, wait)
    _lock(door, LOCK_UN)
    return entered


def _within(descriptor: int, how: int, seconds: float) -> bool:
    """Lock within so many seconds; polls, because ``flock`` waits for ever or not at all."""
    end = time.monotonic() + seconds
    while not _lock(descriptor, how):
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


@contextmanager
def _files(folder: Path | None) -> Iterator[tuple[int, int]]:
    """The two files, open; closing them unlocks them."""
    folder = folder or _folder()
    with ExitStack() as stack:
        opened = []
        for name in ("door", "room"):
            opened.append(os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600))
            stack.callback(os.close, opened[-1])
        yield opened[0], opened[1]


def _folder() -> Path:
    """One for each user: another's files could not be opened."""
    user = os.getuid() if sys.platform != "win32" else os.getlogin()
    folder = Path(tempfile.gettempdir()) / f"automlrank-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
