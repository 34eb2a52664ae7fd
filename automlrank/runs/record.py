"""One trial as a value, and its JSON.

NaN is never written: a number that is not defined is null.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

from automlrank.errors import Fault, RunError, did_you_mean, reason_of, shown
from automlrank.measurement.latency import Latency
from automlrank.runs.field_types import check_fields
from automlrank.runs.score_data import (
    final_scores_data,
    latency_data,
    read_final_scores,
    read_latency,
    read_split_scores,
    split_scores_data,
)
from automlrank.runs.scores import FinalScores, Interval, SplitScores, finite

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

STATES = ("complete", "pruned", "failed", "over_budget", "time_up", "duplicate", "reference")
COUNTED = STATES[:-1]


@dataclass(frozen=True)
class Record:
    """One trial, or one reference that the space does not hold."""

    number: int
    """Number of the trial; below 0 for a reference outside the space."""
    state: str
    fingerprint: str
    architecture: Mapping[str, Any]
    """The architecture as data; empty for boosted trees and the incumbent."""
    summary: str
    valid: SplitScores | None = None
    test: FinalScores | None = None
    """Scores on the test split, for finalists only."""
    latency_ms: Latency | None = None
    """Latency of a request; of a finalist that of its second measurement."""
    parameters: int | None = None
    embedding_bytes: int | None = None
    matmul_flops: int | None = None
    seconds: float | None = None
    """Time that the trial took."""
    reason: str | None = None
    """Reason why it was not trained to the end."""
    name: str | None = None
    """Name of the reference, if it is one."""
    duplicate_of: int | None = None
    """Number of the earlier trial of the same architecture."""
    rows_seen: int | None = None
    """Training rows seen, over all epochs."""
    zero_shares: Mapping[str, float] | None = None
    """Share of exact zeros among the weights that FTRL trained and training met, by parameter."""
    weights: Mapping[str, Sequence[float]] | None = None
    """Weights that an adaptive balance gave each task, epoch by epoch; None without one."""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise RunError(f"state must be one of {', '.join(STATES)}, but got {self.state!r}.")

    @property
    def valid_score(self) -> float | None:
        """The search's own score on validation; None if it is not defined."""
        return None if self.valid is None else finite(self.valid.value)

    @property
    def test_score(self) -> float | None:
        """The score on the test split; None if it is not defined."""
        return None if self.test is None else finite(self.test.value)

    def score_on(self, split: str) -> float | None:
        """Return the score on ``valid`` or ``test``; None if it is not defined."""
        return self.test_score if split == "test" else self.valid_score

    @property
    def choice_score(self) -> float | None:
        """The validation score that choices go by: the mean over seeds if there is one."""
        mean = None if self.valid is None else finite(self.valid.mean)
        return self.valid_score if mean is None else mean

    @property
    def p50(self) -> float | None:
        """Median latency of a request in milliseconds; None if it was not measured."""
        return None if self.latency_ms is None else finite(self.latency_ms.p50)

    @property
    def first_p50(self) -> float | None:
        """Median latency of the first measurement; None if it was not measured."""
        first = None if self.latency_ms is None else finite(self.latency_ms.p50_first)
        return self.p50 if first is None else first

    @property
    def latency_interval(self) -> Interval:
        """Interval of the median latency, known if it was measured again."""
        latency = self.latency_ms
        return Interval() if latency is None else Interval(latency.low, latency.high)

    @property
    def is_unstable(self) -> bool:
        """True if the seeds of a finalist disagree beyond what rows and peers explain."""
        return self.valid is not None and self.valid.unstable

    @property
    def is_measured_again(self) -> bool:
        """True if the latency is a second one, as a finalist's is."""
        return self.latency_ms is not None and self.latency_ms.p50_first is not None

    def to_data(self) -> dict[str, Any]:
        """Return the record as JSON-safe data."""
        typed = {
            "valid": self.valid and split_scores_data(self.valid),
            "test": self.test and final_scores_data(self.test),
            "latency_ms": self.latency_ms and latency_data(self.latency_ms),
        }
        return {f.name: plain(typed.get(f.name, getattr(self, f.name))) for f in fields(self)}

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Return a record from its data; raises RunError with every unknown or missing key."""
        values = checked(cls, data)
        try:
            record = cls(**{**values, **_typed(values)})
            check_fields(record)
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
            problem = f"trial {shown(values['number'])} cannot be read: {reason_of(error)}."
            raise RunError(problem) from error
        return record


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores and the latency of a record's data as values, if it has them."""
    found: dict[str, Any] = {}
    if values.get("valid") is not None:
        found["valid"] = read_split_scores(values["valid"])
        if values.get("test") is not None:
            found["test"] = read_final_scores(values["test"], found["valid"].metric)
    if values.get("latency_ms") is not None:
        found["latency_ms"] = read_latency(values["latency_ms"])
    return found


def flat(record: Record) -> dict[str, Any]:
    """Return a record as one level of columns: ``valid.auc``, ``latency_ms.p50``."""
    row: dict[str, Any] = {}
    for key, value in record.to_data().items():
        if key in ("valid", "test", "latency_ms", "zero_shares", "weights"):
            row |= {f"{key}.{k}": v for k, v in (value or {}).items() if not isinstance(v, dict)}
        elif key != "architecture":
            row[key] = value
    return row


def plain(value: object) -> Any:
    """Return JSON-safe data: NaN and infinity become None, numbers and containers Python's own."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"a record holds plain data, but got {type(value).__name__}.")


def to_data(value: DataclassInstance) -> dict[str, Any]:
    """Return a dataclass of plain values as JSON-safe data."""
    return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}


def checked(cls: type[DataclassInstance], data: object) -> dict[str, Any]:
    """Return the data as keyword arguments; raises RunError unless its keys are the fields."""
    noun = "a trial" if cls is Record else "run facts"
    if not isinstance(data, Mapping):
        raise RunError(f"{noun} must be a mapping, but got {type(data).__name__}.")
    known = {f.name: f for f in dataclasses.fields(cls)}
    faults = [
        Fault(f"{noun}: unknown key {key!r}.", hint=did_you_mean(key, known))
        for key in data
        if key not in known
    ]
    for name, item in known.items():
        needed = item.default is dataclasses.MISSING is item.default_factory
        if needed and name not in data:
            faults.append(Fault(f"{noun}: {name!r} is missing."))
    if faults:
        raise RunError(faults)
    return dict(data)
