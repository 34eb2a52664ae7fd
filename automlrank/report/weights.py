"""Plotly figure of the tasks' weights by epoch."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from automlrank.report.cells import escape, title
from automlrank.report.figures import blank
from automlrank.runs.record import Record

COLORS = ("#2f6fde", "#d9822b", "#3d9a5f", "#b0479a", "#9aa3ad")  # of tasks
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")  # of architectures


def weights_figure(records: Sequence[Record]) -> go.Figure:
    """Return a line for each task and record; names are escaped: a legend is a kind of HTML."""
    figure = blank(
        {"title": {"text": "epoch"}, "dtick": 1},
        {"title": {"text": "weight of the task's loss"}, "rangemode": "tozero"},
    )
    for i, record in enumerate(records):
        for j, (task, weights) in enumerate((record.weights or {}).items()):
            figure.add_trace(
                go.Scatter(
                    x=list(range(1, len(weights) + 1)),
                    y=list(weights),
                    name=f"{escape(task)}: {escape(record.name or f'#{record.number}')}",
                    hovertext=escape(title(record)),
                    mode="lines+markers",
                    line={"color": COLORS[j % len(COLORS)], "dash": DASHES[i % len(DASHES)]},
                )
            )
    return figure
