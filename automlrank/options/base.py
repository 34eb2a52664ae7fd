"""Base class of option sets: frozen dataclasses that check their fields on construction."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from automlrank.errors import Fault, UsageError
from automlrank.options.kinds import KEY, Option


@dataclass(frozen=True, kw_only=True)
class Options:
    """A set of options; construction raises UsageError with every value that breaks its rule."""

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if KEY not in item.metadata or (value is None and item.default is None):
                continue
            try:
                object.__setattr__(self, item.name, item.metadata[KEY].read(value))
            except UsageError as error:
                start = f"--{spelling(item)}"
                faults += [_named(start, fault) for fault in error.faults]
        if faults:
            raise UsageError(faults)


def _named(name: str, fault: Fault) -> Fault:
    colon = "" if fault.problem.startswith("must ") else ":"
    return dataclasses.replace(fault, problem=f"{name}{colon} {fault.problem}")


def fields_of(options: type[Any]) -> list[dataclasses.Field[Any]]:
    """Return the fields that are options, those by position first."""
    found = [item for item in dataclasses.fields(options) if KEY in item.metadata]
    return sorted(found, key=lambda item: not item.metadata[KEY].argument)


def spelling(item: dataclasses.Field[Any]) -> str:
    """Return an option's name on the command line and in files."""
    option: Option = item.metadata[KEY]
    return option.spelled or item.name.replace("_", "-")


def shown_default(item: dataclasses.Field[Any]) -> str:
    """Return an option's default for help and docs; empty if there is none to show."""
    is_shown = item.default not in (None, (), dataclasses.MISSING)
    return str(item.default) if is_shown and item.metadata[KEY].type is not bool else ""


def described(options: Any) -> str:
    """Return the arguments as a docstring lists them."""
    lines = [f"    {item.name}: {item.metadata[KEY].help}" for item in fields_of(options)]
    return "\n".join(["Args:", *lines])
