"""One trial as plain data: what JSON, the report and a notebook read.

NaN is never written: what is not defined is null.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

from automlrank.errors import Fault, RunError, did_you_mean

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

STATES = ("complete", "pruned", "failed", "over_budget", "duplicate", "reference")
COUNTED = STATES[:-1]


@dataclass(frozen=True)
class Record:
    """One trial, or one reference that the space does not hold.

    ``valid[metric]`` is the search's own score, ``valid[metric + "_mean"]`` that of a finalist
    over its seeds. ``test`` is for finalists: ``metric``, ``metric_low``, ``metric_high`` (95 %),
    ``metric_std`` over ``seeds``, and ``versus``: by another record's fingerprint, the
    difference in the metric on the same rows and its standard error; beside them ``logloss``,
    ``calibration`` (the expected calibration error) and ``calibration_ratio`` (mean prediction
    over rate), ``logloss_recalibrated`` where the loss bends probabilities: with a shift of the
    logits that validation fitted; and ``rows`` where some had no score. ``test["tasks"]`` and
    ``test["scenarios"]`` hold the score, its interval, rows and positives of each part;
    ``test["seesaw"]``, of the best, each part's score by a model trained for it alone.

    ``latency_ms`` has the percentiles of a request; of a finalist those of its second measurement,
    with ``p50_first``, the p50 of its first, beside them.

    ``architecture`` is empty for what is none: boosted trees, the incumbent. ``zero_shares`` are
    those of exact zeros among the weights that FTRL trained and training met, by parameter;
    ``weights`` those that a balance which moves gave each task, epoch by epoch.
    """

    number: int
    state: str
    fingerprint: str
    architecture: Mapping[str, Any]
    summary: str
    valid: Mapping[str, Any] | None = None
    test: Mapping[str, Any] | None = None
    latency_ms: Mapping[str, Any] | None = None
    parameters: int | None = None
    embedding_bytes: int | None = None
    matmul_flops: int | None = None
    seconds: float | None = None
    reason: str | None = None
    name: str | None = None
    duplicate_of: int | None = None
    rows_seen: int | None = None
    zero_shares: Mapping[str, float] | None = None
    weights: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise RunError(f"state must be one of {', '.join(STATES)}, but got {self.state!r}.")

    def score(self, metric: str, split: str = "valid") -> float | None:
        """The metric on ``valid`` or ``test``; None where it is not defined."""
        return number((self.test if split == "test" else self.valid) or {}, metric)

    def choice_score(self, metric: str) -> float | None:
        """The validation score that choices go by: the mean over seeds where there is one."""
        mean = number(self.valid or {}, f"{metric}_mean")
        return self.score(metric) if mean is None else mean

    def latency(self, percentile: str = "p50") -> float | None:
        """Milliseconds per request; None where it was not measured."""
        return number(self.latency_ms or {}, percentile)

    @property
    def is_measured_again(self) -> bool:
        """Whether the latency is a second one, as a finalist's is."""
        return self.latency("p50_first") is not None

    def to_data(self) -> dict[str, Any]:
        """The record as JSON-safe data."""
        return to_data(self)

    @classmethod
    def from_data(cls, data: object) -> Self:
        """A record from its data; raises RunError with every key that is missing or unknown."""
        return cls(**checked(cls, data))


def flat(record: Record) -> dict[str, Any]:
    """A record as one level of columns: ``valid.auc``, ``latency_ms.p50``; no architecture."""
    row: dict[str, Any] = {}
    for key, value in record.to_data().items():
        if key in ("valid", "test", "latency_ms", "zero_shares", "weights"):
            row |= {f"{key}.{k}": v for k, v in (value or {}).items() if not isinstance(v, dict)}
        elif key != "architecture":
            row[key] = value
    return row


def plain(value: object) -> Any:
    """JSON-safe data: NaN and infinity become None, numbers and containers Python's own."""
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
    """A dataclass of plain values as JSON-safe data."""
    return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}


def number(values: Mapping[str, Any], key: str) -> float | None:
    """A value where it is a finite number, else None."""
    value = values.get(key)
    return None if value is None or not math.isfinite(value) else float(value)


def checked(cls: type[DataclassInstance], data: object) -> dict[str, Any]:
    """The data as keyword arguments, once its keys are the fields'."""
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
