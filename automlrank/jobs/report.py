"""Rewrite the report of a run."""

from __future__ import annotations

from pathlib import Path

from automlrank.errors import RunError
from automlrank.files import check_file, unwritten, write_text
from automlrank.jobs.result import Result, load_run
from automlrank.report.files import write_report
from automlrank.report.html import html as html_page

HINT = "Make room for it, then run the command again."


def rewrite(run: str | Path, html: str | Path | None = None, prefer: str | None = None) -> Result:
    """Write a run's report from its records; with ``html`` only its page, to that file."""
    if html is not None:
        check_file(Path(html), "Give another --html, such as report.html.")
    result = load_run(run, prefer)
    try:
        if html is None:
            write_report(result.results, result.facts, result.folder)
        else:
            write_text(Path(html).resolve(), html_page(result.results, result.facts))
    except OSError as error:
        raise RunError(unwritten(result.folder, error), HINT) from error
    return result
