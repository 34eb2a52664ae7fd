"""The report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from automlrank.printable import printable
from automlrank.report.cells import row
from automlrank.report.grids import Grid, grids
from automlrank.report.headline import headline
from automlrank.report.ranking import PROBABILITIES, RANKS, has_probabilities, ranked
from automlrank.report.sections import Pairs, cost, measured, notes, provenance
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

WHAT = "architecture"  # the heading of the one column that holds text
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def markdown(results: Results, facts: RunInfo) -> str:
    """Return the text of ``report.md``; names from data are escaped."""
    front = {record.fingerprint for record in results.front}
    others = [r for r in ranked(results) if r.test or r.fingerprint not in front]
    parts = [
        f"# {escape_markdown(facts.data)}: architectures by {results.metric.label} and latency",
        escape_markdown(headline(results, facts)),
        "## Front",
        _front(results) if results.front else "No trial was trained to the end.",
    ]
    if others:
        parts += ["## Finalists and references", _finalists(others, results), RANKS]
    for grid in grids(results, facts):
        parts += [f"## {grid.heading}", _grid(grid), escape_markdown(grid.note)]
    for heading, pairs in (
        ("What it cost", cost(results, facts)),
        ("How it was measured", measured(results, facts)),
        ("Left out and suspicious", notes(facts)),
        ("To run it again", provenance(facts)),
    ):
        if pairs:
            parts += [f"## {heading}", _pairs(pairs)]
    return "\n\n".join(parts) + "\n"


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return SPECIAL.sub(r"\\\1", printable(" ".join(text.split())))


def _front(results: Results) -> str:
    """Return the front as a table, fastest first."""
    label = results.metric.label
    headings = ("#", WHAT, f"valid {label}", f"test {label}", "p50 / p95 ms", "parameters")
    rows = []
    for record in results.front:
        c = row(record, results)
        numbers = (c.valid, c.test, c.latency, c.parameters)
        rows.append((c.number, escape_markdown(c.title), *numbers))
    return _table(headings, rows)


def _finalists(records: Sequence[Record], results: Results) -> str:
    probabilities = PROBABILITIES if has_probabilities(results) else ()
    headings = (
        *("rank", "#", WHAT, "valid over seeds", f"test {results.metric.label}"),
        *("seeds", "to best reference", *probabilities, "p50 / p95 ms", "parameters"),
    )
    rows = []
    for record in records:
        c = row(record, results)
        scores = [c.mean, c.test, c.seeds, c.versus]
        scores += [c.logloss, c.calibration] if probabilities else []
        rows.append((c.rank, c.number, escape_markdown(c.title), *scores, c.latency, c.parameters))
    return _table(headings, rows)


def _grid(grid: Grid) -> str:
    columns = [escape_markdown(column) for column in grid.columns]
    rows = [[escape_markdown(cell) for cell in row] for row in grid.rows]
    sides = [":--", *("--:" for _ in columns[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, sides, *rows))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    sides = [":--" if heading == WHAT else "--:" for heading in headings]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, sides, *rows))


def _pairs(pairs: Pairs) -> str:
    return "\n".join(
        f"- {escape_markdown(term)}: {_code(text) if term == 'Command' else escape_markdown(text)}"
        for term, text in pairs
    )


def _code(text: str) -> str:
    """Return a span of code; its fence is longer than any run of backticks in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {printable(' '.join(text.split()))} {fence}"
