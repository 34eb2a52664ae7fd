"""``automlrank latency``: the latency of a request, measured on this host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from automlrank.cli.command import command
from automlrank.cli.console import Console
from automlrank.jobs.options import LatencyOptions
from automlrank.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

    from automlrank.jobs.latency import Timed


@command(LatencyOptions)
def latency(console: Console, options: LatencyOptions) -> None:
    """Measure the latency of an architecture, or of a run's front again, on this host."""
    from automlrank.jobs.latency import latency as job
    from automlrank.jobs.machine import device_of
    from automlrank.measurement.latency import ROUNDS

    timed = job(**vars(options))
    conditions = {
        "candidates": options.candidates,
        "threads": options.threads,
        "runtime": options.runtime,
        "device": device_of(options.device),
        "rounds": ROUNDS,
    }
    console.data(lambda: as_data(timed, conditions))
    console.say(
        "One request: {candidates} candidates, {threads} thread(s), {runtime}, "
        "{device}; {rounds} rounds".format(**conditions)
    )
    console.show(table(timed))
    console.say("repeated: p50 with the user's side scored anew for every candidate")
    console.brief(*(f"{one.name} {one.latency.p50:.4f} {one.latency.p95:.4f}" for one in timed))


def as_data(timed: Sequence[Timed], conditions: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON of the command."""
    from automlrank.runs.score_data import latency_data

    models = [
        {"name": one.name, "summary": one.summary, "latency_ms": latency_data(one.latency)}
        for one in timed
    ]
    return {"latency": conditions, "models": models}


def table(timed: Sequence[Timed]) -> Table:
    """Return a table with a row for each model."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from automlrank.report.cells import show_interval, show_ms

    result = Table("name", "architecture", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("p50 ms", "95 % interval", "p95 ms", "p99 ms", "repeated ms"):
        result.add_column(heading, justify="right", no_wrap=True)
    for one in timed:
        ms = one.latency
        p50, *others = (show_ms(value) for value in (ms.p50, ms.p95, ms.p99, ms.p50_repeated))
        texts = (Text(printable(one.name)), Text(printable(one.summary)))
        result.add_row(*texts, p50, show_interval(ms), *others)
    return result
