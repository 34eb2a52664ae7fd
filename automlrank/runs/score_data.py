"""JSON of scores and latencies: only this module writes and reads it.

The metric's name is a key, and with a suffix the key of its interval, spread and mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from automlrank.measurement.latency import Latency
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import METRICS, Metric
from automlrank.runs.scores import (
    FinalScores,
    Interval,
    PairedDifference,
    PartScore,
    Probabilities,
    ScenarioScores,
    SeedScores,
    SpecialistScore,
    SplitScores,
)

LOW, HIGH, STD, MEAN, SEEDS = "_low", "_high", "_std", "_mean", "_seeds"
Data = Mapping[str, Any]
Value = TypeVar("Value")


def latency_data(latency: Latency) -> dict[str, Any]:
    """Return the JSON of a latency; ``p50_first`` is there only if it was measured twice."""
    data = asdict(latency)
    if latency.p50_first is None:
        del data["p50_first"]
    return data


def read_latency(data: Data) -> Latency:
    """Return a latency from its JSON."""
    return Latency(**data)


def split_scores_data(scores: SplitScores) -> dict[str, Any]:
    """Return the JSON of the scores of one training on a split."""
    name = scores.metric.name
    always = {name: scores.value, "tasks": _each(_part_data, scores.tasks)}
    if scores.mean is None:
        return always
    return {
        **always,
        f"{name}{MEAN}": scores.mean,
        f"{name}{SEEDS}": list(scores.seeds),
        "versus": _each(_pair_data, scores.versus),
        "unstable": scores.unstable,
    }


def read_split_scores(data: Data) -> SplitScores:
    """Return the scores of one training on a split from their JSON."""
    others = "tasks", "versus", "unstable"
    name = next(k for k in data if k not in others and not k.endswith((MEAN, SEEDS)))
    return SplitScores(
        metric=parse_metric(name),
        value=data[name],
        tasks=_each(_read_part, data["tasks"]),
        mean=data.get(f"{name}{MEAN}"),
        seeds=tuple(data.get(f"{name}{SEEDS}", ())),
        versus=_each(_read_pair, data.get("versus", {})),
        unstable=data.get("unstable", False),
    )


def final_scores_data(scores: FinalScores) -> dict[str, Any]:
    """Return the JSON of a finalist's scores; keys that do not apply are left out."""
    name = scores.metric.name
    optional = {
        "logloss_recalibrated": scores.logloss_recalibrated,
        **_interval_data(name, scores.interval),
        "versus": _each(_pair_data, scores.versus),
        "score": _each(_part_data, scores.by_label) or None,
        "rows": scores.rows,
        "scenarios": _each(_scenario_data, scores.scenarios) or None,
        "seesaw": None if scores.seesaw is None else _seesaw_data(scores.seesaw),
    }
    always = (f"{name}{LOW}", f"{name}{HIGH}")
    return {
        name: scores.value,
        "seeds": scores.seeds,
        f"{name}{STD}": scores.std,
        "tasks": _each(_part_data, scores.tasks),
        **({} if scores.probabilities is None else asdict(scores.probabilities)),
        **{k: v for k, v in optional.items() if v is not None or k in always},
    }


def read_final_scores(data: Data, metric: Metric) -> FinalScores:
    """Return a finalist's scores by a metric from their JSON."""
    name = metric.name
    names = [item.name for item in fields(Probabilities)]
    seesaw = data.get("seesaw")
    return FinalScores(
        metric=metric,
        value=data[name],
        seeds=data["seeds"],
        std=data[f"{name}{STD}"],
        interval=Interval(data[f"{name}{LOW}"], data[f"{name}{HIGH}"]),
        tasks=_each(_read_part, data["tasks"]),
        probabilities=Probabilities(**{k: data[k] for k in names}) if names[1] in data else None,
        logloss_recalibrated=data.get("logloss_recalibrated"),
        versus=_each(_read_pair, data["versus"]),
        by_label=_each(_read_part, data.get("score", {})),
        rows=data.get("rows"),
        scenarios=_each(_read_scenario, data.get("scenarios", {})),
        seesaw=None if seesaw is None else {k: _each(_read_special, v) for k, v in seesaw.items()},
    )


def seed_scores_data(scores: SeedScores) -> dict[str, Any]:
    """Return the JSON of one training with one seed; NaN stays NaN."""
    optional = {"test": dict(scores.test) or None, "shift": scores.shift}
    return {"valid": dict(scores.valid), **{k: v for k, v in optional.items() if v is not None}}


def read_seed_scores(data: Data) -> SeedScores:
    """Return the scores of one training with one seed from their JSON."""
    return SeedScores(**data)


def _each(convert: Callable[[Any], Value], items: Data) -> dict[str, Value]:
    return {key: convert(item) for key, item in items.items()}


def _interval_data(name: str, interval: Interval) -> dict[str, Any]:
    return {f"{name}{LOW}": interval.low, f"{name}{HIGH}": interval.high}


def _pair_data(pair: PairedDifference) -> list[float | None]:
    return [pair.value, pair.error]


def _read_pair(data: list[float | None]) -> PairedDifference:
    return PairedDifference(*data)


def _part_data(part: PartScore) -> dict[str, Any]:
    name = part.metric.name
    counts = {"rows": part.rows, "positives": part.positives}
    return {
        name: part.value,
        **({} if part.interval is None else _interval_data(name, part.interval)),
        **{key: count for key, count in counts.items() if count is not None},
        **({} if part.versus is None else {"versus": _each(_pair_data, part.versus)}),
    }


def _read_part(data: Data) -> PartScore:
    name = next(name for name in METRICS if name in data)
    low, high, versus = f"{name}{LOW}", f"{name}{HIGH}", data.get("versus")
    return PartScore(
        metric=METRICS[name],
        value=data[name],
        interval=Interval(data[low], data[high]) if low in data else None,
        rows=data.get("rows"),
        positives=data.get("positives"),
        versus=None if versus is None else _each(_read_pair, versus),
    )


def _scenario_data(scenario: ScenarioScores) -> dict[str, Any]:
    return {"rows": scenario.rows, "tasks": _each(_part_data, scenario.tasks)}


def _read_scenario(data: Data) -> ScenarioScores:
    return ScenarioScores(data["rows"], _each(_read_part, data["tasks"]))


def _seesaw_data(seesaw: Mapping[str, Mapping[str, SpecialistScore]]) -> dict[str, Any]:
    return {kind: _each(_special_data, parts) for kind, parts in seesaw.items()}


def _special_data(special: SpecialistScore) -> dict[str, Any]:
    return {
        "whole": special.whole,
        "alone": special.alone,
        "difference": _pair_data(special.difference),
        "seeds": special.seeds,
        "metric": special.metric.name,
    }


def _read_special(data: Data) -> SpecialistScore:
    return SpecialistScore(
        metric=parse_metric(data["metric"]),
        whole=data["whole"],
        alone=data["alone"],
        difference=_read_pair(data["difference"]),
        seeds=data["seeds"],
    )
