"""Tables of what one number hides: latency, tasks, scenarios, weights; plain, unescaped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import METRICS
from automlrank.measurement.significance import Z_95
from automlrank.report.cells import (
    MISSING,
    show_change,
    show_interval,
    show_ms,
    show_repeated,
    show_score,
    title,
)
from automlrank.report.compare import Difference
from automlrank.report.ranking import ranked
from automlrank.runs.record import Record, number
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

UNDEFINED = "not defined"
WEIGHTS = "Task weights"  # the heading of the table that is drawn, too
KINDS = {"tasks": "task {}", "boosted": "task {}, LightGBM", "scenarios": "scenario {}"}


@dataclass(frozen=True)
class Grid:
    """A table under its heading; the first column is text, the others are numbers."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def grids(results: Results, facts: RunInfo) -> list[Grid]:
    """Those that the run has something for."""
    best = next(iter(results.within(facts.latency_ms)), None)
    found = [_latencies(results), _tasks(results), _fused(results, facts)]
    if best is not None and best.test:
        found += [_scenarios(best, results.metric.name), _seesaw(best, results.metric.name)]
    found.append(_weights(results))
    return [grid for grid in found if grid.rows]


def weighted(results: Results) -> list[Record]:
    """The leaderboard's records whose balance gave the tasks weights that moved."""
    return [record for record in ranked(results) if record.weights]


def _latencies(results: Results) -> Grid:
    """Every finalist's latency, with the user's side once per request and repeated."""
    records = [record for record in ranked(results) if record.latency("p50_repeated")]
    return Grid(
        "Latency",
        ("architecture", "p50 ms", "95 % interval", "p50 repeated ms", "times p50"),
        tuple((title(record), *_times(record)) for record in records),
        "repeated: with the user's side scored anew for every candidate, where p50 scores once per "
        "request what reads no candidate",
    )


def _times(record: Record) -> tuple[str, ...]:
    once, repeated = record.latency(), record.latency("p50_repeated")
    times = f"{repeated / once:.1f}" if once and repeated else MISSING
    return show_ms(once), show_interval(record.latency_ms), show_repeated(record), times


def _tasks(results: Results) -> Grid:
    """Every finalist's score of every task."""
    metric = results.metric.base.name
    records = [r for r in ranked(results) if len(_part(r, "tasks")) > 1]
    first = _part(records[0], "tasks") if records else {}
    return Grid(
        "Tasks",
        ("architecture", *(_heading(task, scores, metric) for task, scores in first.items())),
        tuple(
            (title(r), *(_score(_part(r, "tasks").get(task, {}), metric) for task in first))
            for r in records
        ),
        "on the test split, ± half the 95 % interval of one trained model; "
        + "; ".join(f"{task}: {_counts(scores)}" for task, scores in first.items()),
    )


def _fused(results: Results, facts: RunInfo) -> Grid:
    """How every finalist's fused score orders by the label of each of its tasks."""
    metric = results.metric.base.name
    records = [r for r in ranked(results) if len(_part(r, "score")) > 1]
    tasks = list(_part(records[0], "score")) if records else []
    return Grid(
        "Fused score",
        ("architecture", *(f"{parse_metric(metric).label} by {task}" for task in tasks)),
        tuple((title(r), *(_score(_part(r, "score")[t], metric) for t in tasks)) for r in records),
        f"{facts.score} on the test split, judged by the label of each task, ± half the 95 % "
        "interval of one trained model",
    )


def _scenarios(best: Record, name: str) -> Grid:
    """The best architecture's score in every scenario."""
    metric = parse_metric(name).base.name
    found = _part(best, "scenarios")
    lacks = "one class only" if parse_metric(metric).kind == "binary" else "no label"
    tasks = next(iter(found.values()))["tasks"] if found else {}
    return Grid(
        "Scenarios",
        ("scenario", "rows", *(_heading(task, x, metric) for task, x in tasks.items())),
        tuple(
            (value, f"{scores['rows']:,}", *(_score(scores["tasks"][t], metric) for t in tasks))
            for value, scores in found.items()
        ),
        f"{title(best)} on the test split's rows of each scenario; {UNDEFINED}: {lacks}",
    )


def _seesaw(best: Record, name: str) -> Grid:
    """The best architecture against itself trained for one task, or one scenario, alone."""
    rows = []
    known = _part(best, "seesaw")
    trees = ", and beside LightGBM with target rates for the task" if "boosted" in known else ""
    for kind, parts in known.items():
        for part, scores in parts.items():
            metric = parse_metric(scores.get("metric", name))
            what = part if metric.base == parse_metric(name).base else f"{part} ({metric.label})"
            rows.append((KINDS[kind].format(what), *_compared(scores, metric.up)))
    return Grid(
        "Seesaw",
        ("part", "all together", "alone", "difference", "verdict", "seeds"),
        tuple(rows),
        f"{title(best)} beside the same architecture, settings and seeds trained for one task, or "
        f"on the rows of one scenario (its primary task), alone{trees}; lost: really worse",
    )


def _compared(scores: Mapping[str, Any], up: bool) -> tuple[str, ...]:
    whole, alone = (show_score(number(scores, key)) for key in ("whole", "alone"))
    value, error = scores["difference"]
    if not _is_finite(value) or not _is_finite(error):
        return whole, alone, UNDEFINED, MISSING, str(scores["seeds"])
    difference = Difference(value, abs(value) > Z_95 * error)
    verdict = difference.verdict
    if difference.real:
        verdict = "gained" if (value > 0) == up else "lost"
    return whole, alone, show_change(value), verdict, str(scores["seeds"])


def _weights(results: Results) -> Grid:
    """What a balance that moves gave each task."""
    records = weighted(results)
    tasks = list(records[0].weights or {}) if records else []
    return Grid(
        WEIGHTS,
        ("architecture", *tasks),
        tuple((title(r), *(_course((r.weights or {})[task]) for task in tasks)) for r in records),
        "the weight of each task's loss, the mean of an epoch, epoch by epoch of the search's own "
        "training",
    )


def _course(weights: Sequence[float]) -> str:
    return " ".join(f"{weight:.3g}" for weight in weights)


def _part(record: Record, key: str) -> Mapping[str, Any]:
    return (record.test or {}).get(key) or {}


def _score(scores: Mapping[str, Any], metric: str) -> str:
    """A score and half its interval."""
    metric = _scored_by(scores, metric)
    value, low, high = (number(scores, f"{metric}{end}") for end in ("", "_low", "_high"))
    if value is None:
        return UNDEFINED if metric in scores else MISSING
    half = "" if low is None or high is None else f" ± {show_score((high - low) / 2, value)}"
    return f"{show_score(value)}{half}"


def _counts(scores: Mapping[str, Any]) -> str:
    rows, positives = scores.get("rows"), scores.get("positives")
    if rows is None:
        return MISSING
    return f"{rows:,} rows" if positives is None else f"{positives:,} of {rows:,} rows are positive"


def _heading(task: str, scores: Mapping[str, Any], metric: str) -> str:
    return f"{parse_metric(_scored_by(scores, metric)).label} of {task}"


def _scored_by(scores: Mapping[str, Any], metric: str) -> str:
    """The metric that a task's scores are of: the search's, or that of the task's kind."""
    return next((name for name in METRICS if name in scores), metric)


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


LACKING = {0.0: "no positive row", 1.0: "no negative row"}


def one_class(facts: RunInfo) -> Iterator[tuple[str, str]]:
    """The tasks of which a split holds one class, or nothing: no AUC, or RMSE, is defined there."""
    for split, rates in facts.label_rates.items():
        for task, rate in rates.items():
            is_binary = task not in facts.regression
            if rate is None or (is_binary and rate in LACKING):
                lacks = "no label" if rate is None else LACKING[rate]
                label = "AUC" if is_binary else "RMSE"
                yield (
                    f"Task {task}",
                    f"{lacks} in the {split} split: its {label} there is {UNDEFINED}",
                )
