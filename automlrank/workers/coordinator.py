"""The coordinator of a search: it runs references and trials, itself or by worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import optuna

from automlrank.architecture import Architecture
from automlrank.candidates.baseline import Baseline
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.networks import NetworkBaseline
from automlrank.errors import UsageError, reason_of
from automlrank.model.serving.runtimes import torch_threads
from automlrank.runs.events import Event, Notice, TrialEnded
from automlrank.runs.folder import RunFolder
from automlrank.runs.stop_reasons import FAILURES, INTERRUPTED, TIME_UP, TimeIsUp
from automlrank.space.space import Space
from automlrank.study.first_draws import enqueue_start
from automlrank.study.objective import Objective
from automlrank.study.references import enqueue_references, run_reference
from automlrank.study.retries import retry_cut_off, retry_dead, wait_for_joined
from automlrank.study.study_records import all_records, trainings
from automlrank.study.worker_loop import begin_session, run_trials
from automlrank.workers.launcher import LocalLauncher
from automlrank.workers.worker_pool import WorkerPool

TEACHING_SHARE = 1 / 2  # of the trials' time, for the trees of distillation before the first trial
NO_TEACHER = "a space with distillation at 0: automlrank space show NAME writes a shipped one."
NAME = "coordinator"  # its name among the workers, if it runs trials itself


@dataclass(frozen=True)
class Coordinator:
    """Runs the references and trials of one search."""

    study: optuna.Study
    evaluator: Evaluator
    space: Space
    folder: RunFolder
    references: Sequence[Architecture]
    """References that are architectures, inside the space or outside."""
    baselines: Sequence[Baseline]
    """References that are no architecture."""
    workers: int

    def run(self) -> str | None:
        """Run references, then trials; returns the reason if they stop before their number."""
        outside = self.begin()
        try:
            self.teach()
            return self.run_all((*map(NetworkBaseline, outside), *self.baselines))
        except TimeIsUp:
            return TIME_UP
        except KeyboardInterrupt:
            return INTERRUPTED

    def begin(self) -> list[Architecture]:
        """Queue what this session begins with; returns the references outside the space."""
        evaluator = self.evaluator
        begin_session(self.study, evaluator)
        again = retry_cut_off(self.study, self.folder.liveness)
        if again:
            evaluator.listen(Notice(f"Interrupted trials that start again: {again}."))
        outside = enqueue_references(self.study, self.space, self.references)
        enqueue_start(self.study, self.space, evaluator.config, self.price)
        return outside

    def price(self, architecture: Architecture) -> float:
        """Return the FLOPs of a request."""
        return self.evaluator.cost(self.evaluator.wire(architecture)).matmul_flops

    def teach(self) -> None:
        """Train the trees of distillation before the first trial: no trial's time pays for them.

        Raises UsageError if they take half of the trials' time, or cannot be trained.
        """
        if not self.space.distils:
            return
        try:
            with self.evaluator.at_most(TEACHING_SHARE):
                self.evaluator.teacher_predictions()
        except TimeIsUp:
            problem = "the trees of distillation took half of the trials' time."
            raise UsageError(problem, f"Give more --time, or {NO_TEACHER}") from None
        except FAILURES as error:
            raise UsageError(f"{reason_of(error)}.", f"Take {NO_TEACHER}") from error

    def run_all(self, baselines: Sequence[Baseline]) -> str | None:
        """Run baselines and trials, here or in processes of their own, which can be killed."""
        if self.workers > 1 or self.evaluator.config.trial_time:
            return self.with_joined(partial(self.by_workers, baselines))
        self.run_baselines(baselines, self.evaluator)
        self.evaluator.computed = 0.0  # only a worker's own trials count
        return self.with_joined(partial(self.by_myself, time.process_time()))

    def with_joined(self, work: Callable[[], str | None]) -> str | None:
        """Repeat ``work`` until workers that joined have stopped and their lost trials have run."""
        liveness = self.folder.liveness
        while True:
            stopped = work()
            wait_for_joined(self.study, liveness, self.evaluator)
            if stopped or not retry_dead(self.study, liveness):
                return stopped

    def by_myself(self, since: float) -> str | None:
        """Run trials in this process, beside workers that may have joined."""
        liveness = self.folder.liveness
        with liveness.of(NAME):
            objective = Objective(self.space, self.evaluator, self.folder, self.study, NAME)
            poll = partial(retry_dead, self.study, liveness)
            return run_trials(self.study, objective, since, poll)

    def by_workers(self, baselines: Sequence[Baseline]) -> str | None:
        """Run trials in processes of their own; baselines run here in the last one's place."""
        launcher = LocalLauncher(self.folder.path, self.workers, self.evaluator.config.device)
        pool = WorkerPool(self.study, self.evaluator, launcher, self.folder.liveness)
        listen = self.evaluator.listen

        def listen_and_poll(event: Event) -> None:
            listen(event)
            pool.poll()

        first = self.workers - bool(baselines)  # no more processes at work than workers
        try:
            pool.start(range(first))
            with torch_threads(launcher.threads):
                evaluator = Evaluator(self.evaluator.data, self.evaluator.config, listen_and_poll)
                evaluator.deadline = self.evaluator.deadline
                self.run_baselines(baselines, evaluator)
            pool.start(range(first, self.workers))
            return pool.to_the_end()
        except BaseException:
            pool.stop()
            raise

    def run_baselines(self, baselines: Sequence[Baseline], evaluator: Evaluator) -> None:
        """Train references outside the space; each keeps its number in a resumed run."""
        names = [reference.name for reference in self.references]
        names += [baseline.name for baseline in self.baselines]
        for baseline in baselines:
            number = names.index(baseline.name)
            record = run_reference(self.study, evaluator, self.folder, baseline, number)
            trained = trainings(self.study, ended=True)
            evaluator.listen(TrialEnded(record, all_records(self.study), trained))
