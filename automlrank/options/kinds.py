"""Kinds of options: each reads, checks and documents a value."""

from __future__ import annotations

import dataclasses
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from automlrank.errors import UsageError, did_you_mean, shown

KEY = "option"
UNITS = {"s": 1, "m": 60, "h": 3600}
TIME = re.compile(r"(\d+(?:\.\d+)?)([smh])")
Names = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Option:
    """Description of one option, the metadata of its field."""

    help: str
    metavar: str
    type: Any
    """Type of a value on the command line."""
    read: Callable[[Any], object] = lambda value: value
    """Return the checked value; raise UsageError with the rule that it breaks."""
    spelled: str = ""
    """Name on the command line and in files, without dashes; the field's name if empty."""
    argument: bool = False
    """True if the command line takes it by position."""
    names: Names | None = None
    """Names that are not paths; None for an option that holds no path."""
    kept: str | None = None
    """File of a run's folder that holds the value if Python gave an object."""
    recorded: bool = True
    """False for what concerns one session only: a run's record leaves it out."""


Metadata = Mapping[str, Option]


def whole(
    help: str, *, low: int | None = 0, among: tuple[int, ...] = (), metavar: str = "N"
) -> Metadata:
    """Describe a whole number, at least ``low`` or one of a few."""

    def read(value: object) -> int:
        try:
            number = operator.index(cast(Any, value))
        except TypeError:
            raise refused("must be a whole number", value) from None
        if isinstance(value, bool):
            raise refused("must be a whole number", value)
        if among and number not in among:
            raise refused(f"must be {_one_of(among)}", value)
        if low is not None and number < low:
            raise refused(f"must be {low} or more", value)
        return number

    return {KEY: Option(help, "|".join(map(str, among)) or metavar, int, read)}


def number(help: str, *, metavar: str = "X") -> Metadata:
    """Describe a number above 0."""
    return {KEY: Option(help, metavar, float, _above_zero)}


def duration(help: str, *, metavar: str = "30m") -> Metadata:
    """Describe a time: text with a unit, or seconds as a number in Python."""

    def read(value: object) -> float:
        return seconds(value) if isinstance(value, str) else _above_zero(value)

    return {KEY: Option(help, metavar, str, read)}


def choice(help: str, names: tuple[str, ...]) -> Metadata:
    """Describe one of a few names."""

    def read(value: object) -> object:
        if value not in names:
            raise refused(f"must be {_one_of(names)}", value, did_you_mean(value, names))
        return value

    return {KEY: Option(help, "|".join(names), str, read)}


def text(
    help: str,
    *,
    metavar: str,
    read: Callable[[Any], object] = lambda value: value,
    several: bool = False,
    **more: Any,
) -> Metadata:
    """Describe free text, or a list of texts; ``more`` are further fields of the Option."""
    return {KEY: Option(help, metavar, list[str] if several else str, read, **more)}


def path(help: str, *, names: Names = tuple, metavar: str = "F", **more: Any) -> Metadata:
    """Describe a path, which is relative to the file that holds it, or one of some names."""
    return text(help, metavar=metavar, names=names, **more)


def flag(help: str, **more: Any) -> Metadata:
    """Describe a switch that is off unless given."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise refused("must be true or false", value)
        return value

    return {KEY: Option(help, "", bool, read, **more)}


def argument(metadata: Metadata) -> Metadata:
    """Return the metadata of an option that the command line takes by position."""
    return {KEY: dataclasses.replace(metadata[KEY], argument=True)}


def _above_zero(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused("must be a number", value)
    if not value > 0:
        raise refused("must be above 0", value)
    return value


def seconds(text: str) -> float:
    """Return the seconds of ``90s``, ``30m`` or ``2h``; raise UsageError for other text."""
    match = TIME.fullmatch(text.strip())
    value = float(match[1]) * UNITS[match[2]] if match else math.nan
    if not 0 < value < math.inf:
        raise refused("must be a number above 0 with its unit, such as 90s, 30m or 2h", text)
    return value


def _one_of(names: Iterable[object]) -> str:
    words = [str(name) for name in names]
    return " or ".join(words) if len(words) == 2 else f"one of {', '.join(words)}"


def refused(rule: str, value: object, hint: str = "") -> UsageError:
    return UsageError(f"{rule}, but got {shown(value)}.", hint)
