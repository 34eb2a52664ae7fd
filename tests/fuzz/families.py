"""Every family: its law in words, and its share of 10,000 cases and of the tests."""

from __future__ import annotations

from types import ModuleType

from . import documents, exports, files, forms, meaning, runs, schemas, spaces, tables
from .judge import Family


def _family(module: ModuleType, tries: int, quick: int, law: str) -> tuple[str, Family]:
    name = module.__name__.rpartition(".")[2]
    steps = module.case, module.attempt, module.hold, module.refused
    return name, Family(name, law, tries, quick, *steps)


FAMILIES: dict[str, Family] = dict(
    [
        _family(
            spaces,
            1500,
            30,
            "a space is drawn, counted, printed and read back equal, or refused with its line",
        ),
        _family(
            documents, 2000, 60, "any YAML is read, or refused with its file; it is written back"
        ),
        _family(schemas, 1500, 100, "a schema's data gives an equal schema"),
        _family(
            tables,
            1500,
            25,
            "a frame is encoded, all its rows, again alike, and as its inspection says; or refused",
        ),
        _family(
            files,
            1800,
            25,
            "a file of any form has all its rows and columns; one that cannot be read is named",
        ),
        _family(
            forms,
            1000,
            15,
            "how values are read depends on no order of rows, nor their text on other rows",
        ),
        _family(
            meaning,
            600,
            10,
            "one content has one schema and the same ids, as text, typed, in parts, in frames",
        ),
        _family(
            runs,
            500,
            10,
            "a tampered run is reported, exported, measured, resumed or refused; a cache heals",
        ),
        _family(
            exports,
            300,
            10,
            "train.py of an export scores any table, equal values alike, or ends with 2 and why",
        ),
    ]
)
