"""What a search is asked for."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

from automlrank.errors import UsageError, did_you_mean
from automlrank.measurement.metric_language import FUSED_NAMES, parse_metric
from automlrank.measurement.metrics import METRICS
from automlrank.serving.runtimes import check_runtime

SAMPLERS = ("tpe", "evolution", "nsga2", "random")
PRUNERS = ("halving", "none")
PATIENCE = 60  # a search of some 50 parameters then ends after some 230 trials
LATENCY_STEPS = 50  # of a budget
GRACE_SECONDS = 60.0  # beyond a trial's time, for a step that does not return


@dataclass(frozen=True)
class SearchConfig:
    """What a search is asked for; raises UsageError for what it cannot be."""

    metric: str = "auc"
    trials: int = 50
    seconds: float | None = None
    latency_ms: float | None = None
    parameters: int | None = None
    candidates: int = 200
    threads: int = 1
    """Of a latency measurement."""
    runtime: str = "torch"
    """That a latency is measured by."""
    device: str = "cpu"
    seed: int = 0
    sampler: str = "tpe"
    pruner: str = "halving"
    objectives: int = 2
    """Metric and latency, or the metric alone with the latency as a constraint."""
    trial_seconds: float | None = None
    """The most that a trial may take."""
    patience: int = PATIENCE
    """Trainings without a larger hypervolume that end the search; 0 is never."""

    def __post_init__(self) -> None:
        try:
            parse_metric(self.metric)
        except ValueError as error:
            raise UsageError(
                str(error), did_you_mean(self.metric, (*METRICS, *FUSED_NAMES))
            ) from None
        known = {"sampler": SAMPLERS, "pruner": PRUNERS}
        for kind, names in known.items():
            name = getattr(self, kind)
            if name not in names:
                raise UsageError(f"no {kind} {name!r}.", did_you_mean(name, names))
        check_runtime(self.runtime, self.device)
        lowest = {"trials": 1, "candidates": 1, "threads": 1, "seed": 0, "patience": 0}
        for name, low in lowest.items():
            if getattr(self, name) < low:
                raise UsageError(f"--{name} must be {low} or more, but got {getattr(self, name)}.")
        if self.objectives not in (1, 2):
            raise UsageError(f"--objectives must be 1 or 2, but got {self.objectives}.")
        amounts = {
            "time": self.seconds,
            "latency-ms": self.latency_ms,
            "trial-time": self.trial_seconds,
        }
        for name, amount in amounts.items():
            if amount is not None and not amount > 0:
                raise UsageError(f"--{name} must be above 0, but got {amount}.")

    def hangs(self, began: datetime.datetime | None) -> bool:
        """Whether a trial that began then is far beyond its time: its steps do not return."""
        if self.trial_seconds is None or began is None:
            return False
        age = datetime.datetime.now() - began
        return age.total_seconds() > self.trial_seconds + GRACE_SECONDS

    def objective_latency(self, p50: float) -> float:
        """A p50 as samplers and rungs see it: rounded up to whole steps of 1/50 of the budget.

        To whoever has 30 ms, 0.5 ms and 0.6 ms are the same; told apart, every small model would be
        on the front for its latency, and samplers would stay among them.
        """
        if self.latency_ms is None:
            return p50
        step = self.latency_ms / LATENCY_STEPS
        return step * math.ceil(p50 / step)
