"""The settings in ``config.yaml``: of the table, of the training, and the metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from automlrank.codegen.script.table import TableSettings, table_settings
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import Metric
from automlrank.training.recipe import Recipe

FORMAT = 1


class ConfigError(ValueError):
    """``config.yaml`` holds something that this code cannot read."""


@dataclass(frozen=True)
class TreeSettings:
    """Features of the boosted trees whose predictions soften the training labels."""

    parts: tuple[tuple[str, str, tuple[int, ...], str], ...] = ()
    """The kind of some features, their key in a batch, their columns there, another key."""
    values: dict[str, str] = field(default_factory=dict)
    """The vocabulary of each column whose ids stand for numbers."""


@dataclass(frozen=True)
class Config:
    """All settings of a training."""

    metric: Metric
    table: TableSettings
    recipe: Recipe
    trees: TreeSettings = TreeSettings()


def read_config(path: Path) -> Config:
    """Read the settings; raise ConfigError with the fault if they cannot be read."""
    data = as_tuples(yaml.safe_load(path.read_text(encoding="utf-8")))
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise ConfigError(f"{path} has format {found}, but this code reads format {FORMAT}.")
    try:
        config = Config(
            parse_metric(data["metric"]),
            table_settings(data["table"]),
            Recipe(**data["training"]),
            TreeSettings(**data.get("trees", {})),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from None
    for name in config.recipe.modules():
        if find_spec(f"{Recipe.__module__.rpartition('.')[0]}.{name}") is None:
            raise ConfigError(f"{path}: a setting of training needs training/{name}.py.")
    return config


def as_tuples(value: Any) -> Any:
    """Return plain data with tuples instead of lists."""
    if isinstance(value, dict):
        return {key: as_tuples(item) for key, item in value.items()}
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value
