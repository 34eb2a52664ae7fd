"""The leaderboard and the front as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from automlrank.printable import printable
from automlrank.report.cells import MISSING, Row, row
from automlrank.report.headline import headline
from automlrank.report.ranking import RANKS, has_probabilities, ranked
from automlrank.report.sections import equally_fast
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

WIDE = 108  # columns of a terminal from which log loss and calibration have room
CAPTION = (
    f"{RANKS}\n* on the front. valid: the mean over seeds for finalists. ±: half a 95 % interval, "
    "the sampling of test rows; repeated: p50 with the user's side scored anew for every "
    "candidate; sd: the spread over seeds."
)
WHAT = "architecture"  # the heading of the one column that wraps
Columns = Mapping[str, Callable[[Row], str]]
"""Texts of a table by their headings."""

RANK: Columns = {"rank": lambda cells: cells.rank}
PROBABILITIES: Columns = {
    "log\nloss": lambda cells: cells.logloss,
    "calibration": lambda cells: cells.calibration,
}


@dataclass(frozen=True)
class Leaderboard:
    """Finalists and references by rank, then the rest of the front, under the headline."""

    results: Results
    facts: RunInfo

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """Yield the table; in a wide terminal with log loss and calibration."""
        wide = options.max_width >= WIDE and has_probabilities(self.results)
        more = PROBABILITIES if wide else {}
        columns = {**RANK, **_scores(self.results), **more}
        table = _table(ranked(self.results), self.results, columns)
        table.title = Text(printable(headline(self.results, self.facts)))
        ties = equally_fast(self.results)
        table.caption = Text(f"{CAPTION}\nEqually fast: {printable(ties)}." if ties else CAPTION)
        table.title_justify = table.caption_justify = "left"
        yield table


def front_table(results: Results) -> Table:
    """Return the front alone, fastest first, for a live view."""
    return _table(results.front, results, _scores(results))


def _scores(results: Results) -> Columns:
    """Return the columns of both tables."""
    label = results.metric.label
    return {
        "#": lambda cells: f"{cells.number}{'*' if cells.on_front else ''}",
        WHAT: lambda cells: printable(cells.title),
        f"valid\n{label}": lambda cells: cells.mean,
        f"test\n{label}": _test,
        "p50 / p95\nms": _latency,
        "para-\nmeters": lambda cells: cells.parameters,
    }


def _test(cells: Row) -> str:
    """Return the score with its sampling error; the spread over seeds on a line of its own."""
    return cells.test if cells.deviation == MISSING else f"{cells.test}\nsd {cells.deviation}"


def _latency(cells: Row) -> str:
    """Return the percentiles; the median with the user repeated on a line of its own."""
    if cells.repeated == MISSING:
        return cells.latency
    return f"{cells.latency}\nrepeated {cells.repeated}"


def _table(records: Iterable[Record], results: Results, columns: Columns) -> Table:
    """Return records as rows; only the summary wraps: no number is cut at 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for heading in columns:
        if heading == WHAT:
            table.add_column(heading, overflow="fold", ratio=1, min_width=18)
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    for record in records:
        cells = row(record, results)
        texts = [Text(text(cells)) for text in columns.values()]  # a summary is not markup
        table.add_row(*texts, style="bold" if cells.on_front else "")
    return table
