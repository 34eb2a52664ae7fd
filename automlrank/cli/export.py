"""``automlrank export``: an architecture of a run as training code."""

from __future__ import annotations

import shlex
from pathlib import Path

from automlrank.cli.command import command
from automlrank.cli.console import Console
from automlrank.jobs.options import ExportOptions


@command(ExportOptions)
def export(console: Console, options: ExportOptions) -> None:
    """Write an architecture of a run as training code that needs no automlrank.

    Without --trial it is the recommended one, chosen on validation.
    """
    from automlrank.codegen.onnx import VERIFIED
    from automlrank.jobs.export import export as job

    files = job(**vars(options))
    console.data(lambda: {"files": [str(file) for file in files]})
    for file in files:
        console.say(str(file))
    if options.onnx:
        console.say(VERIFIED)
    console.say("Next:")
    script = str(Path(options.out) / "train.py")
    console.say(f"  {shlex.join(['python', script, 'DATA'])}")
    console.brief(*files)
