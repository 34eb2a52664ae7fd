"""Events of a search: plain values that a listener shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from automlrank.data.dataset import Dataset
from automlrank.measurement.metrics import AUC, Metric
from automlrank.runs.record import Record
from automlrank.training.progress import Progress


@dataclass(frozen=True)
class DataReady:
    """The encoded table is ready."""

    name: str
    rows: Mapping[str, int]
    label_rates: Mapping[str, Mapping[str, float | None]]
    set_aside: tuple[str, ...]
    suspicions: tuple[str, ...] = ()
    regression: tuple[str, ...] = ()
    """Tasks of regression: their label has a mean, not a rate."""
    metric: Metric = AUC
    """Metric that models are scored by; derived from the tasks unless given."""
    notes: tuple[str, ...] = ()
    """Sentences on what was decided and done when the table was read."""

    @classmethod
    def of(
        cls,
        data: Dataset,
        metric: Metric,
        set_aside: tuple[str, ...] = (),
        suspicions: tuple[str, ...] = (),
    ) -> Self:
        regression = data.schema.regression_names
        return cls(
            data.name,
            data.rows,
            data.label_rates,
            set_aside,
            suspicions,
            regression,
            metric,
            data.notes,
        )


@dataclass(frozen=True)
class Feasibility:
    """Latencies of the references and of some random draws, before any training."""

    budget_ms: float
    references_ms: Mapping[str, float]
    draws_ms: tuple[float, ...]

    @property
    def share(self) -> float:
        """Share of random draws within the budget."""
        return sum(ms <= self.budget_ms for ms in self.draws_ms) / len(self.draws_ms)


@dataclass(frozen=True)
class TrainingUpdate:
    """A model is being trained: a trial's, a reference's or a finalist's."""

    what: str
    summary: str
    progress: Progress
    worker: str = ""
    """Index of the worker that trains; empty for this process."""


@dataclass(frozen=True)
class TrialEnded:
    """A trial or a reference has its record; ``records`` are all so far."""

    record: Record
    records: tuple[Record, ...]
    trained: int
    """Number of finished trainings, as ``--trials`` counts them."""


@dataclass(frozen=True)
class Notice:
    """A sentence for the reader."""

    text: str


Event = DataReady | Feasibility | TrainingUpdate | TrialEnded | Notice
Listen = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to an event without doing anything."""
