"""Schemas with random keys, as mappings and as files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automlrank.documents import dump
from automlrank.errors import UsageError
from automlrank.schema import (
    CategoricalFeature,
    HistoryFeature,
    MultiFeature,
    NumericFeature,
    Schema,
    Split,
    TargetStatistics,
    Task,
    VectorFeature,
    read_schema,
)

from .draws import below, between, chance, names, pick, some
from .judge import Rng
from .mutate import changed_data
from .yaml_text import as_bytes, changed_text, yaml_text

CLASSES = (Schema, Task, Split, TargetStatistics)
CLASSES = (
    *CLASSES,
    CategoricalFeature,
    NumericFeature,
    MultiFeature,
    VectorFeature,
    HistoryFeature,
)
KEYS = tuple({item.name: None for cls in CLASSES for item in dataclasses.fields(cls)})
SIDES = ("user", "request", "item")


@dataclass(frozen=True)
class SchemaCase:
    """A schema as data or, where it is not None, as the file of it."""

    data: Any
    content: bytes | None


def case(rng: Rng) -> SchemaCase:
    """Draw a schema, half of them changed."""
    data = schema_data(rng)
    if chance(rng, 0.5):
        data = changed_data(rng, data, (*KEYS, *data.get("features", {})), between(rng, 1, 3))
    if chance(rng, 0.5) and isinstance(data, dict):
        return SchemaCase(data, None)
    text = changed_text(rng, yaml_text(rng, data), below(rng, 2))
    return SchemaCase(data, as_bytes(rng, text))


def attempt(case: SchemaCase, folder: Path) -> Schema:
    """Read the schema."""
    if case.content is None:
        return read_schema(case.data)
    (folder / "schema.yaml").write_bytes(case.content)
    return read_schema(folder / "schema.yaml")


def refused(case: SchemaCase, error: UsageError, folder: Path) -> None:
    """Every fault of a file has its name."""
    for fault in error.faults:
        assert case.content is None or "schema.yaml" in str(fault), f"no file: {fault}"


def hold(case: SchemaCase, schema: Schema, folder: Path) -> None:
    """Its data gives an equal schema, as a mapping and as a file."""
    data = schema.to_data()
    assert read_schema(data) == schema
    (folder / "again.yaml").write_text(dump(data), encoding="utf-8")
    assert read_schema(folder / "again.yaml") == schema
    assert read_schema(data).to_data() == data
    for task in schema.tasks:
        assert schema.with_primary(task.name).tasks[0] == task
    if schema.features:
        assert schema.only([schema.features[0].name]).features == schema.features[:1]
    assert hash(schema) == hash(read_schema(data))


# ---- random schemas -----------------------------------------------------------------------------


def schema_data(rng: Rng, columns: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the data of a schema, mostly a right one."""
    held = list(columns) if columns else names(rng, between(rng, 3, 12), odd=0.2)
    tasks = held[: between(rng, 1, min(3, len(held) - 1))]
    others = held[len(tasks) :]
    data: dict[str, Any] = {"tasks": _tasks(rng, tasks)}
    features: dict[str, Any] = {}
    if chance(rng, 0.85):
        for name in some(rng, others, least=1):
            features[name] = feature(rng, list(features), features)
        data["features"] = features
    data |= _roles(rng, others, features) | nulls(rng)
    data |= _pairs(rng, [n for n, f in features.items() if f["kind"] == "categorical"])
    if chance(rng, 0.4):
        data["split"] = _split(rng, others)
    if chance(rng, 0.2):
        data["score"] = " * ".join(some(rng, tasks, least=1))
    keys = list(data)
    return {keys[int(i)]: data[keys[int(i)]] for i in rng.permutation(len(keys))}


def _tasks(rng: Rng, names: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name in names:
        task: dict[str, Any] = {"kind": pick(rng, ("binary", "binary", "regression"))}
        if data and chance(rng, 0.3):
            task["of"] = pick(rng, list(data))
        if chance(rng, 0.2):
            task["weight"] = pick(rng, (1, 0.5, 2.0, 1e-9))
        data[name] = task if chance(rng, 0.9) else {}
    return data


def feature(rng: Rng, before: Sequence[str], features: dict[str, Any]) -> dict[str, Any]:
    """Return one feature; a history or a shared vocabulary refers to one before it."""
    ids = [name for name in before if features[name]["kind"] in ("categorical", "multi")]
    kinds = ("categorical", "categorical", "numeric", "multi", "vector", *(["history"] * bool(ids)))
    kind = pick(rng, kinds)
    data: dict[str, Any] = {"kind": kind}
    if chance(rng, 0.4):
        data["side"] = pick(rng, SIDES)
    if kind in ("multi", "vector", "history") and chance(rng, 0.6):
        data["separator"] = pick(rng, (",", "|", " ", ";", "\t", "::"))
    if kind == "history":
        data["of"] = pick(rng, ids)
    return data | _settings(rng, kind, ids)


def _settings(rng: Rng, kind: str, ids: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if kind == "numeric" and chance(rng, 0.6):
        data["transform"] = pick(rng, ("standard", "log", "quantile", "bucket", "none"))
        data |= {"buckets": pick(rng, (1, 2, 20))} if data["transform"] == "bucket" else {}
    if kind in ("categorical", "multi"):
        choice = below(rng, 5)
        if choice == 0:
            data["buckets"] = pick(rng, (1, 7, 1000))
        elif choice == 1:
            data["min_count"] = pick(rng, (1, 2, 50))
        elif choice == 2 and ids:
            data["shared_with"] = pick(rng, ids)
    if kind in ("multi", "history") and chance(rng, 0.4):
        data["max_length"] = pick(rng, (1, 2, 20, 1000))
    if kind == "multi" and chance(rng, 0.3):
        data["pool"] = pick(rng, ("mean", "sum"))
    if kind != "history" and chance(rng, 0.1):
        data["context"] = True
    return data | nulls(rng)


def nulls(rng: Rng) -> dict[str, Any]:
    """Return now and then what spells null, in a column or a table."""
    words = some(rng, ("-", "NA", "999", "0", "x", ""), most=3)
    return {"nulls": pick(rng, (words, {"add": words}))} if chance(rng, 0.15) else {}


def _roles(rng: Rng, others: Sequence[str], features: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for role in ("group", "weight", "incumbent", "time"):
        free = [name for name in others if name not in features]
        if chance(rng, 0.15) and (free or role == "group"):
            data[role] = pick(rng, others if role == "group" else free)
    ids = [name for name, of in features.items() if of["kind"] == "categorical"]
    if ids and chance(rng, 0.15):
        data["scenario"] = pick(rng, ids)
    if chance(rng, 0.15):
        data["ignore"] = some(rng, others, most=3)
    return data


def _pairs(rng: Rng, ids: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if len(ids) > 1 and chance(rng, 0.3):
        data["crosses"] = [some(rng, ids, least=2, most=2) for _ in range(between(rng, 1, 2))]
    if chance(rng, 0.1):
        data["statistics"] = "none"
    elif ids and chance(rng, 0.3):
        data["statistics"] = {"of": some(rng, ids, least=1, most=2)}
        if chance(rng, 0.4):
            data["statistics"]["form"] = pick(rng, ("out_of_fold", "earlier_rows", "earlier_days"))
        if chance(rng, 0.3):
            data["statistics"]["prior"] = pick(rng, (1, 0.5, 20))
    return data


def _split(rng: Rng, others: Sequence[str]) -> dict[str, Any]:
    by = pick(rng, ("time", "random", "group", "column", "file"))
    data: dict[str, Any] = {"by": by}
    if by in ("time", "group", "column"):
        data["column"] = pick(rng, others)
    if by == "time" and chance(rng, 0.3):
        ends = pick(rng, (("2024-01-01", "2024-02-01"), (10, 20), (1.5, 2.5), ("a", "b")))
        data |= {"valid_from": ends[0], "test_from": ends[1]}
    elif by == "file":
        data |= {"train": "a.csv", "test": "b.csv", "valid": 0.5}
    elif by != "column" and chance(rng, 0.5):
        data |= {"valid": pick(rng, (0.1, 0.3)), "test": pick(rng, (0.2, 0.1))}
    return data
