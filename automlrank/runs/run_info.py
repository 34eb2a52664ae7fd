"""Facts of a run beside its results: the content of ``run.yaml``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from automlrank.errors import RunError
from automlrank.runs.field_types import check_fields
from automlrank.runs.record import checked, to_data
from automlrank.runs.search_config import SPEED


@dataclass(frozen=True)
class RunInfo:
    """Facts of a run beside its results, as ``run.yaml`` holds them and the report shows them."""

    command: str
    seed: int
    data: str
    data_fingerprint: str
    metric: str
    rows: Mapping[str, int]
    """Number of rows by split."""
    label_rates: Mapping[str, Mapping[str, float | None]]
    """Mean label by split, then task."""
    versions: Mapping[str, str]
    machine: str
    seconds: float
    latency_ms: float | None = None
    """Latency budget."""
    sample_rows: int | None = None
    """Number of training rows that trials saw; None means all."""
    set_aside: tuple[str, ...] = ()
    """Columns that may be outcomes and were not used."""
    suspicions: tuple[str, ...] = ()
    """Warnings about the data, one sentence each."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """References that could not run, with the reason."""
    score: str | None = None
    """The schema's fused score, if the metric judges it."""
    regression: tuple[str, ...] = ()
    """Names of the regression tasks."""
    ended: str | None = None
    """Reason why the search stopped before its number of trials; None otherwise."""
    processor: tuple[float, float] | None = None
    """Processor seconds of the workers: in training and scoring, and in total."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the last session, as a file of options holds them."""

    @property
    def prefer(self) -> str:
        """Preference by which one finalist is recommended."""
        return str(self.options.get("prefer", SPEED))

    def preferring(self, prefer: str | None) -> Self:
        """Return the facts with another preference, if one is given."""
        if prefer is None:
            return self
        return dataclasses.replace(self, options={**self.options, "prefer": prefer})

    def to_data(self) -> dict[str, Any]:
        """Return the facts as YAML- and JSON-safe data."""
        return to_data(self)

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Return facts from their data; raises RunError with every fault."""
        values = checked(cls, data)
        for key in ("set_aside", "suspicions", "regression", "processor"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        facts = cls(**values)
        try:
            check_fields(facts)
        except TypeError as error:
            raise RunError(f"run facts: {error}.") from None
        return facts
