"""Order of the leaderboard: by significant differences, and among ties by speed."""

from __future__ import annotations

import math

from automlrank.measurement.metrics import Metric
from automlrank.report.compare import compare
from automlrank.runs.record import Record
from automlrank.runs.results import Results

RANKS = (
    "rank: by test; a lower rank only if one of the rank above is significantly better "
    "(95 %, same rows, seeds). Equal ranks are ties, the faster first. "
    "An unstable one has none."
)

PROBABILITIES = ("log loss", "calibration")  # headings of columns that only probabilities have


def ranked(results: Results) -> list[Record]:
    """Return the front, the finalists and the references, each once, in order.

    Records with a test score are ordered by rank, then by p50 latency; the rest follows by
    validation score.
    """
    places = ranks(results)
    sign = -1.0 if results.metric.up else 1.0

    def key(record: Record) -> tuple[float, float, int]:
        place = places.get(record.fingerprint, math.inf)
        score = record.choice_score
        unscored = math.inf if score is None else sign * score
        latency = record.p50 or math.inf
        return place, unscored if place == math.inf else latency, record.number

    return sorted(_candidates(results).values(), key=key)


def ranks(results: Results) -> dict[str, int]:
    """Return the rank of every stable record with a test score, by fingerprint.

    Rank 1 holds the records that no other significantly beats, rank 2 those that no other left
    significantly beats, and so on. Two of one rank are a tie; a record stands above all that it
    significantly beats; each below rank 1 is significantly beaten by one of the rank above. Ties
    are not transitive (a = b = c, yet a > c): a pair of different ranks may be a tie.
    """
    left = [r for r in _candidates(results).values() if r.test_score is not None]
    left = [record for record in left if not record.is_unstable]
    places: dict[str, int] = {}
    rank = 1
    while left:
        top = [r for r in left if not any(really_beats(s, r, results.metric) for s in left)]
        places |= {record.fingerprint: rank for record in top}
        left = [record for record in left if record.fingerprint not in places]
        rank += 1
    return places


def really_beats(a: Record, b: Record, metric: Metric) -> bool:
    """Return True if ``a`` is significantly better than ``b`` on the test split."""
    difference = compare(a, b)
    one, other = a.test_score, b.test_score
    if difference is None or one is None or other is None:
        return False
    return difference.real is True and metric.better(one, other)


def has_probabilities(results: Results) -> bool:
    """Return True if any record has log loss and calibration; a regression has none."""
    return any(r.test and r.test.probabilities for r in _candidates(results).values())


def _candidates(results: Results) -> dict[str, Record]:
    return {
        record.fingerprint: record
        for record in (*results.references, *results.finalists, *results.front)
    }
