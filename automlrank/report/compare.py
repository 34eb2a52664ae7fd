"""Which differences are real, and the sentence that says what the run has shown."""

from __future__ import annotations

from dataclasses import dataclass

from automlrank.measurement.significance import Z_95
from automlrank.runs.record import Record


@dataclass(frozen=True)
class Difference:
    """A difference of test scores; ``real`` is None where no spread was measured."""

    value: float
    real: bool | None

    @property
    def verdict(self) -> str:
        """The difference's standing in two words or three."""
        if self.real is None:
            return "spread unknown"
        return "more than noise" if self.real else "within noise"


def compare(a: Record, b: Record, metric: str) -> Difference | None:
    """``a - b`` on the test split; None where one of them was not scored there.

    Real beyond 1.96 standard errors of the paired difference; without one (a single seed shows
    no spread) only where the separate 95 % intervals do not overlap.
    """
    score_a, score_b = a.score(metric, "test"), b.score(metric, "test")
    if score_a is None or score_b is None:
        return None
    for one, other, sign in ((a, b, 1.0), (b, a, -1.0)):
        value, error = _paired(one, other)
        if value is not None and error is not None:
            return Difference(sign * value, abs(value) > Z_95 * error)
    value = score_a - score_b
    ends_a, ends_b = _interval(a, metric), _interval(b, metric)
    if ends_a is None or ends_b is None:
        return Difference(value, None)
    return Difference(value, ends_a[0] > ends_b[1] or ends_b[0] > ends_a[1])


def as_fast(a: Record, b: Record) -> bool:
    """Whether the intervals of the median latencies overlap: a tie.

    Only what was measured again has one; without both, nothing is called a tie.
    """
    ends = [x.latency(end) for x in (a, b) for end in ("low", "high")]
    low_a, high_a, low_b, high_b = ends
    if low_a is None or high_a is None or low_b is None or high_b is None:
        return False
    return low_a <= high_b and low_b <= high_a


def _paired(a: Record, b: Record) -> tuple[float | None, float | None]:
    """The stored difference ``a - b`` and its standard error."""
    known = ((a.test or {}).get("versus") or {}).get(b.fingerprint)
    return (known[0], known[1]) if known else (None, None)


def _interval(record: Record, metric: str) -> tuple[float, float] | None:
    low, high = record.score(f"{metric}_low", "test"), record.score(f"{metric}_high", "test")
    return None if low is None or high is None else (low, high)
