"""Outcomes: columns of 0 and 1 that happen only after others, as a purchase after a click."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from automlrank.data.check import is_number
from automlrank.data.inference.view import View
from automlrank.data.summary import plain
from automlrank.data.values import Array
from automlrank.schema import Schema, Task

LEAST_POSITIVES = 20  # fewer are no evidence, and no task
CHANCE = 1e-6  # that as many rows lie among another's positive rows by themselves
ALL = 0.98  # of the other's positive rows: more are the other itself


def with_outcomes(
    schema: Schema, view: View, names: Sequence[str], ids: Sequence[str], is_train: Array
) -> Schema:
    """The schema of one binary label with its outcomes as tasks, the label first.

    Each is ``of`` the rarest task without which it never happens. A column that is the same in all
    rows of an id is a fact about it.
    """
    label = schema.tasks[0]
    if label.kind != "binary":
        return schema
    usable = [name for name in names if is_number(view.table.schema[name])]
    ones = _ones(view, [label.name, *usable])
    ones = {n: flags for n, flags in ones.items() if _is_task(flags, is_train)}
    if label.name not in ones:
        return schema
    after = [name for name in usable if name in ones and _only_after(ones, name, label.name)]
    before = [name for name in usable if name in ones and _only_after(ones, label.name, name)]
    chosen = [name for name in (*before, *after) if not _is_fact(view, name, ids)]
    tasks = [label, *(Task(name) for name in usable if name in chosen)]
    parents = {task.name: _parent(ones, task.name, [t.name for t in tasks]) for task in tasks}
    return replace(schema, tasks=tuple(replace(t, of=parents[t.name]) for t in tasks))


def _ones(view: View, names: Sequence[str]) -> Mapping[str, Array]:
    """The rows of the whole table that are 1, by column."""
    exprs = [
        (plain(name, view.table.schema[name]).cast(pl.Float64) == 1).fill_null(False).alias(str(i))
        for i, name in enumerate(names)
    ]
    frame = view.table.select(*exprs)
    return {name: frame[str(i)].to_numpy() for i, name in enumerate(names)}


def _is_task(ones: Array, is_train: Array) -> bool:
    """Return True for enough positives, and both classes in training."""
    trained = ones[is_train]
    return bool(ones.sum() >= LEAST_POSITIVES and trained.any() and not trained.all())


def _only_after(ones: Mapping[str, Array], name: str, parent: str) -> bool:
    """Return True if a column is 1 only where another is, which is no chance, and not always."""
    rows, others = ones[name], ones[parent]
    happened, possible = int(rows.sum()), int(others.sum())
    if (rows & ~others).any() or happened > ALL * possible:
        return False
    return happened * math.log(possible / len(others)) < math.log(CHANCE)


def _parent(ones: Mapping[str, Array], name: str, tasks: Sequence[str]) -> str | None:
    """The rarest task without which another never happens."""
    found = [other for other in tasks if other != name and _only_after(ones, name, other)]
    return min(found, key=lambda other: ones[other].sum(), default=None)


def _is_fact(view: View, name: str, ids: Sequence[str]) -> bool:
    return any(view.belongs_to(name, owner) for owner in ids)
