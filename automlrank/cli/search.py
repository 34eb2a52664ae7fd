"""``automlrank search``: search architectures for a table, report the front."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from automlrank.cli.command import command
from automlrank.cli.console import Console
from automlrank.cli.failures import FAILED
from automlrank.cli.signals import code_of_the_end
from automlrank.jobs.options import SearchOptions

if TYPE_CHECKING:
    from automlrank.jobs.result import Result


@command(SearchOptions)
def search(console: Console, options: SearchOptions) -> None:
    """Search architectures for a table, within a latency budget."""
    from automlrank.cli.views import watch
    from automlrank.cli.wording import SearchTarget
    from automlrank.jobs.search import search as job
    from automlrank.measurement.metric_language import parse_metric
    from automlrank.measurement.metrics import AUC
    from automlrank.runs.stop_reasons import INTERRUPTED

    asked = shlex.join(["automlrank", *sys.argv[1:]])
    target = SearchTarget(
        parse_metric(options.metric) if options.metric else AUC, options.trials, options.time
    )
    with watch(console, target) as listen:
        result = job(**vars(replace(options, command=asked, listen=listen)))
    show_result(console, result)
    console.brief(result.folder)
    if not result.results.complete:
        stopped = result.facts.ended == INTERRUPTED
        raise typer.Exit(code_of_the_end() if stopped else FAILED)


def show_result(console: Console, result: Result) -> None:
    """Show the leaderboard under its headline, and the commands to type next."""
    from automlrank.report.leaderboard import Leaderboard

    console.data(result.to_data)
    console.say()
    console.show(Leaderboard(result.results, result.facts))
    if result.facts.ended:
        console.say(f"The search stopped early: {result.facts.ended}.")
    console.say(f"Report: {result.folder / 'report.html'}")
    console.say("Next:")
    for line in next_commands(result):
        console.say(f"  {line}")


def next_commands(result: Result) -> list[str]:
    """Return the commands that follow a search."""
    from automlrank.runs.folder import RunFolder
    from automlrank.runs.stop_reasons import INTERRUPTED

    run = str(result.folder)
    commands = [["report", run, "--open"]]
    if result.results.complete:
        budget = result.facts.latency_ms
        fits = budget is not None and result.results.within(budget)
        limit = ["--max-latency-ms", f"{budget:g}"] if fits else []
        commands.append(["export", run, *limit, "--out", f"{result.folder.name}-export"])
    lines = [shlex.join(["automlrank", *command]) for command in commands]
    return [*([RunFolder(run).resumed_by] if result.facts.ended == INTERRUPTED else []), *lines]
