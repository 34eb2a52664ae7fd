"""Latencies that are a tie: what the report calls as fast, and what it does not."""

from __future__ import annotations

import dataclasses

import pytest
from rich.console import Console

from automlrank.measurement.latency import Latency
from automlrank.report.cells import show_interval
from automlrank.report.headline import headline
from automlrank.report.leaderboard import Leaderboard
from automlrank.report.sections import equally_fast, measured
from automlrank.runs.recommendation import as_fast
from automlrank.runs.record import Record


def timed(record: Record, low: float | None, high: float | None) -> Record:
    return dataclasses.replace(
        record, latency_ms=dataclasses.replace(record.latency_ms, low=low, high=high)
    )


@pytest.mark.parametrize(
    ("a", "b", "tie"),
    [
        ((1.0, 2.0), (1.5, 3.0), True),
        ((1.0, 2.0), (2.0, 3.0), True),
        ((1.0, 4.0), (2.0, 3.0), True),
        ((1.0, 2.0), (2.1, 3.0), False),
        ((1.0, 2.0), (None, None), False),
    ],
)
def test_overlapping_intervals_are_a_tie(deepfm, a, b, tie):
    one, other = timed(deepfm, *a), timed(deepfm, *b)
    assert as_fast(one, other) is as_fast(other, one) is tie


def test_the_headline_says_that_the_rival_is_as_fast(results, facts, deepfm):
    best = next(r for r in results.records if r.p50 == 4.1)
    known = dataclasses.replace(
        results,
        records=tuple(timed(r, 4.0, 5.1) if r is best else r for r in results.records),
        references=tuple(
            timed(r, 4.9, 5.2) if r.name == "deepfm" else r for r in results.references
        ),
    )
    assert "scores 0.7264 at 5.0 ms (equally fast). The difference" in headline(known, facts)
    assert "equally fast" not in headline(results, facts)
    ties = equally_fast(known)
    assert ties == f"trial {best.number} and deepfm"
    assert ("Equally fast", ties) in measured(known, facts)
    screen = Console(width=120)
    (table,) = Leaderboard(known, facts).__rich_console__(screen, screen.options)
    assert f"Equally fast: {ties}." in str(table.caption)


def test_an_interval_is_shown_where_there_is_one():
    assert show_interval(Latency(4.1, 5.0, 6.0, 4.04, 4.256)) == "4.04 to 4.26"
    assert show_interval(Latency(4.1, 5.0, 6.0)) == show_interval(None) == "-"
