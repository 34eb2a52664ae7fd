"""The report as one self-contained HTML file: plots, tables, methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from automlrank.documents import dump
from automlrank.report.cells import (
    MISSING,
    escape,
    row,
    show_count,
    show_ms,
    show_score,
    show_seconds,
    title,
)
from automlrank.report.figures import finalists_figure, front_figure
from automlrank.report.grids import WEIGHTS, Grid, grids, weighted
from automlrank.report.headline import headline
from automlrank.report.page import SCRIPT, STYLE
from automlrank.report.ranking import PROBABILITIES, RANKS, has_probabilities, ranked
from automlrank.report.sections import Pairs, cost, measured, notes, provenance
from automlrank.report.weights import weights_figure
from automlrank.runs.record import Record, plain
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

WORDS = (
    "state",
    "architecture",
    "reason",
    "scenario",
    "part",
)  # headings of columns that hold text


def html(results: Results, facts: RunInfo) -> str:
    """Return the text of ``report.html``; every name from data is escaped."""
    label = results.metric.label
    name = escape(facts.data)
    tested = [record for record in ranked(results) if record.test]
    body = [
        f'<p class="over">{name}: architectures by {label} and latency</p>',
        f"<h1>{_unbroken(escape(headline(results, facts)))}</h1>",
        _best(results, facts),
        _section("Front", _plot("front", front_figure(results, facts)), _front(results)),
        _section("Finalists and references", *_finalists(tested, results, facts)),
        *(_section(grid.heading, *_grid(grid, results)) for grid in grids(results, facts)),
        _section("All trials", _trials(results)),
        _section("What it cost", _pairs(cost(results, facts))),
        _section("How it was measured", _pairs(measured(results, facts))),
        _section("Left out and suspicious", _pairs(notes(facts))) if notes(facts) else "",
        _section("To run it again", _pairs(provenance(facts))),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: {label} and latency</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head>\n<body><main>\n"
        + "\n".join(body)
        + f"\n</main><script>{SCRIPT}</script></body></html>\n"
    )


def escape_json(text: str) -> str:
    """Return JSON that a script element can hold: no tag can begin or end in it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _unbroken(text: str) -> str:
    """Keep a number on one line with its interval and its unit."""
    return text.replace(" ± ", "&nbsp;±&nbsp;").replace(" ms", "&nbsp;ms")


def _section(heading: str, *parts: str) -> str:
    return f"<section><h2>{heading}</h2>\n" + "\n".join(parts) + "\n</section>"


def _best(results: Results, facts: RunInfo) -> str:
    best = results.recommended(facts.latency_ms, facts.prefer)
    if best is None:
        return ""
    subject = "The reference" if best.number < 0 else f"Trial {best.number}"
    return f'<p class="best">{subject} is <b>{escape(title(best))}</b></p>'


def _plot(key: str, figure: go.Figure) -> str:
    if not figure.data:
        return '<p class="soft">Nothing to draw.</p>'
    data = escape_json(figure.to_json())
    return (
        f'<div class="plot" data-figure="{key}"></div>'
        f'<script type="application/json" id="{key}">{data}</script>'
    )


def _front(results: Results) -> str:
    """Return the front as a table; each summary opens the architecture's YAML."""
    label = results.metric.label
    rows = []
    for record in results.front:
        cells = row(record, results)
        lines = dump(plain(record.architecture)).split("\n")
        yaml = "\n".join(map(escape, lines))
        what = f"<details><summary>{escape(cells.title)}</summary><pre>{yaml}</pre></details>"
        numbers = (cells.valid, cells.test, cells.latency, cells.parameters)
        rows.append([_cell(cells.number), _cell(what, "what"), *map(_cell, numbers)])
    headings = (
        "#",
        "architecture",
        f"valid {label}",
        f"test {label}",
        "p50 / p95 ms",
        "parameters",
    )
    return _table(headings, rows)


def _finalists(tested: Sequence[Record], results: Results, facts: RunInfo) -> list[str]:
    if not tested:
        return ['<p class="soft">Nothing was scored on the test split.</p>']
    label = results.metric.label
    probabilities = PROBABILITIES if has_probabilities(results) else ()
    rows = []
    for record in tested:
        cells = row(record, results)
        what = [_cell(cells.rank), _cell(cells.number), _cell(escape(cells.title), "what")]
        numbers = [_cell(cells.mean), _cell(cells.test)]
        pairs = [cells.seeds, cells.versus]
        pairs += [cells.logloss, cells.calibration] if probabilities else []
        rows.append([*what, *numbers, *(_cell(x, "pair") for x in pairs), _cell(cells.latency)])
    headings = (
        *("rank", "#", "architecture", "valid over seeds", f"test {label}", "seeds"),
        *("to best reference", *probabilities, "p50 / p95 ms"),
    )
    return [
        _plot("finalists", finalists_figure(results, facts)),
        _table(headings, rows),
        f'<p class="soft">{RANKS}</p>',
    ]


def _grid(grid: Grid, results: Results) -> list[str]:
    """Return a table behind the leaderboard; the weights are drawn, too."""
    columns = [escape(column) for column in grid.columns]
    rows = [
        [_cell(escape(row[0]), "what"), *(_cell(escape(x)) for x in row[1:])] for row in grid.rows
    ]
    drawn = [_plot("weights", weights_figure(weighted(results)))] if grid.heading == WEIGHTS else []
    return [*drawn, _table(columns, rows), f'<p class="soft">{escape(grid.note)}</p>']


def _trials(results: Results) -> str:
    """Return all trials as a table, sorted by the ``data-value`` of cells."""
    label = results.metric.label
    rows = [_trial(record) for record in results.records]
    headings = (
        *("#", "state", "architecture", f"valid {label}"),
        *("p50 ms", "parameters", "time", "reason"),
    )
    return _table(headings, rows, sortable=True)


def _trial(record: Record) -> list[str]:
    score = record.valid_score
    reason = record.reason or ""
    if record.duplicate_of is not None:
        reason = f"the same as trial {record.duplicate_of}"
    return [
        _cell(str(record.number), value=record.number),
        _cell(record.state.replace("_", " "), "state"),
        _cell(escape(title(record)), "what"),
        _cell(show_score(score), value=score),
        _cell(show_ms(record.p50), value=record.p50),
        _cell(show_count(record.parameters), value=record.parameters),
        _cell(show_seconds(record.seconds), value=record.seconds),
        _cell(escape(reason), "why"),
    ]


def _cell(content: str, kind: str = "n", value: float | None = None) -> str:
    """Return a cell of HTML; a missing number sorts as an empty value, last."""
    shown = "" if value is None else f"{value!r}"
    data = f' data-value="{shown}"' if value is not None or content == MISSING else ""
    return f'<td class="{kind}"{data}>{content}</td>'


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], sortable: bool = False) -> str:
    heads = "".join(
        f'<th class="{"" if heading in WORDS else "n"}">'
        + (f"<button type=button>{heading}</button>" if sortable else heading)
        + "</th>"
        for heading in headings
    )
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{heads}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _pairs(pairs: Pairs) -> str:
    rows = "\n".join(
        f"<dt>{escape(term)}</dt><dd>{_code(text) if term == 'Command' else escape(text)}</dd>"
        for term, text in pairs
    )
    return f"<dl>\n{rows}\n</dl>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
