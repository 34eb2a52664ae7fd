"""Settings of a search: the options that workers need, and the complete configuration."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, field, fields
from typing import Any, Self

from automlrank.model.serving import RUNTIMES
from automlrank.options.base import Options
from automlrank.options.kinds import choice, duration, number, whole

DEVICES = ("auto", "cpu", "cuda")
SAMPLERS = ("tpe", "evolution", "nsga2", "random")
SPEED, SCORE = "speed", "score"
PREFERENCES = (SPEED, SCORE)
PRUNERS = ("halving", "none")
PATIENCE = 60  # a search of some 50 parameters then ends after some 230 trials
LATENCY_STEPS = 50  # of a budget
GRACE_SECONDS = 60.0  # beyond a trial's time, for a step that does not return


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(Options):
    """Device that models run on."""

    device: str = field(
        default="auto", metadata=choice("Device that models train on and serve from.", DEVICES)
    )


@dataclass(frozen=True, kw_only=True)
class SeedOptions(Options):
    """Random numbers."""

    seed: int = field(
        default=0,
        metadata=whole("Random seed; results repeat exactly with one thread."),
    )


@dataclass(frozen=True, kw_only=True)
class RequestOptions(DeviceOptions):
    """The request whose latency is measured."""

    candidates: int = field(
        default=200, metadata=whole("Number of items that one request scores.", low=1)
    )
    runtime: str = field(
        default="torch", metadata=choice("Runtime used to measure latency.", RUNTIMES)
    )


@dataclass(frozen=True, kw_only=True)
class SearchSettings(SeedOptions, RequestOptions):
    """Settings that each worker of a search needs; all can be given."""

    trials: int = field(
        default=50, metadata=whole("Number of drawn architectures to train.", low=1)
    )
    time: float | None = field(
        default=None,
        metadata=duration("Time limit (90s, 30m, 2h); a third is reserved for the finalists."),
    )
    latency_ms: float | None = field(
        default=None, metadata=number("Latency budget in ms: p50 of one request.")
    )
    sampler: str = field(
        default="tpe", metadata=choice("How architectures are proposed.", SAMPLERS)
    )
    pruner: str = field(
        default="halving", metadata=choice("How unpromising trials are stopped early.", PRUNERS)
    )
    objectives: int = field(
        default=2,
        metadata=whole(
            "2: metric and latency, a front; 1: the metric, with latency as a budget only.",
            among=(1, 2),
        ),
    )
    trial_time: float | None = field(
        default=None, metadata=duration("Time limit of one trial.", metavar="10m")
    )
    patience: int = field(
        default=PATIENCE,
        metadata=whole("Stop after this many trainings without a better front; 0: never."),
    )


@dataclass(frozen=True, kw_only=True)
class SearchConfig(SearchSettings):
    """Settings as data, space and machine complete them; single trainings use it too."""

    metric: str = "auc"
    """Metric that models are scored by."""
    device: str = "cpu"
    """Device, no longer ``auto``."""
    parameters: int | None = None
    """The space's limit on the number of parameters."""
    threads: int = 1
    """Threads used while latency is measured."""

    @classmethod
    def of(cls, options: Options, **completed: Any) -> Self:
        """Return the settings among the options, with those that are completed."""
        names = {item.name for item in fields(cls)}
        given = {name: value for name, value in vars(options).items() if name in names}
        return cls(**given | completed)

    def hangs(self, began: datetime.datetime | None) -> bool:
        """Return True if a trial that began then is far beyond its time: a step does not return."""
        if self.trial_time is None or began is None:
            return False
        age = datetime.datetime.now() - began
        return age.total_seconds() > self.trial_time + GRACE_SECONDS

    def objective_latency(self, p50: float) -> float:
        """Return a p50 as samplers and rungs see it: rounded up to 1/50 of the budget.

        A budget of 30 ms does not tell 0.5 ms from 0.6 ms; if the objective did, every small model
        would be on the front for its latency, and samplers would stay among them.
        """
        if self.latency_ms is None:
            return p50
        step = self.latency_ms / LATENCY_STEPS
        return step * math.ceil(p50 / step)
