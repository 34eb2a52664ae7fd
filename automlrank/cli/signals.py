"""Signals that end a command: each as Ctrl-C does, so that what is there is reported."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
CODE = 128
"""Exit code of a command that a signal ended, less the signal's number: 130 for Ctrl-C."""


_heard: list[int] = []  # signals that this process was ended by


class Ended(KeyboardInterrupt):
    """A signal came: Ctrl-C, SIGTERM of a scheduler, or SIGHUP of a terminal that is closed."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = CODE + number


def code_of_the_end() -> int:
    """Return the exit code of a command that was interrupted."""
    return CODE + (_heard[-1] if _heard else signal.SIGINT)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise Ended at the first signal; the second ends the process at once.

    One that is ignored, as under ``nohup``, stays so. Only the main thread can hear signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    heard = [number for number, known in before.items() if known not in (signal.SIG_IGN, None)]
    terminals = [stream for stream in (1, 2) if os.isatty(stream)]

    def end(number: int, _: FrameType | None) -> NoReturn:
        for each in heard:
            signal.signal(each, signal.SIG_DFL)
        if number not in (signal.SIGINT, signal.SIGTERM):
            _leave(terminals)
        _heard.append(number)
        raise Ended(number)

    for number in heard:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def _leave(terminals: list[int]) -> None:
    """Write to nowhere what was for a terminal that is gone: an error would stop the report."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for terminal in terminals:
        os.dup2(nowhere, terminal)
    os.close(nowhere)
