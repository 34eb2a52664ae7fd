"""``automlrank export``: an architecture of a run as training code."""

from __future__ import annotations

import shlex

from automlrank.cli import options
from automlrank.cli.console import Console, Format
from automlrank.cli.failures import reported
from automlrank.errors import UsageError


@reported
def export(
    run: options.Run,
    out: options.ExportOut,
    trial: options.Trial = None,
    max_latency_ms: options.MaxLatencyMs = None,
    onnx: options.Onnx = False,
    format: options.Format = Format.human,
) -> None:
    """Write an architecture of a run as training code.

    It is the best one unless told, chosen on validation; the code needs no automlrank.
    """
    if trial is not None and max_latency_ms is not None:
        raise UsageError("--trial and --max-latency-ms both choose a trial.", "Give one of them.")
    from automlrank.codegen.onnx import VERIFIED
    from automlrank.jobs.export import export as job

    console = Console(format)
    files = job(run, out, trial=trial, max_latency_ms=max_latency_ms, onnx=onnx)
    console.data(lambda: {"files": [str(file) for file in files]})
    for file in files:
        console.say(str(file))
    if onnx:
        console.say(VERIFIED)
    console.say("Next:")
    script = str(out / "train.py")
    console.say(f"  {shlex.join(['python', script, 'DATA'])}")
    console.brief(*files)
