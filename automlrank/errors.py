"""Every error that automlrank raises on purpose.

    ForeseenError
    ├── UsageError            a wrong input: the command line prints it and exits with 2
    │   ├── DocumentError     a YAML file that cannot be read
    │   ├── SchemaError       a schema that is wrong or does not fit its table
    │   ├── DataError         a table that cannot be read or holds values that cannot be used
    │   ├── SpaceError        a space or an architecture that is wrong or cannot be wired
    │   ├── BudgetError       a limit that no model meets
    │   ├── RunError          a run's folder or study that cannot be used as asked
    │   └── BlockError        a block of another package that cannot be loaded
    └── TrialError            stops one trial, whose record keeps the reason

An error about a written input holds one ``Fault`` per mistake, all at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from automlrank.printable import printable

NEAR = 0.7  # of names alike: "user" is like "user_id" at .73, and "norun" like "none" at .67
STEM = 4  # letters at least that begin two words alike, as "halve" and "halving"
MOST_NAMES = 20  # in a hint


@dataclass(frozen=True)
class Fault:
    """One mistake: where it is, which rule it breaks with which value, and what to do."""

    problem: str
    path: str = ""
    hint: str = ""
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}" if place else f"line {self.line}"
        parts = [part for part in (place, self.path, self.problem) if part]
        return printable(": ".join(parts) + (f" {self.hint}" if self.hint else ""))


class ForeseenError(Exception):
    """The root of the tree."""


class UsageError(ForeseenError):
    """An input is wrong; ``faults`` lists every mistake."""

    def __init__(self, faults: str | Fault | Iterable[Fault], hint: str = "") -> None:
        if isinstance(faults, str):
            faults = Fault(faults, hint=hint)
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class DocumentError(UsageError):
    """A YAML file is missing, broken, unsafe, or gives a key twice."""


class SchemaError(UsageError):
    """A schema is inconsistent, or names columns that its table does not have."""


class DataError(UsageError):
    """A table cannot be read, or its values cannot be used."""


class SpaceError(UsageError):
    """A space or an architecture is inconsistent, or cannot be wired."""


class BudgetError(UsageError):
    """No model meets a limit."""


class RunError(UsageError):
    """A run's folder exists, is missing, or belongs to other data or another space."""


class BlockError(UsageError):
    """A block of another package cannot be loaded, or its name is already taken."""


class TrialError(ForeseenError):
    """A trial cannot continue: its loss is not finite, memory ran out, or a library is missing."""


def reason_of(error: BaseException) -> str:
    """Return an error's class and the first line of its message."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def shown(value: object) -> str:
    """Return ``repr`` of a value for an error message: one line, truncated."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an int of thousands of digits, a list inside itself
        return f"a huge {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:100]}..."


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name, or with the known names if none is near."""
    names = sorted(known)
    if hint := nearest(word, names):
        return hint
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"Known: {', '.join(names[:MOST_NAMES])}{more}." if names else ""


def nearest(word: object, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name, whatever its case; nothing if none is near."""
    names, word = {name.lower(): name for name in known}, str(word).lower()
    turned = [name for name in names if sorted(name) == sorted(word)]  # "acu" for "auc"
    begun = [name for name in names if len(word) > 1 and name.startswith(word)]  # "no" for "none"
    longer = [name for name in names if name == word[:-1]]
    near = difflib.get_close_matches(word, names, n=1, cutoff=NEAR) or turned or begun or longer
    near = near or sorted((name for name in names if _have_one_stem(name, word)), key=len)
    return f"Did you mean {names[near[0]]!r}?" if near else ""


def _have_one_stem(name: str, word: str) -> bool:
    """Return True if two words begin alike but for the last letter of the shorter."""
    stem = max(STEM, min(len(name), len(word)) - 1)
    return name[:stem] == word[:stem]
