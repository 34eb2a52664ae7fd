"""The settings in ``config.yaml``: of the table, of the training, and the metric."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from importlib.util import find_spec
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml

from automlrank.codegen.script.table import TableSettings
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import Metric
from automlrank.training.recipe import Recipe

FORMAT = 1
KEYS = {"recipe": "training"}  # of config.yaml, where they are not the fields' names


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
    try:
        data = as_tuples(yaml.safe_load(path.read_text(encoding="utf-8")))
        found = data.get("format") if isinstance(data, dict) else None
        if found != FORMAT:
            raise ValueError(f"has format {found!r:.50}, but this code reads format {FORMAT}")
        config: Config = settings(
            Config, {key: data[key] for key in data if key != "format"}, "config"
        )
        check(config)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} cannot be read: byte {error.start} is not UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{path}{line} cannot be read: {reason}.") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} {str(error).rstrip('.')}.") from None
    for name in config.recipe.modules():
        if find_spec(f"{Recipe.__module__.rpartition('.')[0]}.{name}") is None:
            raise ConfigError(f"{path}: a setting of training needs training/{name}.py.")
    return config


def settings(cls: Any, data: Any, place: str) -> Any:
    """Return a dataclass of plain data; raise ValueError with the first key that does not fit."""
    if not isinstance(data, dict):
        raise ValueError(f"holds {data!r:.50} for the settings of {place}")
    types = get_type_hints(cls)
    names = {KEYS.get(item.name, item.name): item for item in fields(cls)}
    for name, item in names.items():
        if name not in data and item.default is item.default_factory is MISSING:
            raise ValueError(f"lacks {name} of {place}")
    if unknown := [key for key in data if key not in names]:
        raise ValueError(f"has an unknown key {unknown[0]!r:.50} in {place}")
    return cls(**{names[key].name: setting(types[names[key].name], data[key], key) for key in data})


def setting(kind: Any, value: Any, key: str) -> Any:
    """Return the value of a setting; raise ValueError if it is not of its type."""
    if kind is Metric and isinstance(value, str):
        return parse_metric(value)
    if is_dataclass(kind) and kind is not Metric:
        return settings(kind, value, key)
    if not fits(value, kind):
        raise ValueError(f"holds {value!r:.50} under {key}, which is no value of it")
    return value


def fits(value: Any, kind: Any) -> bool:
    """Return True if plain data is of a type, as an annotation names it."""
    inside = get_args(kind)
    match get_origin(kind):
        case origin if origin is Literal:
            return isinstance(value, str) and value in inside
        case origin if origin is tuple:
            if not isinstance(value, tuple):
                return False
            kinds = [inside[0]] * len(value) if inside[-1] is ... else inside
            return len(value) == len(kinds) and all(map(fits, value, kinds))
        case origin if origin is UnionType:
            return any(fits(value, one) for one in inside)
        case None:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return kind is Any or (number if kind is float else type(value) is kind)
    items = value.items() if isinstance(value, dict) else [(None, None)]
    return all(fits(key, inside[0]) and fits(item, inside[1]) for key, item in items)


def check(config: Config) -> None:
    """Raise ValueError for settings that do not go together."""
    table, metric = config.table, config.metric
    n = len(table.tasks)
    if not n or set(table.tasks.values()) - {"binary", "regression"}:
        raise ValueError("needs tasks, each of which is binary or regression")
    if len(table.parents) != n or not all(-1 <= parent < n for parent in table.parents):
        raise ValueError(f"needs {n} parents, each -1 or the place of a task")
    if len(table.exponents) not in ((n,) if metric.fused else (0, n)):
        raise ValueError(f"needs {n} exponents, one for each task")
    if metric.grouped and table.group is None:
        raise ValueError(f"needs a group for the metric {metric.name}")


def as_tuples(value: Any) -> Any:
    """Return plain data with tuples instead of lists."""
    if isinstance(value, dict):
        return {key: as_tuples(item) for key, item in value.items()}
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value
