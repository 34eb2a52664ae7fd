"""Write ``config.yaml``: the settings of an export's training as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from automlrank.architecture import Architecture
from automlrank.codegen.script.config import FORMAT, TreeSettings
from automlrank.codegen.script.table import TableSettings
from automlrank.data.transform import Encoder
from automlrank.documents import dump
from automlrank.measurement.metrics import Metric
from automlrank.model.plan import Plan
from automlrank.schema import Schema
from automlrank.training.trainer import make_recipe
from automlrank.training.trees.features import flat_of

HEAD = (
    "# Settings of train.py. Settings of layers are in model.py, those of losses in objective.py.\n"
)


def config_text(
    architecture: Architecture, plan: Plan, schema: Schema, encoder: Encoder, metric: Metric
) -> str:
    """Return the text of ``config.yaml``; settings at their defaults are left out."""
    recipe = make_recipe(architecture, plan)
    data = {
        "format": FORMAT,
        "metric": metric.name,
        "training": plain(recipe),
        "table": plain(table_of(schema, metric, weighs_scenarios=recipe.scenarios == "equal")),
    }
    if recipe.distillation:
        data["trees"] = plain(trees_of(schema, encoder))
    return HEAD + dump(data)


def table_of(schema: Schema, metric: Metric, *, weighs_scenarios: bool) -> TableSettings:
    """Return the settings of a schema's table; columns that nothing reads are left out."""
    split = schema.split
    if split.by == "group" and split.column is None:
        split = dataclasses.replace(split, column=schema.group)
    return TableSettings(
        tasks={task.name: task.kind for task in schema.tasks},
        parents=schema.binary_parents,
        split=split,
        weight=schema.weight,
        group=schema.group if metric.grouped else None,
        scenario=schema.scenario if weighs_scenarios else None,
        exponents=schema.exponents if metric.fused else (),
    )


def trees_of(schema: Schema, encoder: Encoder) -> TreeSettings:
    """Return the features of the trees that soften the labels."""
    flat = flat_of(schema, encoder, with_rates=True)
    return TreeSettings(flat.parts, {name: schema.owner(name) for name in flat.values})


def plain(value: Any) -> Any:
    """Return settings as plain data, without fields that have their default."""
    if dataclasses.is_dataclass(value):
        kept = [f for f in dataclasses.fields(value) if getattr(value, f.name) != default_of(f)]
        return {field.name: plain(getattr(value, field.name)) for field in kept}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return {k: plain(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def default_of(field: dataclasses.Field[Any]) -> Any:
    """Return the default of a field; MISSING if it has none."""
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()
