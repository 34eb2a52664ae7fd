"""Output of commands: for a person (human), a program (json) or a script (quiet).

A command offers its output in every format; the console writes the chosen one, in characters that
the terminal has.
"""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from automlrank.printable import printable

if TYPE_CHECKING:
    import rich.console


LIKE = {"→": ">", "·": "-", "±": "+-", "×": "x", "µ": "u"}  # noqa: RUF001
"""Spellings of characters of ours where a console cannot show them."""


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Return characters that a console lacks as others, or as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    spelled = (LIKE.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text)
    return "".join(spelled), error.end


codecs.register_error("automlrank.spelled", _spelled)


def show_what_can_be_shown() -> None:
    """Let the standard streams spell what their encoding lacks: no text is an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="automlrank.spelled")


class Format(StrEnum):
    """Format of output: ``json`` is one document, ``quiet`` the lines that a script reads."""

    human = "human"
    json = "json"
    quiet = "quiet"


class Console:
    """Writer to stdout in one format."""

    def __init__(self, format: Format) -> None:
        self.format = format

    @cached_property
    def screen(self) -> rich.console.Console:
        """Terminal of this process."""
        from rich.console import Console

        return Console(highlight=False, markup=False, emoji=False)

    @property
    def is_live(self) -> bool:
        """True if a person watches: the terminal can redraw its lines."""
        screen = self.screen
        return self.format is Format.human and screen.is_terminal and not screen.is_dumb_terminal

    def say(self, text: str = "") -> None:
        """Write a line for a person; it is never wrapped, to keep its paths whole."""
        if self.format is Format.human:
            typer.echo(printable(text))

    def show(self, renderable: rich.console.RenderableType) -> None:
        """Write a table or a tree for a person."""
        if self.format is Format.human:
            self.screen.print(renderable)

    def data(self, make: Callable[[], object]) -> None:
        """Write the document of the json format; other formats do not make it."""
        if self.format is Format.json:
            from automlrank.documents import dump_json

            typer.echo(dump_json(make()))

    def brief(self, *lines: object) -> None:
        """Write the lines of the quiet format."""
        if self.format is Format.quiet:
            for line in lines:
                typer.echo(line)
