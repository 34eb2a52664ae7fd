"""One worker of a run: it opens what the coordinator wrote and runs trials to the search's end."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import optuna
import torch

from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import RunError
from automlrank.runs.events import Event, Listen, TrainingUpdate, ignore
from automlrank.runs.folder import RunFolder
from automlrank.runs.stop_reasons import INTERRUPTED
from automlrank.space.space import Space
from automlrank.study.objective import Objective
from automlrank.study.study import load_study
from automlrank.study.worker_loop import DEADLINE, STOP, run_trials
from automlrank.workers.progress_file import write_news

LOOK_SECONDS = 2.0  # between two looks at whether the search still runs


class Stopped(KeyboardInterrupt):
    """The coordinator is gone, or has told its workers to end at once."""


class Watched:
    """Listens for another, and every now and then says what it trains and looks for the search.

    Raises Stopped where the search runs no more, which cuts the trial off: it is run again when
    the search goes on.
    """

    def __init__(self, folder: RunFolder, name: str, study: optuna.Study, listen: Listen) -> None:
        self.folder = folder
        self.name = name
        self.study = study
        self.listen = listen
        self.looked = time.monotonic()

    def __call__(self, event: Event) -> None:
        self.listen(event)
        if isinstance(event, TrainingUpdate) and time.monotonic() - self.looked > LOOK_SECONDS:
            self.looked = time.monotonic()
            write_news(self.folder.presence.folder, self.name, event)
            if self.study.user_attrs[STOP] == INTERRUPTED:
                raise Stopped(INTERRUPTED)
            if not self.folder.is_at_work:
                raise Stopped("the coordinator is gone")


def work(
    run: str | Path,
    index: int | None = None,
    name: str | None = None,
    threads: int | None = None,
    listen: Listen = ignore,
) -> str | None:
    """Join the search in a run's folder; gives why it ended before its number of trials.

    ``index`` tells the streams of random numbers of workers apart. Raises RunError where no search
    is at work there.
    """
    folder = RunFolder(run)
    sample_rows = folder.read_run()["sample_rows"]
    if not folder.is_at_work:
        raise RunError(
            f"no search is at work in {run}.", "Continue it: automlrank search --resume."
        )
    index = random.getrandbits(31) if index is None else index
    name = name or f"{index}-{os.getpid()}"
    if threads:
        torch.set_num_threads(threads)
    goal, data = folder.goal(), folder.data()
    if sample_rows is not None:
        data = data.sample(sample_rows, goal.seed)
    with folder.presence.of(name):
        study = load_study(folder, goal, index)
        watched = Watched(folder, name, study, listen)
        bench = Evaluator(data, goal, watched, splits=("valid",))
        if deadline := study.user_attrs[DEADLINE]:
            bench.deadline = time.monotonic() + deadline - time.time()
        space = Space.read(folder.path / "space.yaml")
        try:
            return run_trials(study, Objective(space, bench, folder, study, name))
        except Stopped as stopped:
            return str(stopped)
