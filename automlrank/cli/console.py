"""The one place that writes: for a person, for a program (json), or for a script (quiet).

A command says everything; what the chosen format does not want is not written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import rich.console


class Format(StrEnum):
    """``json`` prints one document, ``quiet`` only what a script would read."""

    human = "human"
    json = "json"
    quiet = "quiet"


class Console:
    """Writes to stdout in one format."""

    def __init__(self, format: Format) -> None:
        self.format = format

    @cached_property
    def screen(self) -> rich.console.Console:
        """The terminal."""
        from rich.console import Console

        return Console(highlight=False, markup=False, emoji=False)

    @property
    def is_live(self) -> bool:
        """Whether a person watches: a terminal that can redraw its lines."""
        screen = self.screen
        return self.format is Format.human and screen.is_terminal and not screen.is_dumb_terminal

    def say(self, text: str = "") -> None:
        """A line for a person, never broken: its paths can be copied."""
        if self.format is Format.human:
            typer.echo(text)

    def show(self, renderable: rich.console.RenderableType) -> None:
        """A table or a tree for a person."""
        if self.format is Format.human:
            self.screen.print(renderable)

    def data(self, make: Callable[[], object]) -> None:
        """The document of the json format, made only where it is wanted."""
        if self.format is Format.json:
            text = json.dumps(make(), indent=1, ensure_ascii=False, allow_nan=False)
            typer.echo(text)

    def brief(self, *lines: object) -> None:
        """The lines of the quiet format."""
        if self.format is Format.quiet:
            for line in lines:
                typer.echo(line)
