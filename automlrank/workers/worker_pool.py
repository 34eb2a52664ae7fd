"""Supervise the worker processes of a search: restart dead workers, report their trials."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState

from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import TrialError
from automlrank.runs.events import Notice, TrainingUpdate
from automlrank.runs.liveness import Liveness
from automlrank.runs.stop_reasons import INTERRUPTED
from automlrank.study.attributes import StudyAttributes, TrialAttributes
from automlrank.study.retries import retry_cut_off, retry_dead
from automlrank.study.worker_loop import standing_of, trial_ended
from automlrank.workers.launcher import LocalLauncher, Worker
from automlrank.workers.progress_file import read_progress

POLL_SECONDS = 0.5
DEATHS_IN_A_ROW = 3  # for each worker, without a trial that ended


class WorkerPool:
    """The worker processes of a search, managed by its coordinator."""

    def __init__(
        self,
        study: optuna.Study,
        evaluator: Evaluator,
        launcher: LocalLauncher,
        liveness: Liveness,
    ) -> None:
        self.study = study
        self.evaluator = evaluator
        self.launcher = launcher
        self.liveness = liveness
        self.told = {trial.number for trial in self.finished()}
        self.progress: dict[int, TrainingUpdate] = {}
        self.deaths = 0
        self.polled = time.monotonic()

    def start(self, indices: Iterable[int]) -> None:
        """Start workers unless the search is over."""
        for index in indices:
            if not standing_of(self.study, self.evaluator).is_over:
                self.launcher.start(index)

    def poll(self) -> None:
        """Check the workers if the last check was some time ago."""
        if time.monotonic() - self.polled < POLL_SECONDS:
            return
        self.tell_ended()
        self.tell_trainings()
        for worker in self.launcher.ended():
            self.after(worker)
        own = {worker.name for worker in self.launcher.workers}
        retry_dead(self.study, self.liveness, but=own)  # trials of workers that joined
        self.kill_hanging()
        self.polled = time.monotonic()

    def to_the_end(self) -> str | None:
        """Wait for every worker; returns the reason if they stopped before the number of trials."""
        while self.launcher.workers:
            time.sleep(POLL_SECONDS)
            self.poll()
        self.tell_ended()
        return standing_of(self.study, self.evaluator).reason

    def stop(self, reason: str = INTERRUPTED) -> None:
        """Stop all workers: at their next step, or by a kill."""
        try:
            StudyAttributes(self.study).stop = reason
        except StorageInternalError:  # workers that wrote at this moment, or a full disk
            self.launcher.terminate()
        self.launcher.stop()

    def after(self, worker: Worker) -> None:
        """Queue the trials of a worker that died again, and start another in its place."""
        if worker.process.returncode == 0:
            return
        self.deaths += 1
        again = retry_cut_off(self.study, self.liveness)
        self.evaluator.listen(
            Notice(
                f"Worker {worker.index} stopped with exit code {worker.process.returncode} "
                f"({worker.last_words}); trials that start again: {again}."
            )
        )
        if self.deaths > DEATHS_IN_A_ROW * self.launcher.n:
            self.stop()
            raise TrialError(f"every worker dies soon after its start: see {worker.log}")
        if not standing_of(self.study, self.evaluator).is_over:
            self.launcher.start(worker.index)

    def kill_hanging(self) -> None:
        """Kill the worker of a trial that is far beyond its time: its steps do not return."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            worker = TrialAttributes(trial).worker
            if worker is not None and self.evaluator.config.hangs(trial.datetime_start):
                self.launcher.kill(worker)

    def tell_ended(self) -> None:
        """Report the trials that have finished since the last check."""
        for trial in self.finished():
            if trial.number not in self.told:
                self.told.add(trial.number)
                if not TrialAttributes(trial).cut_off:
                    self.deaths = 0
                self.evaluator.listen(trial_ended(self.study, trial))

    def tell_trainings(self) -> None:
        """Report the progress of each worker's training where it is new."""
        for worker in self.launcher.workers:
            training = read_progress(self.liveness.folder, worker.name)
            if training and training != self.progress.get(worker.index):
                self.progress[worker.index] = training
                self.evaluator.listen(dataclasses.replace(training, worker=str(worker.index)))

    def finished(self) -> list[FrozenTrial]:
        return [t for t in self.study.get_trials(deepcopy=False) if t.state.is_finished()]
