"""Exit codes of commands (1 failed, 2 wrong use, 130 interrupted), and error messages."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from typing import NoReturn, ParamSpec

import typer

from automlrank.errors import AutomlrankError, UsageError
from automlrank.printable import printable

P = ParamSpec("P")
FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
DEBUG = "AUTOMLRANK_DEBUG"


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Return the command with its errors as sentences on stderr and as its exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except UsageError as error:
            _end(WRONG_USE, (f"Error: {fault}" for fault in error.faults))
        except AutomlrankError as error:
            _end(FAILED, [f"Error: {error}"])
        except KeyboardInterrupt:
            _end(INTERRUPTED, ["Interrupted: the command did not finish."])
        except (typer.Exit, BrokenPipeError):
            raise
        except OSError as error:
            _end(FAILED, [f"Error: {error.strerror or error}: {error.filename or 'no file'}."])
        except Exception as error:
            if os.environ.get(DEBUG) == "1":
                raise
            _end(FAILED, _internal(error))

    return run


def _internal(error: Exception) -> Iterable[str]:
    yield f"Internal error: {type(error).__name__}: {error}"
    yield f"It is not your mistake. Run it again with {DEBUG}=1 and report what it prints."


def _end(code: int, sentences: Iterable[str]) -> NoReturn:
    for sentence in sentences:
        typer.echo(printable(sentence), err=True)
    raise typer.Exit(code)
