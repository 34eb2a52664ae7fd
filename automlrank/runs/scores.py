"""Scores of a trained architecture: on validation, and of a finalist on the test split.

A number that is not defined (one class only, one row) is None, never NaN and never .5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from automlrank.measurement.metrics import Metric


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        """Half the width; None if an end is not defined."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def overlaps(self, other: Interval) -> bool | None:
        """Return True if two intervals have a number in common; None if an end is not known."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return None
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class PairedDifference:
    """Difference of two scores on the same rows, and its standard error over rows and seeds."""

    value: float | None
    error: float | None


@dataclass(frozen=True)
class PartScore:
    """Score of one task, on all rows or on the rows of one scenario."""

    metric: Metric
    value: float | None
    interval: Interval | None = None
    rows: int | None = None
    """Number of rows with a label."""
    positives: int | None = None
    """Number of positive rows; None for a regression task."""
    versus: Mapping[str, PairedDifference] | None = None
    """Differences to other finalists, by fingerprint."""


@dataclass(frozen=True)
class Probabilities:
    """Quality of the predictions as probabilities, means over the seeds."""

    logloss: float | None
    calibration: float | None
    """Expected calibration error."""
    calibration_ratio: float | None
    """Mean prediction over the rate of positives."""


@dataclass(frozen=True)
class ScenarioScores:
    """Scores of every task on the rows of one scenario."""

    rows: int
    tasks: Mapping[str, PartScore]


@dataclass(frozen=True)
class SpecialistScore:
    """Scores of the recommended architecture and of a model trained for one part alone."""

    metric: Metric
    whole: float | None
    alone: float | None
    difference: PairedDifference
    """``whole - alone``."""
    seeds: int


@dataclass(frozen=True)
class SplitScores:
    """Scores of one training on a split; of a finalist on validation those of its seeds, too."""

    metric: Metric
    value: float | None
    tasks: Mapping[str, PartScore] = field(default_factory=dict)
    mean: float | None = None
    """Mean of a finalist's seeds, none of which the search chose by."""
    seeds: tuple[float | None, ...] = ()
    """Score of each of these seeds."""
    versus: Mapping[str, PairedDifference] = field(default_factory=dict)
    """Differences of the means to other finalists, by fingerprint; the spread is of all seeds."""
    unstable: bool = False
    """True if the seeds disagree beyond what rows and other finalists explain."""


@dataclass(frozen=True)
class FinalScores:
    """Scores of a finalist on the test split, means over its seeds."""

    metric: Metric
    value: float | None
    seeds: int = 1
    std: float | None = None
    """Standard deviation over the seeds; None for one seed."""
    interval: Interval = Interval()
    """Interval of one trained model: the sampling of test rows alone."""
    tasks: Mapping[str, PartScore] = field(default_factory=dict)
    probabilities: Probabilities | None = None
    """None for a regression task and for scores on a scale of their own."""
    logloss_recalibrated: float | None = None
    """Log loss of logits that are shifted by a number that validation fitted.

    None unless the loss bends probabilities.
    """
    versus: Mapping[str, PairedDifference] = field(default_factory=dict)
    """Differences to other finalists, by fingerprint."""
    by_label: Mapping[str, PartScore] = field(default_factory=dict)
    """Scores of the fused score by the label of each of its tasks; empty for other metrics."""
    rows: int | None = None
    """Number of rows with a score; None if all rows have one."""
    scenarios: Mapping[str, ScenarioScores] = field(default_factory=dict)
    seesaw: Mapping[str, Mapping[str, SpecialistScore]] | None = None
    """Comparisons with specialists by kind and part; None for all but the recommended one."""


@dataclass(frozen=True)
class SeedScores:
    """Metric by task of one training with one seed, as numbers that may be NaN."""

    valid: Mapping[str, float]
    test: Mapping[str, float] = field(default_factory=dict)
    shift: float | None = None
    """Number that validation would add to the primary logits; None unless the loss bends them."""


def finite(value: float | None) -> float | None:
    """Return a number if it is finite, else None."""
    return None if value is None or not math.isfinite(value) else float(value)


def difference_of(pair: tuple[float, float]) -> PairedDifference:
    """Return ``(value, standard error)`` as a value."""
    return PairedDifference(*map(finite, pair))


def interval_of(ends: tuple[float, float]) -> Interval:
    """Return ``(low, high)`` as a value."""
    return Interval(*map(finite, ends))
