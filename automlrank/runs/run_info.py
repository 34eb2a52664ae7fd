"""What a run was: what its report says beside the results, what ``run.yaml`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from automlrank.runs.record import checked, to_data


@dataclass(frozen=True)
class RunInfo:
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
    sample_rows: int | None = None
    """Of the training rows, that trials saw; None is all."""
    set_aside: tuple[str, ...] = ()
    """Columns that may be outcomes and were not used."""
    suspicions: tuple[str, ...] = ()
    """Sentences on what looks wrong in the data."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """References that could not run, and why."""
    score: str | None = None
    """The schema's fused score, where the metric is of it."""
    regression: tuple[str, ...] = ()
    """The tasks whose label has a mean, and no rate."""
    ended: str | None = None
    """Why the search ended, where it was not its number of trials."""
    processor: tuple[float, float] | None = None
    """Seconds of processor time of the workers: in training and scoring, and in all."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the last session, as a file of options holds them."""

    def to_data(self) -> dict[str, Any]:
        """The facts as YAML- and JSON-safe data."""
        return to_data(self)

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Facts from their data; raises RunError with every key that is missing or unknown."""
        values = checked(cls, data)
        for key in ("set_aside", "suspicions", "regression"):
            values[key] = tuple(values.get(key, ()))
        if values.get("processor"):
            values["processor"] = tuple(values["processor"])
        return cls(**values)
