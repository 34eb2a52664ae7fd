"""Facts that a schema gives about how columns are read: their roles and their spellings of null."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

from automlrank.data.exact import column
from automlrank.data.forms import USUAL_NULLS, Form, Kind
from automlrank.data.table import Table
from automlrank.schema import (
    CategoricalFeature,
    HistoryFeature,
    Nulls,
    NumericFeature,
    Schema,
)

Role = Literal["any", "number", "id", "list", "time", "order"]
"""Use of a column; ``order`` is that of a split by time, whose values may be plain numbers."""


@dataclass(frozen=True)
class Wish:
    """Role of a column and its spellings of null, as far as a schema says."""

    role: Role = "any"
    nulls: Nulls | None = None

    def nulls_of(self, kind: Kind) -> tuple[str, ...]:
        """The spellings of null in a column of that kind: the usual ones not in text."""
        said = self.nulls.words if self.nulls else ()
        usual = kind != "text" and (self.nulls is None or self.nulls.adds)
        return tuple(dict.fromkeys((*USUAL_NULLS, *said))) if usual else said

    @property
    def forgives(self) -> bool:
        """True if a few values that do not fit may be read as null: a schema is not guessed at."""
        return self.role == "any" and (self.nulls is None or self.nulls.adds)


def wishes(schema: Schema) -> dict[str, Wish]:
    """The wish of every column that the schema names; the first role of a column counts."""
    roles: dict[str, Role] = {}
    for name, role in _roles(schema):
        roles.setdefault(name, role)
    nulls = {f.source: f.nulls for f in schema.features if f.nulls}
    return {name: Wish(role, nulls.get(name, schema.nulls)) for name, role in roles.items()}


def list_forms(table: Table, schema: Schema) -> tuple[dict[str, Form], list[str]]:
    """Forms of text columns that are lists, where the usual spellings are null, and how many."""
    forms = {
        name: Form("list", wish.nulls_of("list"))
        for name, wish in wishes(schema).items()
        if wish.role == "list" and table.schema[name] == pl.String
    }
    lost = [
        form.known(name, pl.String()).null_count() - column(name).null_count()
        for name, form in forms.items()
    ]
    row = table.select(*(e.alias(str(i)) for i, e in enumerate(lost))).row(0) if lost else ()
    notes = [
        f"{name}: {rows:,} spellings of null among lists read as null."
        for name, rows in zip(forms, row, strict=True)
        if rows > 0
    ]
    return forms, notes


def _roles(schema: Schema) -> Iterator[tuple[str, Role]]:
    yield from ((task.name, "number") for task in schema.tasks)
    yield from ((name, "number") for name in (schema.weight, schema.incumbent) if name)
    if schema.time:
        yield schema.time, "time"
    for feature in sorted(schema.features, key=lambda f: not isinstance(f, NumericFeature)):
        if isinstance(feature, NumericFeature):
            yield feature.source, "number"
        else:
            is_id = isinstance(feature, CategoricalFeature)
            yield feature.source, "id" if is_id else "list"
        if isinstance(feature, HistoryFeature) and feature.time:
            yield feature.time, "list"
    if schema.scenario and not schema.features:
        yield schema.scenario, "id"
    if schema.group:
        yield schema.group, "id"
    if schema.split.column:
        yield schema.split.column, "order" if schema.split.by == "time" else "id"
