"""Domains: sets of values that a knob may take.

A knob has a legal domain (what its block can do) and a search domain inside it (what a space
searches unless it says otherwise). In YAML a scalar is a domain of one value, a list is a
choice, and ``{int: [1, 4]}``, ``{float: [0, 0.5]}``, ``{log: [1e-4, 1e-2]}`` are ranges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from automlrank.errors import shown

Scalar = None | bool | int | float | str
RANGES = ("int", "float", "log")


@dataclass(frozen=True)
class Choice:
    """A finite set of values, in the order that they were written in."""

    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a choice needs at least one value.")
        if len({(type(value), value) for value in self.values}) < len(self.values):
            raise ValueError(
                f"a choice must not repeat a value, but got {shown(list(self.values))}."
            )

    def __contains__(self, value: object) -> bool:
        return any(_same(value, known) for known in self.values)

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.values))}"

    def within(self, legal: Domain) -> bool:
        return all(value in legal for value in self.values)

    def coerce(self, value: Scalar) -> Scalar:
        """The member equal to ``value``: 0 becomes 0.0 where the member is 0.0."""
        return next(known for known in self.values if _same(value, known))

    def samples(self) -> tuple[Scalar, ...]:
        """The values that tests try."""
        return self.values

    def count(self) -> float:
        return len(self.values)

    def to_data(self) -> object:
        return self.values[0] if len(self.values) == 1 else list(self.values)


@dataclass(frozen=True)
class Range:
    """An interval: ``kind`` is ``int``, ``float``, or ``log`` (a float drawn by its logarithm)."""

    kind: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not -1e300 < self.low <= self.high < 1e300:  # also false for NaN
            ends = [self.low, self.high]
            raise ValueError(
                f"low <= high must hold for two finite numbers, but got {shown(ends)}."
            )
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"a log range must begin above 0, but got {self.low}.")

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = self.kind != "int" or isinstance(value, int)
        return whole and self.low <= value <= self.high

    def __str__(self) -> str:
        noun = "a whole number" if self.kind == "int" else "a number"
        return f"{noun} from {self.low:g} to {self.high:g}"

    def within(self, legal: Domain) -> bool:
        if isinstance(legal, Choice):
            return self.kind == "int" and all(
                value in legal for value in range(int(self.low), int(self.high) + 1)
            )
        same = (self.kind == "int") == (legal.kind == "int")
        return same and legal.low <= self.low and self.high <= legal.high

    def coerce(self, value: Scalar) -> Scalar:
        assert isinstance(value, int | float)
        return int(value) if self.kind == "int" else float(value)

    def samples(self) -> tuple[Scalar, ...]:
        """Both ends and the middle: what tests try."""
        middle = (
            math.sqrt(self.low * self.high) if self.kind == "log" else (self.low + self.high) / 2
        )
        return tuple(dict.fromkeys(self.coerce(v) for v in (self.low, middle, self.high)))

    def count(self) -> float:
        if self.low == self.high:
            return 1
        return int(self.high) - int(self.low) + 1 if self.kind == "int" else math.inf

    def to_data(self) -> object:
        return {self.kind: [self.coerce(self.low), self.coerce(self.high)]}


Domain = Choice | Range


def ints(low: int, high: int) -> Range:
    """Whole numbers from ``low`` to ``high``."""
    return Range("int", low, high)


def floats(low: float, high: float) -> Range:
    """Numbers from ``low`` to ``high``."""
    return Range("float", low, high)


def logs(low: float, high: float) -> Range:
    """Numbers from ``low`` to ``high``, drawn by their logarithm."""
    return Range("log", low, high)


def one_of(*values: Scalar) -> Choice:
    """One of ``values``."""
    return Choice(values)


def domain_of(data: object) -> Domain:
    """A domain from its YAML form; raises ValueError with the rule that is broken."""
    if isinstance(data, Choice | Range):
        return data
    if isinstance(data, dict):
        if len(data) != 1 or next(iter(data)) not in RANGES:
            raise ValueError(
                f"a range is one of {{int: [low, high]}}, {{float: ...}}, "
                f"{{log: ...}}, but got {shown(data)}."
            )
        kind, ends = next(iter(data.items()))
        return _range(kind, ends)
    values = tuple(data) if isinstance(data, list | tuple) else (data,)
    if not all(value is None or isinstance(value, bool | int | float | str) for value in values):
        raise ValueError(
            f"a value is a number, a word, true, false or null, but got {shown(data)}."
        )
    return Choice(values)


def short(domain: Domain) -> str:
    """Return a domain in few letters: ``64|128``, ``1..8``, ``0.001..10 log``."""
    if isinstance(domain, Choice):
        return "|".join(word(value) for value in domain.values)
    ends = f"{domain.low:g}..{domain.high:g}"
    return f"{ends} log" if domain.kind == "log" else ends


def word(value: object) -> str:
    """Return a value as YAML has it."""
    known = {None: "null", True: "true", False: "false"}
    return known[value] if value is None or isinstance(value, bool) else str(value)


def _range(kind: str, ends: object) -> Range:
    if (
        not isinstance(ends, list | tuple)
        or len(ends) != 2
        or not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    ):
        raise ValueError(f"{kind} takes two numbers, [low, high], but got {shown(ends)}.")
    if kind == "int" and not all(isinstance(end, int) for end in ends):
        raise ValueError(f"int takes two whole numbers, but got {shown(list(ends))}.")
    return Range(kind, ends[0], ends[1])


def _same(value: object, known: Scalar) -> bool:
    """Equal, where True is not 1 and 1 is 1.0."""
    return isinstance(value, bool) == isinstance(known, bool) and value == known
