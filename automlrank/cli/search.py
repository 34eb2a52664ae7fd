"""``automlrank search``: a table in, a front of architectures and its report out."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import typer

from automlrank.cli import options
from automlrank.cli.console import Console, Format
from automlrank.cli.failures import FAILED, reported

if TYPE_CHECKING:
    from automlrank.jobs.result import Result


@reported
def search(
    data: options.Data,
    schema: options.Schema = None,
    join: options.Joins = None,
    space: options.Space = None,
    label: options.Label = None,
    incumbent: options.Incumbent = None,
    trials: options.Trials = 50,
    time: options.Time = None,
    latency_ms: options.LatencyMs = None,
    candidates: options.Candidates = 200,
    metric: options.Metric = None,
    sample_rows: options.SampleRows = None,
    runtime: options.Runtime = "torch",
    device: options.Device = "auto",
    workers: options.Workers = 1,
    sampler: options.Sampler = "tpe",
    pruner: options.Pruner = "halving",
    objectives: options.Objectives = 2,
    trial_time: options.TrialTime = None,
    patience: options.Patience = 60,
    seed: options.Seed = 0,
    out: options.SearchOut = None,
    resume: options.Resume = False,
    format: options.Format = Format.human,
) -> None:
    """Search architectures for a table, within a latency budget."""
    from automlrank.cli.views import watch
    from automlrank.cli.wording import SearchTarget
    from automlrank.jobs.search import search as job
    from automlrank.measurement.metric_language import parse_metric
    from automlrank.measurement.metrics import AUC

    console = Console(format)
    with watch(
        console, SearchTarget(parse_metric(metric) if metric else AUC, trials, time)
    ) as listen:
        result = job(
            data,
            schema,
            space,
            label=label,
            joins=join or (),
            incumbent=incumbent,
            trials=trials,
            time=time,
            latency_ms=latency_ms,
            candidates=candidates,
            metric=metric,
            sample_rows=sample_rows,
            runtime=runtime,
            device=device,
            workers=workers,
            sampler=sampler,
            pruner=pruner,
            objectives=objectives,
            trial_time=trial_time,
            patience=patience,
            seed=seed,
            out=out,
            resume=resume,
            command=shlex.join(["automlrank", *sys.argv[1:]]),
            listen=listen,
        )
    show_result(console, result)
    console.brief(result.folder)
    if not result.results.complete:
        raise typer.Exit(FAILED)


def show_result(console: Console, result: Result) -> None:
    """The leaderboard under its headline, and what to type next."""
    from automlrank.report.leaderboard import Leaderboard

    console.data(result.results.to_data)
    console.say()
    console.show(Leaderboard(result.results, result.facts))
    if result.facts.ended:
        console.say(f"The search ended early: {result.facts.ended}.")
    console.say(f"Report: {result.folder / 'report.html'}")
    console.say("Next:")
    for command in next_commands(result):
        console.say(f"  {command}")


def next_commands(result: Result) -> list[str]:
    """The commands that go on from a run."""
    run = str(result.folder)
    commands = [["report", run, "--open"]]
    if result.results.complete:
        budget = result.facts.latency_ms
        fits = budget is not None and result.results.within(budget)
        limit = ["--max-latency-ms", f"{budget:g}"] if fits else []
        commands.append(["export", run, *limit, "--out", f"{result.folder.name}-export"])
    return [shlex.join(["automlrank", *command]) for command in commands]
