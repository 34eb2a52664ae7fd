"""Views of a running search: redrawn in a terminal, one line per event elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from automlrank.cli.console import Console, Format
from automlrank.cli.wording import SearchTarget, counts, current, left, outcome, sentences
from automlrank.measurement.metrics import Metric
from automlrank.printable import printable
from automlrank.report.leaderboard import front_table
from automlrank.runs.events import DataReady, Event, Listen, TrainingUpdate, TrialEnded, ignore
from automlrank.runs.record import Record
from automlrank.runs.results import Results

REDRAW_SECONDS = 0.25


@contextmanager
def watch(console: Console, target: SearchTarget) -> Iterator[Listen]:
    """Yield the listener for a format and a terminal."""
    if console.format is not Format.human:
        yield ignore
    elif console.is_live:
        with LiveView(console, target) as view:
            yield view
    else:
        yield PlainView(console, target)


class PlainView:
    """A view with one line for each training that starts and each trial that finishes."""

    def __init__(self, console: Console, target: SearchTarget) -> None:
        self.console = console
        self.target = target
        self.what: dict[str, str] = {}  # the training of each worker

    def __call__(self, event: Event) -> None:
        match event:
            case TrainingUpdate(what, summary):
                if what != self.what.get(event.worker):
                    self.what[event.worker] = what
                    self.console.say(f"training {what}: {summary}")
            case TrialEnded(record, _, trained):
                done = f"{trained} of {self.target.trials} trained"
                self.console.say(f"{outcome(record, self.target.metric)} ({done})")
            case _:
                self.target = target_after(event, self.target)
                for line in sentences(event):
                    self.console.say(line)


class LiveView:
    """A view of counts, each worker's current training, the time left, and the front so far.

    It is redrawn on events, not by a timer: a drawing thread would disturb latency measurements.
    """

    def __init__(self, console: Console, target: SearchTarget) -> None:
        self.target = target
        self.began = time.monotonic()
        self.drawn = 0.0
        self.trainings: dict[str, TrainingUpdate] = {}  # by worker
        self.ended: TrialEnded | None = None
        self.live = Live(console=console.screen, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self.live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case TrainingUpdate():
                self.trainings[event.worker] = event
            case TrialEnded(record):
                self.ended = event
                self.forget(record)
                if record.state == "failed":
                    self.tell(outcome(record, self.target.metric))
            case _:
                self.target = target_after(event, self.target)
                for line in sentences(event):
                    self.tell(line)
        now = time.monotonic()
        if now - self.drawn > REDRAW_SECONDS or isinstance(event, TrialEnded):
            self.drawn = now
            self.live.update(self.picture(now - self.began), refresh=True)

    def forget(self, record: Record) -> None:
        """Remove the training of a finished record."""
        ended = {f"trial {record.number}", record.name}
        self.trainings = {w: at for w, at in self.trainings.items() if at.what not in ended}

    def tell(self, line: str) -> None:
        """Print a line that stays above the redrawn part."""
        self.live.console.print(Text(printable(line)))

    def picture(self, elapsed: float) -> RenderableType:
        """Return the picture that the terminal shows now."""
        parts: list[RenderableType] = [Text()]
        if self.ended:
            results = so_far(self.ended, self.target.metric)
            parts.append(Text(counts(results, self.ended.trained, self.target)))
            parts.append(Text(left(results, self.ended.trained, self.target, elapsed)))
        for _, training in sorted(self.trainings.items()):
            parts += [Text(printable(line)) for line in current(training, self.target.metric)]
        if self.ended and results.front:
            parts += [Text(), Text("The front so far:"), front_table(results)]
        return Group(*parts)


def target_after(event: Event, target: SearchTarget) -> SearchTarget:
    """Return the target with the metric that follows from the data's tasks."""
    return replace(target, metric=event.metric) if isinstance(event, DataReady) else target


def so_far(event: TrialEnded, metric: Metric) -> Results:
    """Return the trials so far as results; an event names a reference's trial twice."""
    records = {record.number: record for record in event.records}
    trials = tuple(record for record in records.values() if record.state != "reference")
    references = tuple(record for record in records.values() if record.name)
    return Results(metric, {}, trials, references)
