"""Print values and calls as formatted Python source."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 100
INLINE = 60  # characters of a value that may stand inside a line
CUT = 35  # characters of an odd name in prose: one word, with its escapes doubled
CHUNK = 80  # characters of a piece of a text over several lines
PLAIN = re.compile(r"[\w .:,/+()\[\]-]*", re.ASCII)


@dataclass(frozen=True)
class Code:
    """Code of a value that the printed program computes."""

    text: str


def literal(value: object) -> str:
    """Return a number, text, None, a tuple or dictionary of them as one line of ASCII source."""
    if isinstance(value, Code):
        return value.text
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{literal(key)}: {literal(v)}' for key, v in value.items())}}}"
    if isinstance(value, tuple | list):
        items = ", ".join(literal(item) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, str) and '"' not in value:
        return f'"{ascii(value)[1:-1]}"'
    return ascii(value)


def laid_out(prefix: str, items: Sequence[str], suffix: str, indent: int = 0) -> str:
    """Return ``prefix items suffix`` on one line, else the items on a second, else a line each."""
    pad, inner = " " * indent, " " * (indent + 4)
    joined = ", ".join(items)
    if indent + len(prefix) + len(joined) + len(suffix) <= WIDTH:
        return f"{pad}{prefix}{joined}{suffix}"
    if len(inner) + len(joined) <= WIDTH:
        return f"{pad}{prefix}\n{inner}{joined}\n{pad}{suffix}"
    lines = "".join(f"{inner}{item},\n" for item in items)
    return f"{pad}{prefix}\n{lines}{pad}{suffix}"


def assigned(name: str, value: object) -> str:
    """Return ``name = value`` over as many lines as it takes."""
    line = f"{name} = {literal(value)}"
    if len(line) <= WIDTH:
        return line
    if isinstance(value, str):
        pieces = "\n".join(f"    {piece}" for piece in _pieces(value))
        return f"{name} = (\n{pieces}\n)"
    assert isinstance(value, tuple | list)
    return _table(name, value)


def _table(name: str, values: Sequence[object]) -> str:
    """Return a long tuple: numbers side by side, anything else a line each."""
    items = [f"{literal(value)}," for value in values]
    if all(isinstance(value, int | float) for value in values):
        body = textwrap.fill(" ".join(items), WIDTH - 4)
        return f"{name} = (\n{textwrap.indent(body, '    ')}\n)  # fmt: skip"
    return f"{name} = (\n" + "".join(f"    {item}\n" for item in items) + ")"


def _pieces(text: str) -> list[str]:
    """Return literals that Python joins to ``text``, none of them longer than a line."""
    pieces = [""]
    for character in text:
        if len(literal(pieces[-1] + character)) > CHUNK:
            pieces.append("")
        pieces[-1] += character
    return [literal(piece) for piece in pieces]


class Constants:
    """Module-level constants: values too long for a line get a name."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def text(self, value: object, name: str) -> str:
        """Return the value itself, or the name of its constant: ``name``, made unique."""
        key = literal(value)
        if len(key) <= INLINE:
            return key
        if isinstance(value, tuple | list) and any(isinstance(item, str) for item in value):
            value = Sources(self.text(item, f"{name}_ITEM") for item in value)
        if key not in self._names:
            self._names[key] = unique(name.upper(), self.lines)
            self.lines[self._names[key]] = _constant(self._names[key], value)
        return self._names[key]


class Sources(tuple[str, ...]):
    """A tuple whose members are source text."""

    __slots__ = ()


def _constant(name: str, value: object) -> str:
    if isinstance(value, Sources):
        items = list(value)
        one = laid_out(f"{name} = (", items, ",)" if len(items) == 1 else ")")
        if "\n" not in one:
            return one
        return f"{name} = (\n" + "".join(f"    {item},\n" for item in items) + ")"
    return assigned(name, value)


def unique(name: str, taken: Sequence[str] | dict[str, str]) -> str:
    """Return ``name``, or ``name_2``, ``name_3`` where it is taken."""
    candidates = (name if n == 1 else f"{name}_{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def in_docstring(text: str) -> str:
    """Return a name as prose: plain ones as they are, others quoted, escaped and cut."""
    if PLAIN.fullmatch(text) and len(text) <= INLINE:
        return text
    quoted = ascii(text)
    if len(quoted) > CUT:
        quoted = f"{quoted[:CUT]}..."
    return quoted.replace("\\", "\\\\").replace('"', "'")


def wrapped(text: str, indent: str = "", hang: str | None = None) -> str:
    """Return prose within the width; ``hang`` is the indent of all lines but the first."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_on_hyphens=False,
    )
