"""Exit codes of commands, and error messages.

0 done, 1 failed, 2 wrong use or a file or disk that does not serve, 128 + N ended by signal N
before it was done: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from typing import ParamSpec

import typer

from automlrank.cli.signals import Ended, ended_by_signals
from automlrank.errors import ForeseenError, UsageError, reason_of
from automlrank.printable import printable

P = ParamSpec("P")
FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
DEBUG = "AUTOMLRANK_DEBUG"
FORESEEN = (ForeseenError, KeyboardInterrupt, OSError, MemoryError)
UNTOUCHED = (typer.Exit, BrokenPipeError, SystemExit, GeneratorExit)


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Return the command with its errors as sentences on stderr and as its exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with ended_by_signals():
                command(*args, **kwargs)
        except UNTOUCHED:
            raise
        except BaseException as error:  # a panic of Polars is none of Exception
            if os.environ.get(DEBUG) == "1" and not isinstance(error, FORESEEN):
                raise
            raise typer.Exit(told(error)) from None

    return run


def told(error: BaseException) -> int:
    """Print an error's sentences to stderr; return its exit code."""
    code, sentences = _end_of(error)
    for sentence in sentences:
        typer.echo(printable(sentence), err=True)
    return code


def _end_of(error: BaseException) -> tuple[int, Iterable[str]]:
    """Return the exit code and the sentences of an error."""
    match error:
        case UsageError():
            return WRONG_USE, [f"Error: {fault}" for fault in error.faults]
        case ForeseenError():
            return FAILED, [f"Error: {error}"]
        case KeyboardInterrupt():
            code = error.code if isinstance(error, Ended) else INTERRUPTED
            notes = getattr(error, "__notes__", [])
            return code, ["Interrupted: the command did not finish.", *notes]
        case OSError(errno=int(), strerror=str(said)):  # the system's own; libraries have no number
            file = f": {error.filename}" if error.filename else ""
            return WRONG_USE, [f"Error: {said}{file}."]
        case MemoryError():
            return FAILED, ["Error: there is not enough memory."]
    return FAILED, [
        f"Internal error: {reason_of(error)}",
        f"It is not your mistake. Run it again with {DEBUG}=1 and report what it prints.",
    ]
