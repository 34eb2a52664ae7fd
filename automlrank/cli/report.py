"""``automlrank report``: a run's leaderboard, its JSON, its page."""

from __future__ import annotations

from pathlib import Path

import typer

from automlrank.cli.command import command
from automlrank.cli.console import Console
from automlrank.jobs.options import ReportOptions


@command(ReportOptions)
def report(console: Console, options: ReportOptions) -> None:
    """Show a run's leaderboard; write its page to the file of --html."""
    from automlrank.jobs.report import rewrite
    from automlrank.jobs.result import load_run
    from automlrank.report.leaderboard import Leaderboard

    page = Path(options.html or Path(options.run) / "report.html")
    absent = options.open and not page.is_file()
    rewritten = options.html or absent
    result = (
        rewrite(options.run, options.html, options.prefer)
        if rewritten
        else load_run(options.run, options.prefer)
    )
    console.data(result.to_data)
    console.show(Leaderboard(result.results, result.facts))
    if page.is_file():
        console.say(f"Report: {page}")
    console.brief(page)
    if options.open:
        typer.launch(page.resolve().as_uri())
