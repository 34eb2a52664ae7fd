"""Several workers at one search: kept at work, their dead replaced, their trials told of."""

from __future__ import annotations

import dataclasses
import time

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import TrialError
from automlrank.runs.events import Notice, TrainingUpdate
from automlrank.runs.liveness import Liveness
from automlrank.runs.stop_reasons import INTERRUPTED
from automlrank.study.study import retry_cut_off, retry_dead, worker_of
from automlrank.study.worker_loop import STOP, standing_of, trial_ended
from automlrank.workers.launcher import LocalLauncher, Worker
from automlrank.workers.progress_file import read_news

POLL_SECONDS = 0.5
DEATHS_IN_A_ROW = 3  # for each worker, without a trial that ended


class WorkerPool:
    """The coordinator's side: it trains nothing that a worker can."""

    def __init__(
        self, study: optuna.Study, bench: Evaluator, launcher: LocalLauncher, presence: Liveness
    ) -> None:
        self.study = study
        self.bench = bench
        self.launcher = launcher
        self.presence = presence
        self.told = {trial.number for trial in self.finished()}
        self.news: dict[int, TrainingUpdate] = {}
        self.deaths = 0
        self.polled = time.monotonic()

    def start(self) -> None:
        for index in range(self.launcher.n):
            self.launcher.start(index)

    def poll(self) -> None:
        """Look after the workers, if that is due."""
        if time.monotonic() - self.polled < POLL_SECONDS:
            return
        self.tell_ended()
        self.tell_trainings()
        for worker in self.launcher.ended():
            self.after(worker)
        mine = {worker.name for worker in self.launcher.workers}
        retry_dead(self.study, self.presence, but=mine)  # those of workers that joined
        self.end_hanging()
        self.polled = time.monotonic()

    def to_the_end(self) -> str | None:
        """Until every worker has ended; gives why before the number of trials, or None."""
        while self.launcher.workers:
            time.sleep(POLL_SECONDS)
            self.poll()
        self.tell_ended()
        return standing_of(self.study, self.bench).reason

    def stop(self, reason: str = INTERRUPTED) -> None:
        """End all workers: at their next step, or by a kill."""
        self.study.set_user_attr(STOP, reason)
        self.launcher.stop()

    def after(self, worker: Worker) -> None:
        """A worker that died leaves a trial to be run again, and its place to another."""
        if worker.process.returncode == 0:
            return
        self.deaths += 1
        again = retry_cut_off(self.study, self.presence)
        self.bench.listen(
            Notice(
                f"Worker {worker.index} ended with {worker.process.returncode} "
                f"({worker.last_words}); trials that begin again: {again}."
            )
        )
        if self.deaths > DEATHS_IN_A_ROW * self.launcher.n:
            self.stop()
            raise TrialError(f"workers die one after the other: see {worker.log}")
        if not standing_of(self.study, self.bench).is_over:
            self.launcher.start(worker.index)

    def end_hanging(self) -> None:
        """Kill the worker of a trial that is far beyond its time: its steps do not return."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if self.bench.goal.hangs(trial.datetime_start):
                self.launcher.kill(worker_of(trial))

    def tell_ended(self) -> None:
        """Tell of the trials that ended since."""
        for trial in self.finished():
            if trial.number not in self.told:
                self.told.add(trial.number)
                if "cut_off" not in trial.user_attrs:
                    self.deaths = 0
                self.bench.listen(trial_ended(self.study, trial))

    def tell_trainings(self) -> None:
        """Tell of what each worker trains, where it has something new to say."""
        for worker in self.launcher.workers:
            training = read_news(self.presence.folder, worker.name)
            if training and training != self.news.get(worker.index):
                self.news[worker.index] = training
                self.bench.listen(dataclasses.replace(training, worker=str(worker.index)))

    def finished(self) -> list[FrozenTrial]:
        return [t for t in self.study.get_trials(deepcopy=False) if t.state.is_finished()]
