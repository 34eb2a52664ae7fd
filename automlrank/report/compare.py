"""Differences between two records, each significant or within noise."""

from __future__ import annotations

from dataclasses import dataclass

from automlrank.measurement.significance import Z_95
from automlrank.runs.record import Record
from automlrank.runs.scores import Interval


@dataclass(frozen=True)
class Difference:
    """A difference of test scores."""

    value: float
    real: bool | None
    """True if it is significant at 95 %; None if no spread was measured, or a seed collapsed."""
    unstable: bool = False
    """True if one of the two is unstable: its spread would make it tie with any other."""

    @property
    def verdict(self) -> str:
        """Standing of the difference in two or three words."""
        if self.unstable:
            return "unstable"
        if self.real is None:
            return "spread unknown"
        return "significant" if self.real else "within noise"


def compare(a: Record, b: Record) -> Difference | None:
    """Return ``a - b`` on the test split; None if one of them was not scored there.

    Of an unstable record no difference is real. Else one is real beyond 1.96 standard errors of the
    paired difference. Without one (a single seed shows no spread) it is real only if the separate
    95 % intervals do not overlap.
    """
    score_a, score_b = a.test_score, b.test_score
    if score_a is None or score_b is None:
        return None
    if a.is_unstable or b.is_unstable:
        return Difference(score_a - score_b, None, unstable=True)
    for one, other, sign in ((a, b, 1.0), (b, a, -1.0)):
        value, error = _paired(one, other)
        if value is not None and error is not None:
            return Difference(sign * value, abs(value) > Z_95 * error)
    overlap = interval(a).overlaps(interval(b))
    return Difference(score_a - score_b, None if overlap is None else not overlap)


def interval(record: Record) -> Interval:
    """Return the 95 % interval of the test score."""
    return Interval() if record.test is None else record.test.interval


def _paired(a: Record, b: Record) -> tuple[float | None, float | None]:
    """Return the stored difference ``a - b`` and its standard error."""
    known = None if a.test is None else a.test.versus.get(b.fingerprint)
    return (None, None) if known is None else (known.value, known.error)
