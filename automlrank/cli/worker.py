"""``automlrank worker``: join a search that is at work on this host."""

from __future__ import annotations

from automlrank.cli import options
from automlrank.cli.console import Console, Format
from automlrank.cli.failures import reported


@reported
def worker(
    run: options.Run,
    index: options.WorkerIndex = None,
    name: options.WorkerName = None,
    threads: options.WorkerThreads = None,
    format: options.Format = Format.human,
) -> None:
    """Join a search in a run's folder: one more process that runs its trials."""
    from automlrank.cli.views import PlainView
    from automlrank.cli.wording import SearchTarget
    from automlrank.jobs.worker import work
    from automlrank.measurement.metric_language import parse_metric
    from automlrank.runs.folder import RunFolder

    console, goal = Console(format), RunFolder(run).goal()
    view = PlainView(console, SearchTarget(parse_metric(goal.metric), goal.trials, goal.seconds))
    reason = work(run, index, name, threads, view)
    console.say(f"The search is over: {reason or 'all its trials ran'}.")
