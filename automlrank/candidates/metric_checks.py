"""Checks that a metric fits a schema, and that a table can be scored by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from automlrank.data.dataset import Dataset
from automlrank.errors import DataError, Fault, SchemaError, did_you_mean
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import METRICS, USUAL, Metric
from automlrank.runs.search_config import SearchConfig
from automlrank.schema import Schema


def metric_for(schema: Schema, name: str | None) -> str:
    """Return ``name``, or the usual metric of the primary task's kind if it is None."""
    return name or USUAL[schema.tasks[0].kind].name


def check_fit(data: Dataset, config: SearchConfig, splits: Sequence[str]) -> None:
    """Raise UsageError if the data cannot be trained on, scored by the metric, or served."""
    schema, metric = data.schema, parse_metric(config.metric)
    check_weights(metric, schema)
    if metric.grouped and schema.group is None:
        raise SchemaError(
            f"the metric {config.metric} needs a group in the schema.", "Write group: COLUMN."
        )
    faults = [*_served_faults(schema), *_split_faults(data, metric, splits)]
    if faults:
        raise DataError(faults)


def check_weights(metric: Metric, schema: Schema) -> None:
    """Raise SchemaError if the metric needs a task, a score or a kind that the schema lacks."""
    if metric.fused and not schema.score:
        product = " * ".join(task.name for task in schema.tasks if task.kind == "binary")
        hint = f"Write score: {product}, with an exponent such as ^0.5 behind a task."
        raise SchemaError(f"the metric {metric.name} needs a score in the schema.", hint)
    faults = [*_unknown_tasks(metric, schema), *_unlike_tasks(metric, schema)]
    if faults:
        raise SchemaError(faults)


def scored_tasks(metric: Metric, schema: Schema) -> list[str]:
    """Return the tasks whose labels the metric reads: those of its mean, or the primary one."""
    several = dict(schema.score) if metric.fused else metric.weights
    return list(several) or [schema.tasks[0].name]


def _unknown_tasks(metric: Metric, schema: Schema) -> Iterator[Fault]:
    names = [task.name for task in schema.tasks]
    for task in metric.weights:
        if task not in names:
            problem = f"the metric weighs a task {task!r} that the schema does not have."
            yield Fault(problem, hint=did_you_mean(task, names))


def _unlike_tasks(metric: Metric, schema: Schema) -> Iterator[Fault]:
    """Yield a fault for each scored task whose kind the metric does not judge."""
    judged = [] if metric.fused else scored_tasks(metric, schema)
    for task in schema.tasks:
        if task.name in judged and task.kind != metric.kind:
            known = [name for name, other in METRICS.items() if other.kind == task.kind]
            yield Fault(
                f"{metric.base.name} judges {metric.kind} tasks, but {task.name!r} is a "
                f"{task.kind} task.",
                hint=f"A {task.kind} task is judged by {', '.join(known)}.",
            )


def _served_faults(schema: Schema) -> Iterator[Fault]:
    if all(feature.side != "item" for feature in schema.features):
        hint = "Give the columns that differ between candidates side: item."
        yield Fault("no feature belongs to the item: all candidates would score alike.", hint=hint)


def _split_faults(data: Dataset, metric: Metric, splits: Sequence[str]) -> Iterator[Fault]:
    for split in splits:
        for task in scored_tasks(metric, data.schema):
            rate = data.label_rates[split][task]
            if found := _unscorable(rate, task, metric.kind):
                yield Fault(f"the {split} split holds {found}.", hint="Split otherwise.")


def _unscorable(rate: float | None, task: str, kind: str) -> str | None:
    """Return the reason why no metric is defined on labels of this rate, or None."""
    if rate is None:
        return f"no label of {task}"
    return f"one class of {task} only" if kind == "binary" and rate in (0.0, 1.0) else None
