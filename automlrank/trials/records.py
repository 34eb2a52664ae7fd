"""What a run leaves behind as plain data: its trials, its references, its facts.

``Results.to_data`` is the JSON that ``automlrank report --format json`` prints and
``front.json`` holds; ``RunFacts.to_data`` is what ``run.yaml`` holds. NaN is never written: what
is not defined is null.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

from automlrank.errors import BudgetError, Fault, RunError, did_you_mean
from automlrank.evaluate.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

STATES = ("complete", "pruned", "failed", "over_budget", "duplicate", "reference")
COUNTED = STATES[:-1]


@dataclass(frozen=True)
class Record:
    """One trial, or one reference that the space does not hold.

    ``valid[metric]`` is the search's own score, ``valid[metric + "_mean"]`` that of a finalist
    over its seeds. ``test`` is for finalists: ``metric``, ``metric_low``, ``metric_high`` (95 %),
    ``metric_std`` over ``seeds``, and ``versus``: by another record's fingerprint, the
    difference in AUC on the same rows and its standard error.
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

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise RunError(f"state must be one of {', '.join(STATES)}, but got {self.state!r}.")

    def score(self, metric: str, split: str = "valid") -> float | None:
        """The metric on ``valid`` or ``test``; None where it is not defined."""
        return _number((self.test if split == "test" else self.valid) or {}, metric)

    def choice_score(self, metric: str) -> float | None:
        """The validation score that choices go by: the mean over seeds where there is one."""
        mean = _number(self.valid or {}, f"{metric}_mean")
        return self.score(metric) if mean is None else mean

    def latency(self, percentile: str = "p50") -> float | None:
        """Milliseconds per request; None where it was not measured."""
        return _number(self.latency_ms or {}, percentile)

    def to_data(self) -> dict[str, Any]:
        """The record as JSON-safe data."""
        return _to_data(self)

    @classmethod
    def from_data(cls, data: object) -> Self:
        """A record from its data; raises RunError with every key that is missing or unknown."""
        return cls(**_checked(cls, data))


@dataclass(frozen=True)
class Results:
    """All records of a run; ``references`` holds each reference, be it a trial too or not."""

    metric: str
    latency: Mapping[str, Any]
    records: tuple[Record, ...]
    references: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise RunError(f"unknown metric {self.metric!r}.", did_you_mean(self.metric, METRICS))

    @property
    def counts(self) -> dict[str, int]:
        """Trials by state."""
        seen = Counter(record.state for record in self.records)
        return {state: seen[state] for state in COUNTED}

    @property
    def complete(self) -> tuple[Record, ...]:
        """Trials that were trained to the end and have both a score and a latency."""
        return tuple(
            record
            for record in self.records
            if record.state == "complete"
            and record.score(self.metric) is not None
            and record.latency() is not None
        )

    @property
    def front(self) -> tuple[Record, ...]:
        """Complete trials that no other beats in both metric and p50 latency, fastest first."""
        known = self.complete
        scores = [record.score(self.metric) or 0.0 for record in known]
        times = [record.latency() or 0.0 for record in known]
        return tuple(known[i] for i in pareto(scores, times, up=METRICS[self.metric].up))

    @property
    def finalists(self) -> tuple[Record, ...]:
        """Complete trials that were scored on the test split, references among them."""
        return tuple(
            r for r in self.complete if r.test and r.score(self.metric, "test") is not None
        )

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial, nested values as flat columns."""
        import pandas as pd

        return pd.DataFrame([flat(record) for record in self.records]).convert_dtypes()

    def is_reference(self, record: Record) -> bool:
        """Whether a record is one of the references, or the trial of one."""
        return any(record.fingerprint == reference.fingerprint for reference in self.references)

    def within(self, max_latency_ms: float | None) -> tuple[Record, ...]:
        """The finalists whose p50 fits, best validation score first; else the front's."""
        for group in (self.finalists, self.front):
            fits = [
                record
                for record in group
                if max_latency_ms is None or (record.latency() or 0.0) <= max_latency_ms
            ]
            if fits:
                sign = -1 if METRICS[self.metric].up else 1
                key = {id(r): sign * (r.choice_score(self.metric) or 0.0) for r in fits}
                return tuple(sorted(fits, key=lambda r: (key[id(r)], r.latency(), r.number)))
        return ()

    def best(self, max_latency_ms: float | None = None) -> Record:
        """The best finalist within a p50 latency, chosen on validation: test stays unseen.

        Raises RunError without a complete trial, BudgetError where none is fast enough.
        """
        fits = self.within(max_latency_ms)
        if fits:
            return fits[0]
        if not self.complete:
            raise RunError("a best trial needs a complete one, but the run has none.")
        quickest = min(self.complete, key=lambda record: record.latency() or 0.0)
        raise BudgetError(
            f"no complete trial takes {max_latency_ms:g} ms or less.",
            f"The fastest, trial {quickest.number}, takes {quickest.latency():.1f} ms.",
        )

    def to_data(self) -> dict[str, Any]:
        """The JSON contract of ``automlrank report --format json``."""
        return {
            "metric": self.metric,
            "latency": plain(self.latency),
            "counts": self.counts,
            "front": [record.to_data() for record in self.front],
            "references": [record.to_data() for record in self.references],
            "trials": [record.to_data() for record in self.records],
        }

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Results from their JSON; front and counts follow from the trials."""
        if not isinstance(data, Mapping):
            raise RunError(f"results must be a mapping, but got {type(data).__name__}.")
        missing = [k for k in ("metric", "latency", "references", "trials") if k not in data]
        if missing:
            raise RunError([Fault(f"results: {key!r} is missing.") for key in missing])
        return cls(
            metric=data["metric"],
            latency=data["latency"],
            records=tuple(Record.from_data(item) for item in data["trials"]),
            references=tuple(Record.from_data(item) for item in data["references"]),
        )


@dataclass(frozen=True)
class RunFacts:
    """What a run was: what its report says beside the results, what ``run.yaml`` holds."""

    command: str
    seed: int
    data: str
    data_fingerprint: str
    metric: str
    rows: Mapping[str, int]
    """Rows by split."""
    label_rates: Mapping[str, Mapping[str, float | None]]
    """Mean label by split, then task."""
    versions: Mapping[str, str]
    machine: str
    seconds: float
    latency_ms: float | None = None
    """The budget."""
    set_aside: tuple[str, ...] = ()
    """Columns that may be outcomes and were not used."""
    suspicions: tuple[str, ...] = ()
    """Sentences on what looks wrong in the data."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """References that could not run, and why."""
    ended: str | None = None
    """Why the search ended, where it was not its number of trials."""

    def to_data(self) -> dict[str, Any]:
        """The facts as YAML- and JSON-safe data."""
        return _to_data(self)

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Facts from their data; raises RunError with every key that is missing or unknown."""
        values = _checked(cls, data)
        for key in ("set_aside", "suspicions"):
            values[key] = tuple(values.get(key, ()))
        return cls(**values)


def pareto(scores: Sequence[float], times: Sequence[float], *, up: bool) -> list[int]:
    """Indices of the points that no other beats, by time: one sweep after a sort.

    A point is beaten by one that is at least as good in both and better in one; equal points
    stand together. ``up``: more score is better; less time always is.
    """
    sign = -1.0 if up else 1.0
    order = sorted(range(len(scores)), key=lambda i: (times[i], sign * scores[i]))
    front: list[int] = []
    for i in order:
        if front:
            last = front[-1]
            same = scores[i] == scores[last] and times[i] == times[last]
            if not same and sign * scores[i] >= sign * scores[last]:
                continue
        front.append(i)
    return front


def flat(record: Record) -> dict[str, Any]:
    """A record as one level of columns: ``valid.auc``, ``latency_ms.p50``; no architecture."""
    row: dict[str, Any] = {}
    for key, value in record.to_data().items():
        if key in ("valid", "test", "latency_ms"):
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


def _to_data(value: Record | RunFacts) -> dict[str, Any]:
    return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}


def _number(values: Mapping[str, Any], key: str) -> float | None:
    value = values.get(key)
    return None if value is None or not math.isfinite(value) else float(value)


def _checked(cls: type[Record | RunFacts], data: object) -> dict[str, Any]:
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
