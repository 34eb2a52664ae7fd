"""``automlrank train``: one architecture on a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from automlrank.cli import options
from automlrank.cli.console import Console, Format
from automlrank.cli.failures import reported

if TYPE_CHECKING:
    from automlrank.evaluate.metrics import Metric
    from automlrank.jobs.train import TrainingResult
    from automlrank.trials.events import Listen


@reported
def train(
    architecture: options.Architecture,
    data: options.Data,
    schema: options.Schema = None,
    join: options.Joins = None,
    label: options.Label = None,
    test: options.Test = False,
    metric: options.Metric = "auc",
    device: options.Device = "auto",
    seed: options.Seed = 0,
    out: options.TrainOut = None,
    format: options.Format = Format.human,
) -> None:
    """Train one architecture and score it.

    The test split is scored only with --test.
    """
    from automlrank.jobs.train import train as job

    console = Console(format)
    result = job(
        architecture,
        data,
        schema,
        label=label,
        joins=join or (),
        test=test,
        seed=seed,
        out=out,
        metric=metric,
        device=device,
        listen=epoch_lines(console, metric),
    )
    console.data(lambda: as_data(result))
    show(console, result, metric)
    console.brief(*brief_lines(result, metric))


def epoch_lines(console: Console, metric: str) -> Listen:
    """A listener that says a line per epoch."""
    from automlrank.cli.wording import epoch_line
    from automlrank.trials.events import Event, Training

    def listen(event: Event) -> None:
        if isinstance(event, Training) and event.progress.scores is not None:
            console.say(epoch_line(event.progress, metric))

    return listen


def show(console: Console, result: TrainingResult, metric: str) -> None:
    """What was trained, its scores per split and task, what it costs."""
    from automlrank.evaluate.metrics import METRICS
    from automlrank.report.cells import (
        show_count,
        show_ms,
        show_score,
        show_seconds,
        show_share,
    )

    console.say(f"{result.architecture.name}: {result.architecture.summary}")
    for split, scores in result.scores.items():
        if scores is not None:
            tasks = scores["tasks"].items()
            shown = ", ".join(f"{task} {show_score(next(iter(x.values())))}" for task, x in tasks)
            console.say(f"{split} {named(METRICS[metric], scores)}: {shown}")
    p50, p95, p99 = (show_ms(getattr(result.latency, key)) for key in ("p50", "p95", "p99"))
    console.say(f"latency of one request: p50 {p50} ms, p95 {p95} ms, p99 {p99} ms")
    console.say(f"{show_count(result.cost.parameters)} parameters")
    for name, share in result.zero_shares.items():
        console.say(f"{show_share(share)} of the weights met in {name} are exactly zero")
    console.say(f"in {show_seconds(result.seconds)}")
    if result.folder:
        console.say(f"Kept in {result.folder}")


def named(metric: Metric, scores: Mapping[str, Any]) -> str:
    """``AUC``; of a metric of several tasks its value, too: what follows is each task's own."""
    from automlrank.evaluate.metrics import METRICS
    from automlrank.report.cells import show_score

    if not metric.fused and len(metric.weights) < 2:
        return metric.label
    return f"{metric.label} {show_score(scores[metric.name])}; {METRICS[metric.base].label} of each"


def as_data(result: TrainingResult) -> object:
    """The JSON of the command, in a record's words."""
    from automlrank.trials.records import plain

    return plain(
        {
            "architecture": result.architecture.to_data(),
            "fingerprint": result.architecture.fingerprint,
            "summary": result.architecture.summary,
            **result.scores,
            "latency_ms": vars(result.latency),
            **vars(result.cost),
            "curve": result.curve,
            "zero_shares": result.zero_shares,
            "seconds": result.seconds,
            "folder": str(result.folder) if result.folder else None,
        }
    )


def brief_lines(result: TrainingResult, metric: str) -> Iterator[str]:
    """``valid 0.7123``, and ``test`` where it was asked for."""
    for split, scores in result.scores.items():
        if scores is not None:
            yield f"{split} {scores[metric]:.6f}"
