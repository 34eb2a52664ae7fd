"""Measures and trains one architecture: what trials, references and finalists have in common."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from automlrank.architecture import Architecture
from automlrank.cost import Cost, cost
from automlrank.data.dataset import Dataset
from automlrank.errors import DataError, Fault
from automlrank.evaluate.latency import Latency, measure_latency
from automlrank.model import RankingModel, build_model
from automlrank.train.loop import Progress, fit
from automlrank.trials.events import Listen, Training

REQUESTS = 8  # different requests that a latency walks through


@dataclass(frozen=True)
class Goal:
    """What a search is asked for."""

    metric: str = "auc"
    trials: int = 50
    seconds: float | None = None
    latency_ms: float | None = None
    parameters: int | None = None
    candidates: int = 200
    threads: int = 1
    """Of a latency measurement."""
    device: str = "cpu"
    seed: int = 0


class TimeIsUp(Exception):
    """The search's share of the time ended while a model was being trained."""


@dataclass(frozen=True)
class Trained:
    """A trained model with its best weights, and how it got there."""

    model: RankingModel
    scores: Mapping[str, float]
    curve: list[dict[str, Any]]
    rows: int
    seconds: float


class Bench:
    """The data, the goal, the clock, and who listens."""

    def __init__(self, data: Dataset, goal: Goal, listen: Listen) -> None:
        check_tasks(data)
        self.data = data
        self.goal = goal
        self.listen = listen
        self.deadline: float | None = None

    @cached_property
    def requests(self) -> list[dict[str, Any]]:
        """Requests from across the validation split, on the goal's device."""
        step = max(1, self.data.rows["valid"] // REQUESTS)
        batches = (
            self.data.request("valid", self.goal.candidates, i * step) for i in range(REQUESTS)
        )
        return [{k: v.to(self.goal.device) for k, v in batch.items()} for batch in batches]

    def cost(self, architecture: Architecture) -> Cost:
        return cost(architecture, self.data.schema, self.goal.candidates)

    def latency(self, model: RankingModel) -> Latency:
        model.to(self.goal.device)
        return measure_latency(model, self.requests, self.goal.threads)

    def build(self, architecture: Architecture, seed: int) -> RankingModel:
        return build_model(architecture, self.data.schema, seed)

    def train(
        self, model: RankingModel, architecture: Architecture, seed: int, what: str
    ) -> Trained:
        """Train to the end; raises TimeIsUp past the deadline, TrialError where it cannot go on."""
        began = time.perf_counter()
        curve: list[dict[str, Any]] = []
        goal = self.goal
        steps = fit(
            model, architecture, self.data, seed=seed, metric=goal.metric, device=goal.device
        )
        progress: Progress | None = None
        for progress in steps:
            self.listen(Training(what, architecture.summary, progress))
            if progress.scores is not None:
                curve.append(
                    {
                        "epoch": progress.epoch,
                        "rows": progress.rows,
                        "loss": progress.loss,
                        "seconds": round(progress.seconds, 3),
                        goal.metric: dict(progress.scores),
                    }
                )
            if self.out_of_time():
                raise TimeIsUp
        assert progress is not None
        assert progress.best is not None
        return Trained(model, progress.best, curve, progress.rows, time.perf_counter() - began)

    def out_of_time(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def scores(self, trained: Mapping[str, float]) -> dict[str, Any]:
        """A record's ``valid``: the primary task's metric, and each task's."""
        primary = self.data.schema.tasks[0].name
        metric = self.goal.metric
        return {
            metric: trained[primary],
            "tasks": {task: {metric: value} for task, value in trained.items()},
        }


def check_tasks(data: Dataset) -> None:
    """Raise where a task cannot be trained, or the primary one not be scored, on its splits."""
    faults = [
        Fault(f"only binary tasks can be trained, but {task.name} is a {task.kind}.")
        for task in data.schema.tasks
        if task.kind != "binary"
    ]
    primary = data.schema.tasks[0].name
    faults += [
        Fault(
            f"the {split} split holds one class of {primary} only, so no AUC is defined.",
            hint="Choose another split.",
        )
        for split, rates in data.label_rates.items()
        if rates[primary] in (0.0, 1.0)
    ]
    if faults:
        raise DataError(faults)


def seed_of(base: int, *stream: int) -> int:
    """A seed for one stream of random numbers: never the same for two of them."""
    return int(np.random.SeedSequence([base, *stream]).generate_state(1)[0])
