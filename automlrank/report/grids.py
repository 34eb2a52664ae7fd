"""Tables after the leaderboard, as plain text: latency, tasks, scenarios, seesaw, weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from automlrank.measurement.significance import Z_95
from automlrank.report.cells import (
    MISSING,
    repeated_p50,
    show_change,
    show_interval,
    show_ms,
    show_repeated,
    show_score,
    show_with_interval,
    title,
)
from automlrank.report.compare import Difference
from automlrank.report.ranking import ranked
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo
from automlrank.runs.scores import FinalScores, PartScore, SpecialistScore

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
    """Return the tables that the run has rows for."""
    best = results.recommended(facts.latency_ms, facts.prefer)
    found = [_latencies(results), _tasks(results), _fused(results, facts)]
    if best is not None and best.test:
        found += [_scenarios(best, best.test), _seesaw(best, best.test)]
    found.append(_weights(results))
    return [grid for grid in found if grid.rows]


def weighted(results: Results) -> list[Record]:
    """Return the leaderboard's records whose balance moved the weights of the tasks."""
    return [record for record in ranked(results) if record.weights]


def _latencies(results: Results) -> Grid:
    """Latency of every finalist, with the user's side once per request and repeated."""
    records = [record for record in ranked(results) if repeated_p50(record)]
    return Grid(
        "Latency",
        ("architecture", "p50 ms", "95 % interval", "p50 repeated ms", "times p50"),
        tuple((title(record), *_times(record)) for record in records),
        "repeated: the user's side is scored anew for every candidate; p50 scores once per request "
        "the parts that read no candidate",
    )


def _times(record: Record) -> tuple[str, ...]:
    once, repeated = record.p50, repeated_p50(record)
    times = f"{repeated / once:.1f}" if once and repeated else MISSING
    return show_ms(once), show_interval(record.latency_ms), show_repeated(record), times


def _tasks(results: Results) -> Grid:
    """Score of every finalist on every task."""
    found = [(r, r.test.tasks) for r in ranked(results) if r.test and len(r.test.tasks) > 1]
    first = found[0][1] if found else {}
    counts = "; ".join(f"{task}: {_counts(score)}" for task, score in first.items())
    return Grid(
        "Tasks",
        ("architecture", *(_heading(task, score) for task, score in first.items())),
        tuple((title(r), *(_score(tasks.get(task)) for task in first)) for r, tasks in found),
        f"on the test split, ± half the 95 % interval of one trained model; {counts}",
    )


def _fused(results: Results, facts: RunInfo) -> Grid:
    """Order of every finalist's fused score by the label of each of its tasks."""
    found = [(r, r.test.by_label) for r in ranked(results) if r.test and len(r.test.by_label) > 1]
    tasks = list(found[0][1]) if found else []
    return Grid(
        "Fused score",
        ("architecture", *(f"{results.metric.base.label} by {task}" for task in tasks)),
        tuple((title(r), *(_score(scores[task]) for task in tasks)) for r, scores in found),
        f"{facts.score} on the test split, judged by the label of each task, ± half the 95 % "
        "interval of one trained model",
    )


def _scenarios(best: Record, test: FinalScores) -> Grid:
    """Score of the recommended architecture in every scenario."""
    found = test.scenarios
    lacks = "one class only" if test.metric.kind == "binary" else "no label"
    tasks = next(iter(found.values())).tasks if found else {}
    return Grid(
        "Scenarios",
        ("scenario", "rows", *(_heading(task, score) for task, score in tasks.items())),
        tuple(
            (value, f"{of.rows:,}", *(_score(of.tasks[task]) for task in tasks))
            for value, of in found.items()
        ),
        f"{title(best)} on the test split's rows of each scenario; {UNDEFINED}: {lacks}",
    )


def _seesaw(best: Record, test: FinalScores) -> Grid:
    """The recommended architecture against itself trained for one task, or one scenario, alone."""
    rows = []
    known = test.seesaw or {}
    trees = ", and beside LightGBM with target rates for the task" if "boosted" in known else ""
    for kind, parts in known.items():
        for part, special in parts.items():
            metric = special.metric
            what = part if metric.base == test.metric.base else f"{part} ({metric.label})"
            rows.append((KINDS[kind].format(what), *_compared(special)))
    return Grid(
        "Seesaw",
        ("part", "all together", "alone", "difference", "verdict", "seeds"),
        tuple(rows),
        f"{title(best)} beside the same architecture, settings and seeds trained for one task, or "
        f"on the rows of one scenario (its primary task), alone{trees}; lost: significantly worse",
    )


def _compared(special: SpecialistScore) -> tuple[str, ...]:
    whole, alone, seeds = show_score(special.whole), show_score(special.alone), str(special.seeds)
    value, error = special.difference.value, special.difference.error
    if value is None or error is None:
        return whole, alone, UNDEFINED, MISSING, seeds
    difference = Difference(value, abs(value) > Z_95 * error)
    verdict = difference.verdict
    if difference.real:
        verdict = "gained" if (value > 0) == special.metric.up else "lost"
    return whole, alone, show_change(value), verdict, seeds


def _weights(results: Results) -> Grid:
    """Weights that an adaptive balance gave each task."""
    records = weighted(results)
    tasks = list(records[0].weights or {}) if records else []
    return Grid(
        WEIGHTS,
        ("architecture", *tasks),
        tuple((title(r), *(_course((r.weights or {})[task]) for task in tasks)) for r in records),
        "weight of each task's loss, the mean of an epoch, for each epoch of the search's own "
        "training",
    )


def _course(weights: Sequence[float]) -> str:
    return " ".join(f"{weight:.3g}" for weight in weights)


def _score(part: PartScore | None) -> str:
    """A score and half its interval."""
    if part is None:
        return MISSING
    return UNDEFINED if part.value is None else show_with_interval(part.value, part.interval)


def _counts(part: PartScore) -> str:
    if part.rows is None:
        return MISSING
    if part.positives is None:
        return f"{part.rows:,} rows"
    return f"{part.positives:,} of {part.rows:,} rows are positive"


def _heading(task: str, part: PartScore) -> str:
    return f"{part.metric.label} of {task}"


LACKING = {0.0: "no positive row", 1.0: "no negative row"}


def one_class(facts: RunInfo) -> Iterator[tuple[str, str]]:
    """Yield the tasks of which a split holds one class only, or no label: no metric is defined."""
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
