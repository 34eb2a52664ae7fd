"""``automlrank data inspect``: what the columns of a table are, and why, as a schema to edit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automlrank.cli import options
from automlrank.cli.console import Console, Format
from automlrank.cli.failures import reported
from automlrank.errors import SchemaError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from automlrank.schema import Schema, Task

SECTIONS = ("tasks", "features")
COMMENTS_AT = 48  # one column for most comments, beyond most features


@dataclass(frozen=True)
class Column:
    """A column: why it is what it is, its distinct values, the share of nulls."""

    name: str
    reason: str
    distinct: int
    nulls: float

    def __str__(self) -> str:
        distinct = "" if "distinct" in self.reason else f"; {self.distinct:,} distinct"
        return " ".join(f"{self.reason}{distinct}, {self.nulls:.1%} null".split())


@dataclass(frozen=True)
class Inspection:
    """A table's schema and every column of the table, in its order."""

    rows: int
    schema: Schema
    columns: dict[str, Column]

    @property
    def unused(self) -> dict[str, Column]:
        """The columns that the schema does not read."""
        from automlrank.data.check import columns_named

        named = {name for _, name in columns_named(self.schema)}
        return {name: column for name, column in self.columns.items() if name not in named}


@reported
def inspect(
    data: options.Data,
    schema: options.Schema = None,
    label: options.Label = None,
    format: options.Format = Format.human,
) -> None:
    """Print the schema of a table, each column with the reason, ready to be saved and edited."""
    from automlrank.documents import dump

    console = Console(format)
    found = inspect_table(data, schema, label)
    console.data(lambda: as_data(found))
    for line in commented(found):
        console.say(line)
    console.brief(dump(found.schema.to_data()).rstrip())


def inspect_table(
    data: str | Path, schema: str | Path | None = None, label: str | None = None
) -> Inspection:
    """Look at every column; raises UsageError for what a person can mend."""
    from automlrank.data.dataset import with_primary
    from automlrank.data.infer import complete
    from automlrank.data.read import is_sample, sample_schema
    from automlrank.data.split import read_split
    from automlrank.schema import Schema, Split, read_schema

    if schema is None and is_sample(str(data)):
        schema = sample_schema(str(data))
    given = read_schema(schema) if schema is not None else None
    frame, _ = read_split(data, given.split if given else Split())
    if given is None:
        wanted = Schema((_task(frame, label),))
    else:
        wanted = given if label is None else with_primary(given, label)
    inferred = complete(wanted, frame)
    columns = {
        name: Column(name, _reason(name, inferred.schema, inferred.reasons), *_values(frame[name]))
        for name in frame.columns
    }
    return Inspection(frame.height, inferred.schema, columns)


def as_data(found: Inspection) -> dict[str, object]:
    """The JSON of the command."""
    return {
        "rows": found.rows,
        "schema": found.schema.to_data(),
        "columns": [dataclasses.asdict(column) for column in found.columns.values()],
        "unused": list(found.unused),
    }


def commented(found: Inspection) -> Iterator[str]:
    """The schema as YAML, a comment at every column; ``read_schema`` reads it."""
    from automlrank.documents import dump

    yield f"# {found.rows:,} rows, {len(found.columns)} columns"
    data = found.schema.to_data()
    for key in SECTIONS:
        yield from _section(key, data.pop(key, {}), found.columns)
    yield dump(data).rstrip()
    if found.unused:
        yield "# Not used; to use one, name it under tasks or features:"
    for name, column in found.unused.items():
        yield f"#   {ascii(name)[1:-1]}: {column}"


def _section(key: str, items: object, columns: Mapping[str, Column]) -> Iterator[str]:
    from automlrank.documents import dump

    assert isinstance(items, dict)
    if items:
        yield f"{key}:"
    for name, item in items.items():
        text = dump({name: item}).rstrip().replace("\n", "\n  ")
        yield f"  {text:<{COMMENTS_AT}}  # {columns[name]}"


def _task(frame: pl.DataFrame, label: str | None) -> Task:
    """The task: the label, or the only column of 0 and 1."""
    from automlrank.data.infer import binary_columns
    from automlrank.schema import Task

    known = binary_columns(frame)
    if label is None and len(known) != 1:
        columns = ", ".join(known) or "none"
        raise SchemaError(
            "neither a label nor a schema was given.",
            f"Give --label; columns of only 0 and 1: {columns}.",
        )
    return Task(label or known[0])


def _reason(name: str, schema: Schema, reasons: Mapping[str, str]) -> str:
    named = {task.name for task in schema.tasks} | {feature.name for feature in schema.features}
    return reasons.get(name, "named in the schema" if name in named else "not in the schema")


def _values(column: pl.Series) -> tuple[int, float]:
    """Distinct values, those inside of lists, and the share of nulls."""
    import polars as pl

    from automlrank.data.check import is_list

    nulls = column.null_count() / max(1, len(column))
    plain = column.explode() if is_list(column.dtype) else column
    countable = not (plain.dtype.is_nested() or plain.dtype == pl.Object)
    return plain.drop_nulls().n_unique() if countable else 0, nulls
