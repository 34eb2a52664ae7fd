"""``automlrank train``: train and score one architecture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from automlrank.cli.command import command
from automlrank.cli.console import Console
from automlrank.jobs.options import TrainOptions

if TYPE_CHECKING:
    from automlrank.jobs.train import TrainingResult
    from automlrank.measurement.metrics import Metric
    from automlrank.runs.events import Listen
    from automlrank.runs.scores import PartScore, SplitScores


@command(TrainOptions)
def train(console: Console, options: TrainOptions) -> None:
    """Train one architecture and score it.

    The test split is scored only with --test.
    """
    from automlrank.jobs.train import train as job

    result = job(**vars(replace(options, listen=epoch_lines(console))))
    console.data(lambda: as_data(result))
    show(console, result)
    console.brief(*brief_lines(result))


def epoch_lines(console: Console) -> Listen:
    """Return a listener that writes what is said of the data, and a line for each epoch."""
    from automlrank.cli.wording import epoch_line
    from automlrank.runs.events import DataReady, Event, TrainingUpdate

    metric: Metric | None = None

    def listen(event: Event) -> None:
        nonlocal metric
        if isinstance(event, DataReady):
            metric = event.metric
            for sentence in event.notes:
                console.say(sentence)
            for sentence in event.suspicions:
                console.say(f"Warning: {sentence}")
        if metric and isinstance(event, TrainingUpdate) and event.progress.scores is not None:
            console.say(epoch_line(event.progress, metric))

    return listen


def show(console: Console, result: TrainingResult) -> None:
    """Show the architecture, its scores by split and task, and its costs."""
    from automlrank.report.cells import (
        show_count,
        show_ms,
        show_seconds,
        show_share,
    )

    console.say(f"{result.architecture.name}: {result.architecture.summary}")
    for split, scores in result.scores.items():
        if scores is not None:
            whole = overall(scores)
            shown = by_metric(scores.tasks, " of each" if whole else "")
            console.say(f"{split} {whole}{shown}")
    p50, p95, p99 = (show_ms(getattr(result.latency, key)) for key in ("p50", "p95", "p99"))
    console.say(f"latency of one request: p50 {p50} ms, p95 {p95} ms, p99 {p99} ms")
    console.say(f"{show_count(result.cost.parameters)} parameters")
    for name, share in result.zero_shares.items():
        console.say(f"{show_share(share)} of the weights met in {name} are exactly zero")
    console.say(f"in {show_seconds(result.seconds)}")
    if result.folder:
        console.say(f"Kept in {result.folder}")


def overall(scores: SplitScores) -> str:
    """Return the value of a metric of several tasks, to stand before those of each task."""
    from automlrank.report.cells import show_score

    metric = scores.metric
    if not metric.fused and len(metric.weights) < 2:
        return ""
    return f"{metric.label} {show_score(scores.value)}; "


def by_metric(tasks: Mapping[str, PartScore], of: str) -> str:
    """Return ``AUC: click 0.7123, buy 0.6512; RMSE: stay 12.345``, with ``of`` after each name."""
    from automlrank.report.cells import show_score

    found: dict[str, list[str]] = {}
    for task, score in tasks.items():
        found.setdefault(score.metric.label, []).append(f"{task} {show_score(score.value)}")
    return "; ".join(f"{label}{of}: {', '.join(each)}" for label, each in found.items())


def as_data(result: TrainingResult) -> object:
    """Return the JSON of the command, with the keys of a record."""
    from automlrank.runs.record import plain
    from automlrank.runs.score_data import latency_data, split_scores_data

    return plain(
        {
            "architecture": result.architecture.to_data(),
            "fingerprint": result.architecture.fingerprint,
            "summary": result.architecture.summary,
            **{split: found and split_scores_data(found) for split, found in result.scores.items()},
            "latency_ms": latency_data(result.latency),
            **vars(result.cost),
            "curve": result.curve,
            "zero_shares": result.zero_shares,
            "seconds": result.seconds,
            "folder": str(result.folder) if result.folder else None,
            "suspicions": result.suspicions,
        }
    )


def brief_lines(result: TrainingResult) -> Iterator[str]:
    """Yield ``valid 0.7123``, and ``test`` if it was scored."""
    for split, scores in result.scores.items():
        if scores is not None:
            yield f"{split} {math.nan if scores.value is None else scores.value:.6f}"
