"""The leaderboard and the front as tables of a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from automlrank.evaluate.metrics import METRICS
from automlrank.report.cells import ranked, row
from automlrank.report.headline import headline
from automlrank.report.sections import equally_fast
from automlrank.trials.facts import RunFacts
from automlrank.trials.records import Record
from automlrank.trials.results import Results

CAPTION = "* on the front. valid: the mean over seeds for finalists. ±: half a 95 % interval."


def leaderboard(results: Results, facts: RunFacts) -> Table:
    """Front, finalists and references, best validation score first, under the headline."""
    table = record_table(ranked(results), results)
    table.title = Text(headline(results, facts))
    table.title_justify = "left"
    ties = equally_fast(results)
    table.caption = Text(f"{CAPTION} As fast as each other: {ties}." if ties else CAPTION)
    table.caption_justify = "left"
    return table


def front_table(results: Results) -> Table:
    """The front alone, fastest first: what a live view shows."""
    return record_table(results.front, results)


def record_table(records: Iterable[Record], results: Results) -> Table:
    """Records as rows; only the summary wraps, so that no number is cut at 80 columns."""
    label = METRICS[results.metric].label
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("architecture", overflow="fold", ratio=1, min_width=20)
    for heading in (f"valid\n{label}", f"test\n{label}", "p50 / p95\nms", "para-\nmeters"):
        table.add_column(heading, justify="right", no_wrap=True)
    for record in records:
        cells = row(record, results)
        table.add_row(
            f"{cells.number}{'*' if cells.on_front else ''}",
            Text(cells.title),  # its brackets are not markup
            cells.mean,
            cells.test,
            cells.latency,
            cells.parameters,
            style="bold" if cells.on_front else "",
        )
    return table
