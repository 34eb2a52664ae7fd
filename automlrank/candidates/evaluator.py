"""Measure and train one architecture: a trial, a reference or a finalist."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cached_property
from typing import Any

from torch import nn

from automlrank.architecture import Architecture
from automlrank.candidates.metric_checks import check_fit
from automlrank.data.dataset import Dataset
from automlrank.data.values import Array
from automlrank.measurement.latency import TRIES, TRY_SECONDS, Call, Latency, measure_latency
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import Metric, metric_of
from automlrank.model.cost import Cost, cost
from automlrank.model.network import RankingModel
from automlrank.model.plan import Plan
from automlrank.model.serving.runtimes import served
from automlrank.model.wiring import wire
from automlrank.runs.events import Listen, Notice, TrainingUpdate
from automlrank.runs.scores import PartScore, SplitScores, finite
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.stop_reasons import TimeIsUp, TookTooLong
from automlrank.schema import Schema
from automlrank.training.checkpoint import Checkpoint
from automlrank.training.loop import fit
from automlrank.training.progress import Progress
from automlrank.training.trained import Trained
from automlrank.training.trees.distillation import is_taught, taught

REQUESTS = 8  # different requests that a latency walks through


class Evaluator:
    """Measures and trains on one data set, with one clock and one listener.

    ``splits`` are the splits to score. Raises UsageError if the metric does not fit the data.
    """

    def __init__(
        self, data: Dataset, config: SearchConfig, listen: Listen, splits: Sequence[str] = ()
    ) -> None:
        check_fit(data, config, splits)
        self.data = data
        self.config = config
        self.metric = parse_metric(config.metric)
        self.listen = listen
        self.deadline: float | None = None
        self._taught: Array | None = None
        self.computed = 0.0  # seconds of this process's processor time in training and scoring

    @cached_property
    def requests(self) -> list[dict[str, Any]]:
        """Requests from across the validation split, on the config's device."""
        step = max(1, self.data.rows["valid"] // REQUESTS)
        batches = (
            self.data.request("valid", self.config.candidates, i * step) for i in range(REQUESTS)
        )
        return [{k: v.to(self.config.device) for k, v in batch.items()} for batch in batches]

    def wire(self, architecture: Architecture) -> Plan:
        """Return the plan of an architecture for the data: its cost is counted, its model built."""
        return wire(architecture, self.data.schema)

    def cost(self, plan: Plan) -> Cost:
        """Return the cost of a plan at the config's number of candidates."""
        return cost(plan, self.data.schema, self.config.candidates)

    def latency(
        self, model: nn.Module, *, tries: int = TRIES, try_seconds: float = TRY_SECONDS
    ) -> Latency:
        with self.served(model) as calls:
            return measure_latency(calls, tries=tries, try_seconds=try_seconds)

    def served(
        self, model: nn.Module, *, repeat_user: bool = False
    ) -> AbstractContextManager[list[Call]]:
        """Open a call for each request, by the config's runtime."""
        model.to(self.config.device)
        return served(
            model,
            self.data.schema,
            self.requests,
            runtime=self.config.runtime,
            threads=self.config.threads,
            repeat_user=repeat_user,
        )

    def train(
        self,
        model: RankingModel,
        architecture: Architecture,
        seed: int,
        what: str,
        watch: Callable[[Progress], None] = lambda progress: None,
        checkpoint: Checkpoint | None = None,
    ) -> Trained:
        """Train to the end, or until ``watch``, which hears of every progress, raises.

        Raises TimeIsUp past the deadline, with the best epoch if one has ended, TookTooLong past a
        trial's time, TrialError if it cannot go on.
        """
        said = self.teacher_predictions() if architecture.training.distillation else None
        began = time.perf_counter()
        config = self.config
        ends: list[Progress] = []
        steps = fit(
            model,
            architecture,
            self.data,
            seed=seed,
            metric=self.metric,
            device=config.device,
            checkpoint=checkpoint,
            said=said,
        )
        try:
            with closing(steps):  # a training that stops here pauses nobody's latency any more
                for progress in self.counted(steps):
                    self.listen(TrainingUpdate(what, architecture.summary, progress))
                    if progress.scores is not None:
                        ends.append(progress)
                    watch(progress)
                    self.check_clock(time.perf_counter() - began)
        except TimeIsUp:
            if not ends:
                raise
            raise TimeIsUp(self._trained(model, ends, began)) from None
        return self._trained(model, ends, began)

    def _trained(self, model: RankingModel, ends: Sequence[Progress], began: float) -> Trained:
        """Return a training that began then, by its epochs; the model has the best weights."""
        return Trained.of(model, ends, self.metric, time.perf_counter() - began)

    def teacher_predictions(self) -> Array:
        """Return the predictions of boosted trees that networks learn from, trained if not kept.

        Raises TimeIsUp past the deadline, TrialError if LightGBM refuses.
        """
        if self._taught is None:
            if not is_taught(self.data):
                rows = f"{self.data.rows['train']:,} rows"
                self.listen(Notice(f"Training LightGBM on {rows} out of fold (distillation)."))
            self._taught = taught(self.data, lambda: self.check_clock(0.0))
        return self._taught

    def counted(self, steps: Iterator[Progress]) -> Iterator[Progress]:
        """Yield the steps, and count the time up to each as computing."""
        while True:
            with self.computing():
                progress = next(steps, None)
            if progress is None:
                return
            yield progress

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Count processor time inside as that of training and scoring."""
        began = time.process_time()
        try:
            yield
        finally:
            self.computed += time.process_time() - began

    def check_clock(self, trial_seconds: float) -> None:
        """Raise TimeIsUp if the search's time is over, TookTooLong if the trial's is."""
        if self.out_of_time():
            raise TimeIsUp
        limit = self.config.trial_time
        if limit is not None and trial_seconds > limit:
            raise TookTooLong(trial_seconds)

    @contextmanager
    def at_most(self, share: float) -> Iterator[None]:
        """Bring the deadline, if there is one, forward to a share of the time until then."""
        before = self.deadline
        if before is not None:
            now = time.monotonic()
            self.deadline = now + share * (before - now)
        try:
            yield
        finally:
            self.deadline = before

    def out_of_time(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def scores(self, trained: Mapping[str, float]) -> SplitScores:
        """Return a training's scores: the metric overall, and that of each task."""
        tasks = by_task(self.metric, self.data.schema, trained)
        return SplitScores(self.metric, finite(self.metric.overall(trained)), tasks)


def by_task(metric: Metric, schema: Schema, scores: Mapping[str, float]) -> dict[str, PartScore]:
    """Return each task's score by the metric of its kind; a fused metric belongs to no task."""
    kinds = {task.name: task.kind for task in schema.tasks}
    return {
        task: PartScore(metric_of(metric, kinds[task]), finite(value))
        for task, value in scores.items()
        if task in kinds
    }
