"""``automlrank latency``: how long a request takes, measured on this host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from automlrank.cli import options
from automlrank.cli.console import Console, Format
from automlrank.cli.failures import reported

if TYPE_CHECKING:
    from rich.table import Table

    from automlrank.jobs.latency import Timed


@reported
def latency(
    what: options.ArchitectureOrRun,
    data: options.Data,
    schema: options.Schema = None,
    join: options.Joins = None,
    label: options.Label = None,
    candidates: options.Candidates = 200,
    threads: options.Threads = 1,
    runtime: options.Runtime = "torch",
    device: options.Device = "auto",
    format: options.Format = Format.human,
) -> None:
    """Measure an architecture, or a run's front again, on this host."""
    from automlrank.jobs.latency import latency as job
    from automlrank.jobs.machine import device_of
    from automlrank.measurement.latency import ROUNDS

    console = Console(format)
    timed = job(
        what,
        data,
        schema,
        candidates=candidates,
        threads=threads,
        runtime=runtime,
        device=device,
        label=label,
        joins=join or (),
    )
    conditions = {
        "candidates": candidates,
        "threads": threads,
        "runtime": runtime,
        "device": device_of(device),
        "rounds": ROUNDS,
    }
    console.data(lambda: as_data(timed, conditions))
    console.say(
        f"One request: {candidates} candidates, {threads} thread(s), {runtime}, "
        f"{conditions['device']}; {ROUNDS} rounds"
    )
    console.show(table(timed))
    console.say("repeated: p50 with the user's side scored anew for every candidate")
    console.brief(*(f"{one.name} {one.latency.p50:.4f} {one.latency.p95:.4f}" for one in timed))


def as_data(timed: Sequence[Timed], conditions: Mapping[str, object]) -> dict[str, object]:
    """The JSON of the command."""
    from automlrank.runs.score_data import latency_data

    models = [
        {"name": one.name, "summary": one.summary, "latency_ms": latency_data(one.latency)}
        for one in timed
    ]
    return {"latency": conditions, "models": models}


def table(timed: Sequence[Timed]) -> Table:
    """One row a model."""
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
        result.add_row(Text(one.name), Text(one.summary), p50, show_interval(ms), *others)
    return result
