"""``automlrank worker``: join a search that is running on this host."""

from __future__ import annotations

from automlrank.cli.command import command
from automlrank.cli.console import Console
from automlrank.jobs.options import WorkerOptions


@command(WorkerOptions)
def worker(console: Console, options: WorkerOptions) -> None:
    """Join a search in a run's folder: one more process that runs its trials."""
    from automlrank.cli.views import PlainView
    from automlrank.cli.wording import SearchTarget
    from automlrank.jobs.worker import config_of, work
    from automlrank.measurement.metric_language import parse_metric
    from automlrank.runs.folder import RunFolder

    config = config_of(RunFolder(options.run))
    view = PlainView(console, SearchTarget(parse_metric(config.metric), config.trials, config.time))
    reason = work(**vars(options), listen=view)
    console.say(f"The search is over: {reason or 'all its trials ran'}.")
