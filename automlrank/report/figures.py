"""Plotly figures of score against latency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from automlrank.measurement.metrics import Metric
from automlrank.report.cells import (
    MISSING,
    escape,
    show_count,
    show_interval,
    show_ms,
    show_score,
    show_test,
    title,
)
from automlrank.report.compare import interval
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo

TRIAL, FRONT, REFERENCE = "#9aa3ad", "#2f6fde", "#d9822b"  # legible on white and on near-black
LOG_FROM = 8.0  # a ratio of latencies from which a linear axis hides the fast ones
FENCE = 3.0  # interquartile ranges behind the worse quartile, where Tukey's far outliers begin
TICKS = [first * 10.0**power for power in range(-3, 5) for first in (1, 2, 5)]


def front_figure(results: Results, facts: RunInfo) -> go.Figure:
    """Return validation score against p50 latency of every complete trial, the front as a line.

    Trials far behind all others lie outside at first: they would flatten the rest.
    """
    chosen = {record.fingerprint for record in (*results.front, *results.references)}
    others = [record for record in results.complete if record.fingerprint not in chosen]
    figure = _figure(results, "validation", (*results.complete, *results.references))
    _add(
        figure,
        others,
        results,
        "valid",
        "trials",
        mode="markers",
        marker={"color": TRIAL, "size": 8},
    )
    _add(
        figure,
        results.front,
        results,
        "valid",
        "front",
        mode="lines+markers",
        line={"shape": "hv", "color": FRONT, "width": 2},
        marker={"color": FRONT, "size": 10},
    )
    _add_references(figure, results, "valid")
    _add_budget(figure, facts)
    _leave_out(figure, others, (*results.front, *results.references), results.metric)
    return figure


def finalists_figure(results: Results, facts: RunInfo) -> go.Figure:
    """Return test score with its interval against p50 latency of finalists and references."""
    own = [record for record in results.finalists if not results.is_reference(record)]
    figure = _figure(results, "test", (*own, *results.references))
    _add(
        figure,
        own,
        results,
        "test",
        "finalists",
        mode="markers+text",
        text=[f"#{record.number}" for record in own],
        textposition="middle right",
        marker={"color": FRONT, "size": 10},
        error_y=_errors(own),
    )
    _add_references(figure, results, "test")
    _add_budget(figure, facts)
    return figure


def _add_references(figure: go.Figure, results: Results, split: str) -> None:
    scored = _drawable(results.references, split)
    style = {"error_y": _errors(scored)} if split == "test" else {}
    _add(
        figure,
        scored,
        results,
        split,
        "references",
        mode="markers+text",
        text=[escape(record.name or "") for record in scored],
        textposition="middle right",
        marker={"color": REFERENCE, "size": 11, "symbol": "diamond"},
        **style,
    )


def _add(
    figure: go.Figure,
    records: Sequence[Record],
    results: Results,
    split: str,
    name: str,
    **style: Any,
) -> None:
    """Add one trace; a summary is escaped because hover texts are a kind of HTML."""
    records = _drawable(records, split)
    if records:
        figure.add_trace(
            go.Scatter(
                x=[record.p50 for record in records],
                y=[record.score_on(split) for record in records],
                hovertext=[_hover(record, results) for record in records],
                hoverinfo="text",
                cliponaxis=False,
                name=name,
                **style,
            )
        )


def _drawable(records: Sequence[Record], split: str) -> list[Record]:
    return [
        record
        for record in records
        if record.score_on(split) is not None and record.p50 is not None
    ]


def _hover(record: Record, results: Results) -> str:
    number = "" if record.state == "reference" else f"<br>trial {record.number}"
    return (
        f"<b>{escape(title(record))}</b><br>{results.metric.label}: "
        f"valid {show_score(record.valid_score)}, test {show_test(record)}"
        f"<br>{_times(record)}, {show_count(record.parameters)} parameters{number}"
    )


def _times(record: Record) -> str:
    """Return the percentiles, and the interval of the median if it is known."""
    ms = record.latency_ms
    if ms is None:
        return "latency not measured"
    times = [f"p50 {show_ms(ms.p50)}", f"p95 {show_ms(ms.p95)}", f"p99 {show_ms(ms.p99)}"]
    median = show_interval(ms)
    return f"{', '.join(times)} ms{'' if median == MISSING else f', median {median}'}"


def _errors(records: Sequence[Record]) -> dict[str, Any]:
    """Return asymmetric error bars from the intervals; length 0 without one."""
    up, down = [], []
    for record in records:
        middle, ends = record.test_score or 0.0, interval(record)
        down.append(0.0 if ends.low is None else middle - ends.low)
        up.append(0.0 if ends.high is None else ends.high - middle)
    return {"type": "data", "array": up, "arrayminus": down, "thickness": 1.2, "width": 5}


def _figure(results: Results, split: str, records: Sequence[Record]) -> go.Figure:
    label = results.metric.label
    form = ".4f" if results.metric.kind == "binary" else "~g"  # labels have any unit
    times = [time for record in records if (time := record.p50)]
    wide = bool(times) and max(times) > LOG_FROM * min(times)
    axis = {"type": "log", "tickvals": TICKS} if wide else {"rangemode": "tozero"}
    return blank(
        {"title": {"text": "p50 latency of a request, ms"}, **axis},
        {"title": {"text": f"{split} {label}"}, "tickformat": form},
    )


def _leave_out(
    figure: go.Figure, others: Sequence[Record], shown: Sequence[Record], metric: Metric
) -> None:
    """Start the axis of scores behind the ``others`` that are far behind, with a note."""
    sign = 1.0 if metric.up else -1.0
    behind, wanted = (
        [sign * (record.valid_score or 0.0) for record in _drawable(records, "valid")]
        for records in (others, shown)
    )
    if not behind or not wanted:
        return
    low, high = np.quantile([*behind, *wanted], [0.25, 0.75])
    floor = min(low - FENCE * (high - low), *wanted)
    kept = [score for score in (*behind, *wanted) if score >= floor]
    left_out = len(behind) + len(wanted) - len(kept)
    if not left_out:
        return
    margin = 0.05 * (max(kept) - min(kept))
    ends = sorted((sign * (min(kept) - margin), sign * (max(kept) + margin)))
    figure.update_yaxes(range=ends)
    trials = "1 trial is" if left_out == 1 else f"{left_out} trials are"
    figure.add_annotation(
        text=f"{trials} far behind: a double click shows all",
        showarrow=False,
        xref="paper",
        yref="paper",
        x=1.0,
        y=0.02,
        xanchor="right",
    )


def blank(xaxis: dict[str, Any], yaxis: dict[str, Any]) -> go.Figure:
    """Return a figure without traces; its axes have no line at zero."""
    clear = "rgba(0,0,0,0)"
    return go.Figure(
        layout={
            "template": "none",
            "paper_bgcolor": clear,
            "plot_bgcolor": clear,
            "height": 440,
            "margin": {"l": 86, "r": 70, "t": 20, "b": 55},
            "hovermode": "closest",
            "font": {"family": "system-ui, sans-serif", "size": 13},
            "legend": {"orientation": "h", "y": 1.1, "x": 0, "bgcolor": clear},
            "xaxis": {"zeroline": False, "showspikes": False, **xaxis},
            "yaxis": {"zeroline": False, **yaxis},
        }
    )


def _add_budget(figure: go.Figure, facts: RunInfo) -> None:
    """Draw the budget as a line, if trials are near enough to show it beside them."""
    limit = facts.latency_ms
    times = [time for trace in figure.data for time in trace.x]
    if not limit or not times or max(times) < limit / 2:
        return
    style = {"dash": "dot", "width": 1.5, "color": REFERENCE}
    figure.add_shape(
        {"type": "line", "x0": limit, "x1": limit, "y0": 0, "y1": 1, "yref": "paper", "line": style}
    )
    place = math.log10(limit) if figure.layout.xaxis.type == "log" else limit  # shapes need no log
    figure.add_annotation(
        {"x": place, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}
        | {"text": f"budget {limit:g} ms"}
    )
