"""``automlrank report``: a run's leaderboard, its JSON, its page."""

from __future__ import annotations

import typer

from automlrank.cli import options
from automlrank.cli.console import Console, Format
from automlrank.cli.failures import reported


@reported
def report(
    run: options.Run,
    html: options.Html = None,
    open: options.Open = False,
    format: options.Format = Format.human,
) -> None:
    """Show a run's leaderboard; write its page where --html says."""
    from automlrank.jobs.report import rewrite
    from automlrank.jobs.result import load_run
    from automlrank.report.leaderboard import Leaderboard

    console = Console(format)
    page = html or run / "report.html"
    absent = open and not page.is_file()
    result = rewrite(run, html) if html or absent else load_run(run)
    console.data(result.results.to_data)
    console.show(Leaderboard(result.results, result.facts))
    if page.is_file():
        console.say(f"Report: {page}")
    console.brief(page)
    if open:
        typer.launch(page.resolve().as_uri())
