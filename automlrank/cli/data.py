"""``automlrank data inspect``: print a table's schema, with a reason for each column."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from automlrank.cli.command import command
from automlrank.cli.console import Console
from automlrank.jobs.options import InspectOptions
from automlrank.printable import printable

if TYPE_CHECKING:
    from automlrank.jobs.inspect import Column, Inspection

SECTIONS = ("tasks", "features")
WIDTH = 100
FIGURES = "{:>11}  {:>6}  {:>5}"  # distinct, null, AUC or rank correlation
HEADINGS = {"binary": "AUC", "regression": "corr."}
FIGURES_WIDTH = 32  # with the spaces before and after
LONG_REASON = 24  # longer ones may stand out: most lines are aligned


@command(InspectOptions)
def inspect(console: Console, options: InspectOptions) -> None:
    """Print the schema of a table, each column with the reason, ready to be saved and edited."""
    from automlrank.documents import dump
    from automlrank.jobs.inspect import inspect as job

    found = job(**vars(options))
    console.data(lambda: as_data(found))
    for line in "\n".join(commented(found)).split("\n"):
        console.say(line)
    console.brief(dump(found.schema.to_data()).rstrip())


def as_data(found: Inspection) -> dict[str, object]:
    """Return the JSON of the command."""
    return {
        "rows": found.rows,
        "splits": {
            name: {"rows": rows, "label_rates": found.label_rates[name]}
            for name, rows in found.split_rows.items()
        },
        "step": found.step,
        "read_as": list(found.read_as),
        "suspicions": list(found.suspicions),
        "schema": found.schema.to_data(),
        "columns": [dataclasses.asdict(column) for column in found.columns.values()],
        "unused": list(found.unused),
    }


def commented(found: Inspection) -> Iterator[str]:
    """Yield the schema as YAML that ``read_schema`` reads, with a comment at every column."""
    from automlrank.documents import dump

    yield from _head(found)
    data = found.schema.to_data()
    items = {
        key: {name: _item(name, of) for name, of in _mapping(data.pop(key, {})).items()}
        for key in SECTIONS
    }
    every = [text for of in items.values() for text in of.values()]
    columns = {
        name: found.columns[found.schema.source(name)] for of in items.values() for name in of
    }
    whys = [len(_why(column)) for column in columns.values()]
    room = WIDTH - FIGURES_WIDTH - max((why for why in whys if why <= LONG_REASON), default=0)
    at = max((len(text) for text in every if len(text) <= room), default=0)
    last = HEADINGS[found.schema.tasks[0].kind]
    yield f"{'':<{at}}  # {FIGURES.format('distinct', 'null', last)}"
    for key, of in items.items():
        if of:
            yield f"{key}:"
        for name, text in of.items():
            yield f"{text:<{at}}  # {printable(_line(columns[name]))}".rstrip()
    yield dump(data).rstrip()
    yield from _others(found, {column.name for column in columns.values()})


def _head(found: Inspection) -> Iterator[str]:
    """Yield rows and columns, splits and their label rates, what was decided, and warnings."""
    yield f"# {found.rows:,} rows, {len(found.columns)} columns"
    for name, rows in found.split_rows.items():
        rates = [f"{task} {_number(rate)}" for task, rate in found.label_rates[name].items()]
        yield from _wrapped(f"{name:<5} {rows:>12,} rows, mean {', '.join(rates)}", "#   ")
    if found.step > 1:
        text = (
            f"{HEADINGS[found.schema.tasks[0].kind]} and suspicions are found on every "
            f"{found.step}th row, too few to tell if ids repeat, values are new or groups have one "
            "class."
        )
        yield from _wrapped(text, "# ")
    if found.read_as:
        yield "# Read as:"
    for sentence in found.read_as:
        yield from _wrapped(sentence, "# - ")
    yield "# What looks wrong:" if found.suspicions else "# Nothing looks wrong."
    for sentence in found.suspicions:
        yield from _wrapped(sentence, "# - ")


def _others(found: Inspection, shown: Set[str]) -> Iterator[str]:
    """Yield the columns that are neither tasks nor features, used for something else or not."""
    rest = {name: column for name, column in found.columns.items() if name not in shown}
    at = max((len(printable(name)) for name in rest if len(name) <= WIDTH // 3), default=0)
    parts = {
        "# Named above, but no features:": [name for name in rest if name not in found.unused],
        "# No features; to use a column, name it under tasks or features:": [
            name for name in rest if name in found.unused
        ],
    }
    for heading, names in parts.items():
        if names:
            yield heading
        for name in names:
            yield f"#   {printable(name):<{at}}  {printable(_line(rest[name]))}"


def _item(name: str, item: object) -> str:
    from automlrank.documents import dump

    is_nested = any(isinstance(value, dict) for value in _mapping(item).values())
    text = dump({name: item}, flow=True).strip()[1:-1] if is_nested else dump({name: item})
    return "  " + text.rstrip().replace("\n", "\n  ")


def _mapping(item: object) -> dict[str, object]:
    assert isinstance(item, dict)
    return item


def _line(column: Column) -> str:
    alone = _number(column.correlation if column.auc is None else column.auc)
    figures = FIGURES.format(f"{column.distinct:,}", f"{column.nulls:.1%}", alone)
    return f"{figures}  {_why(column)}".rstrip()


def _why(column: Column) -> str:
    """Return the reason without words that the line holds already."""
    said = ("categorical: ", "numeric: ", "multi: ", "vector: ", "history: ", "no feature: ")
    reason = column.reason
    for word in said:
        reason = reason.removeprefix(word)
    return "" if reason == "named in the schema" else reason


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent="#" + " " * (len(indent) - 1),
        break_long_words=False,
        break_on_hyphens=False,
    )
