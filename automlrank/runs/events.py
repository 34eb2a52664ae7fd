"""What a search tells whoever listens: plain values, drawn elsewhere."""

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
    """The store is open."""

    name: str
    rows: Mapping[str, int]
    label_rates: Mapping[str, Mapping[str, float | None]]
    set_aside: tuple[str, ...]
    suspicions: tuple[str, ...] = ()
    regression: tuple[str, ...] = ()
    """The tasks whose label has a mean, and no rate."""
    metric: Metric = AUC
    """Metric that models are scored by; derived from the tasks unless given."""

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
            data.name, data.rows, data.label_rates, set_aside, suspicions, regression, metric
        )


@dataclass(frozen=True)
class Feasibility:
    """Before any training: which references fit the budget, what share of draws does."""

    budget_ms: float
    references_ms: Mapping[str, float]
    draws_ms: tuple[float, ...]

    @property
    def share(self) -> float:
        """The share of random draws within the budget."""
        return sum(ms <= self.budget_ms for ms in self.draws_ms) / len(self.draws_ms)


@dataclass(frozen=True)
class TrainingUpdate:
    """A model is being trained: a trial's, a reference's or a finalist's."""

    what: str
    summary: str
    progress: Progress
    worker: str = ""
    """Whose training it is; "" is this process's own."""


@dataclass(frozen=True)
class TrialEnded:
    """A trial or a reference has its record; ``records`` are all so far."""

    record: Record
    records: tuple[Record, ...]
    trained: int
    """Trainings begun of drawn architectures: what ``--trials`` counts."""


@dataclass(frozen=True)
class Notice:
    """A sentence for the reader."""

    text: str


Event = DataReady | Feasibility | TrainingUpdate | TrialEnded | Notice
Listen = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
