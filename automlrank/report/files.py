"""Write the files of a report, each atomically."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from automlrank.documents import dump_json
from automlrank.files import write_text
from automlrank.report.html import html as html_text
from automlrank.report.markdown import markdown
from automlrank.runs.record import flat
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo


def write_report(results: Results, facts: RunInfo, folder: str | Path) -> list[Path]:
    """Write report.md, front.json, trials.csv and report.html; returns their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.md": markdown(results, facts),
        "front.json": json_text(results, facts),
        "trials.csv": csv_text(results),
        "report.html": html_text(results, facts),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def csv_text(results: Results) -> str:
    """Return the trials as CSV text."""
    rows = [flat(record) for record in results.records]
    columns = dict.fromkeys(key for row in rows for key in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_text(results: Results, facts: RunInfo) -> str:
    """Return the JSON contract as text; it holds no NaN."""
    return dump_json(results_data(results, facts)) + "\n"


def results_data(results: Results, facts: RunInfo) -> dict[str, Any]:
    """Return the JSON contract of ``front.json`` and of ``automlrank report --format json``.

    ``recommended`` is the number of a trial, or of a reference below 0; null if there is none.
    """
    best = results.recommended(facts.latency_ms, facts.prefer)
    return {
        **results.to_data(),
        "recommended": None if best is None else best.number,
        "unstable": [record.number for record in results.unstable],
    }
