"""The files of a report, each written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

from automlrank.report.html import html as html_text
from automlrank.report.markdown import markdown
from automlrank.trials.facts import RunFacts
from automlrank.trials.records import flat
from automlrank.trials.results import Results


def write_report(
    results: Results, facts: RunFacts, folder: str | Path, html: bool = True
) -> list[Path]:
    """Write report.md, front.json, trials.csv and report.html; the paths that were written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.md": markdown(results, facts),
        "front.json": json_text(results),
        "trials.csv": csv_text(results),
    }
    if html:
        texts["report.html"] = html_text(results, facts)
    for name, text in texts.items():
        _write(folder / name, text)
    return [folder / name for name in texts]


def write_csv(results: Results, path: str | Path) -> None:
    """One row per trial, flat columns such as ``valid.auc``; empty where there is no value."""
    _write(Path(path), csv_text(results))


def csv_text(results: Results) -> str:
    """The trials as CSV text."""
    rows = [flat(record) for record in results.records]
    columns = dict.fromkeys(key for row in rows for key in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_text(results: Results) -> str:
    """The JSON contract as text; never NaN."""
    return json.dumps(results.to_data(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    """Write beside the target, then rename: a reader never sees half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
