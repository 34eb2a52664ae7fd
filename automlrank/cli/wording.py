"""Sentences that a terminal shows for the events of a search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from automlrank.measurement.metrics import Metric
from automlrank.report.cells import show_labels, show_ms, show_score, show_seconds
from automlrank.runs.events import DataReady, Event, Feasibility, Notice, TrainingUpdate
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.training.progress import Progress


@dataclass(frozen=True)
class SearchTarget:
    """Target of a search; ``seconds`` is the time limit, None without one."""

    metric: Metric
    trials: int
    seconds: float | None


def sentences(event: Event) -> Iterator[str]:
    """Yield the sentences of an event other than a training or the end of a trial."""
    match event:
        case DataReady(name, rows, label_rates, set_aside, suspicions, regression, _, notes):
            yield from notes
            yield f"{name}:"
            for split, n in rows.items():
                shown = show_labels(label_rates[split], regression)
                yield f"  {split:<5} {n:>10,} rows   {', '.join(shown)}"
            if set_aside:
                yield (
                    f"Set aside, since they may be outcomes: {', '.join(set_aside)}. "
                    "`automlrank data inspect` proposes tasks of them: "
                    "save what it prints, and give it as --schema."
                )
            if suspicions:
                yield "Suspicions about the data:"
                yield from (f"  - {sentence}" for sentence in suspicions)
        case Feasibility():
            yield feasibility(event)
        case Notice(text):
            yield text


def feasibility(event: Feasibility) -> str:
    """Return the latencies of the references, and the share of draws that fit the budget."""
    references = ", ".join(f"{name} {show_ms(ms)} ms" for name, ms in event.references_ms.items())
    start = f"References {references}" if references else "No references"
    if not event.draws_ms:
        return f"{start}."
    fits = f"{event.share:.0%}".replace("%", " %")
    return f"{start}; {fits} of random draws fit {event.budget_ms:g} ms."


def outcome(record: Record, metric: Metric) -> str:
    """Return the outcome of a trial in one line."""
    name = f"trial {record.number}" if record.number >= 0 else "reference"
    start = f"{name}{f' ({record.name})' if record.name else ''}"
    state = record.state.replace("_", " ")
    score = record.valid_score
    if record.state not in ("complete", "reference") or score is None:
        return f"{start} {state}: {record.reason or 'no reason was kept'}"
    scored = f"{metric.label} {show_score(score)}"
    took = show_seconds(record.seconds)
    ms = "" if record.p50 is None else f" at {show_ms(record.p50)} ms"
    why = f": {record.reason}" if record.reason else ""
    return f"{start}: valid {scored}{ms}, in {took}{why}"


def counts(results: Results, trained: int, target: SearchTarget) -> str:
    """Return ``7 of 20 trained · 2 pruned · 3 over budget · 0 failed · 1 duplicate``."""
    states = ("pruned", "over_budget", "time_up", "failed", "duplicate")
    others = [f"{results.counts[state]} {state.replace('_', ' ')}" for state in states]
    return " · ".join([f"{trained} of {target.trials} trained", *others])


def left(results: Results, trained: int, target: SearchTarget, elapsed: float) -> str:
    """Return the time gone, and the time left by the limit or by the trials so far."""
    gone = f"{show_seconds(elapsed)} gone"
    if target.seconds is not None:
        return f"{gone} of {show_seconds(target.seconds)}"
    drawn = [r.seconds for r in results.complete if r.seconds is not None and not r.name]
    to_train = max(0, target.trials - trained)
    if not to_train:
        return f"{gone}; the finalists remain"
    if not drawn:
        return f"{gone}, {to_train} trials left"
    guess = show_seconds(sum(drawn) / len(drawn) * to_train)
    return f"{gone}, about {guess} left for {to_train} trials, then the finalists"


def current(training: TrainingUpdate, metric: Metric) -> list[str]:
    """Return the lines of the current training: its name, and its progress."""
    return [
        f"{training.what}: {training.summary}",
        f"  {epoch_line(training.progress, metric)}",
    ]


def epoch_line(progress: Progress, metric: Metric) -> str:
    """Return ``epoch 3, 120,832 rows, loss 0.5123, valid AUC 0.6712 (best 0.6734)``.

    The weights of the tasks follow if a balance moves them.
    """
    text = f"epoch {progress.epoch + 1}, {progress.rows:,} rows, loss {progress.loss:.4f}"
    label = metric.label
    if progress.scores and progress.best:
        overall = metric.overall
        scores = (overall(known) for known in (progress.scores, progress.best))
        text += f", valid {label} {{}} (best {{}})".format(*map(show_score, scores))
    if progress.weights:
        shown = (f"{task} {weight:.2f}" for task, weight in progress.weights.items())
        text += f", weights {', '.join(shown)}"
    return text
