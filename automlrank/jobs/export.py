"""Write one record of a run as training code."""

from __future__ import annotations

from pathlib import Path

from automlrank.jobs.result import load_run


def export(
    run: str | Path,
    out: str | Path,
    *,
    trial: int | None = None,
    max_latency_ms: float | None = None,
    onnx: bool = False,
) -> list[Path]:
    """Export a run's trial, or its best within a latency; gives the files.

    Raises RunError for a folder that is no run or a trial that is not there, BudgetError where
    no trial is fast enough, UsageError for ``onnx`` without its packages.
    """
    return load_run(run).export(out, trial=trial, max_latency_ms=max_latency_ms, onnx=onnx)
