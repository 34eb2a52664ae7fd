"""Recommendation of one finalist, by validation alone: the test split stays unread.

A finalist ties with the highest score unless it lies more than ``1.75 / sqrt(k)`` standard errors
below it, of k finalists: the error is that of the difference on the same rows, over seeds. The
fastest of a tie is recommended; among those as fast, the one with the smallest embedding.

The usual 1.96 would ask for proof of a loss, and the fastest of many is likely to be a lucky one:
three fresh seeds on other rows then show it to be worse in one search of six. With ``1.75 /
sqrt(k)`` they confirm it in 95 % of searches, whether 2, 5 or 8 stand for choice
(``benchmarks/quality/recommendation.py``, docs/numbers.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from automlrank.measurement.metrics import Metric
from automlrank.runs.record import Record
from automlrank.runs.search_config import SCORE, SPEED

TIE = 1.75  # standard errors over the root of the number of finalists


@dataclass(frozen=True)
class Recommendation:
    """The recommended record, beside the one that the other preference would take."""

    highest: Record
    """The highest validation score, the mean over seeds if there is one."""
    fastest: Record
    """The fastest of those that tie with it."""
    prefer: str = SPEED

    @classmethod
    def among(
        cls, candidates: Sequence[Record], metric: Metric, prefer: str = SPEED
    ) -> Self | None:
        """Return the recommendation among stable candidates; None if there are none."""
        if not candidates:
            return None
        best, *_ = ordered = by_score(candidates, metric)
        equal = [one for one in ordered if ties(one, best, len(ordered), metric)]
        return cls(best, fastest(equal), prefer)

    @property
    def recommended(self) -> Record:
        """The record that headline, ``Result.best`` and ``export`` take."""
        return self.highest if self.prefer == SCORE else self.fastest

    @property
    def other(self) -> Record | None:
        """The record that the other preference would take; None if it is the same."""
        if self.highest.fingerprint == self.fastest.fingerprint:
            return None
        return self.fastest if self.prefer == SCORE else self.highest


def by_score(records: Sequence[Record], metric: Metric) -> list[Record]:
    """Return records by their validation score, the best first; of equal ones the faster."""
    sign = -1.0 if metric.up else 1.0
    return sorted(records, key=lambda r: (sign * (r.choice_score or 0.0), r.p50 or 0.0, r.number))


def ties(record: Record, best: Record, count: int, metric: Metric) -> bool:
    """Return True if a record is not really worse than the best one of so many on validation.

    Without a measured spread between seeds nothing ties but an equal score.
    """
    if record.fingerprint == best.fingerprint:
        return True
    known = None if record.valid is None else record.valid.versus.get(best.fingerprint)
    if known is None or known.value is None or known.error is None:
        return record.choice_score == best.choice_score
    lost = -known.value if metric.up else known.value
    return lost <= TIE / math.sqrt(count) * known.error


def fastest(records: Sequence[Record]) -> Record:
    """Return the fastest record; among those as fast the one with the smallest embedding."""
    first = min(records, key=lambda record: (record.p50 or 0.0, record.number))
    equal = [first, *(r for r in records if r is not first and as_fast(r, first))]
    return min(equal, key=lambda r: (r.embedding_bytes or 0, r.p50 or 0.0, r.number))


def as_fast(a: Record, b: Record) -> bool:
    """Return True if the intervals of the median latencies overlap: a tie.

    Only a latency that was measured again has an interval; without both there is no tie.
    """
    return a.latency_interval.overlaps(b.latency_interval) is True
