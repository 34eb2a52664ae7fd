"""Write one record of a run as training code."""

from __future__ import annotations

from pathlib import Path

from automlrank.errors import UsageError
from automlrank.jobs.options import ExportOptions
from automlrank.jobs.result import load_run
from automlrank.options.call import takes


@takes(ExportOptions)
def export(options: ExportOptions) -> list[Path]:
    """Write a trial of a run, or the recommended one, as training code; return the files.

    Without ``trial`` it is chosen on validation, within a latency if one is given. Raises RunError
    for a folder that is no run or a trial that is not there, BudgetError if no trial is fast
    enough, UsageError for ``onnx`` without its packages.
    """
    if options.trial is not None and options.max_latency_ms is not None:
        raise UsageError("--trial and --max-latency-ms both choose a trial.", "Give one of them.")
    return load_run(options.run).export(
        options.out,
        trial=options.trial,
        max_latency_ms=options.max_latency_ms,
        prefer=options.prefer,
        onnx=options.onnx,
    )
