"""The function ``worker``: join a run and train trials until the search is over."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import torch

from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import RunError
from automlrank.jobs.machine import device_of
from automlrank.jobs.options import SearchOptions
from automlrank.options.call import collect
from automlrank.options.files import CONFIG
from automlrank.runs.events import Listen, ignore
from automlrank.runs.folder import RUN_FILE, RunFolder
from automlrank.runs.search_config import SearchConfig
from automlrank.study.attributes import StudyAttributes
from automlrank.study.objective import Objective
from automlrank.study.study import load_study
from automlrank.study.worker_loop import run_trials
from automlrank.workers.search_watch import SearchWatch, Stopped


def work(
    run: str | Path,
    index: int | None = None,
    name: str | None = None,
    threads: int | None = None,
    listen: Listen = ignore,
) -> str | None:
    """Join the search in a run's folder; returns the reason if it stops before its last trial.

    ``index`` tells the streams of random numbers of workers apart. Raises RunError if no search
    is at work there.
    """
    folder = RunFolder(run)
    config, sample_rows = config_of(folder), folder.facts().sample_rows
    if not folder.is_at_work:
        raise RunError(f"no search is at work in {run}.", f"Continue it: `{folder.resumed_by}`.")
    index = random.getrandbits(31) if index is None else index
    name = name or f"{index}-{os.getpid()}"
    if threads:
        torch.set_num_threads(threads)
    return _run_trials(folder, config, index, name, sample_rows, listen)


def _run_trials(
    folder: RunFolder,
    config: SearchConfig,
    index: int,
    name: str,
    sample_rows: int | None,
    listen: Listen,
) -> str | None:
    """Run trials under a name, which is also the name of the worker's lock file."""
    data = folder.inputs.dataset(folder.facts().data)
    if sample_rows is not None:
        data = data.sample(sample_rows, config.seed)
    with folder.liveness.of(name):
        study = load_study(folder, config, index)
        watch = SearchWatch(folder, name, study, listen)
        evaluator = Evaluator(data, config, watch, splits=("valid",))
        if deadline := StudyAttributes(study).deadline:
            evaluator.deadline = time.monotonic() + deadline - time.time()
        space = folder.inputs.space()
        try:
            return run_trials(study, Objective(space, evaluator, folder, study, name))
        except Stopped as stopped:
            return str(stopped)


def config_of(folder: RunFolder) -> SearchConfig:
    """Return the settings that a run's search has, from its ``run.yaml``."""
    known, space = folder.facts(), folder.inputs.space()
    options = collect(SearchOptions, {CONFIG: folder.path / RUN_FILE})
    return SearchConfig.of(
        options,
        device=device_of(options.device, options.runtime),
        metric=known.metric,
        latency_ms=known.latency_ms,
        parameters=space.limits.parameters,
    )
