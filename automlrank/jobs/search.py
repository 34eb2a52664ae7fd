"""The main job: a table in, a front of architectures and its report out."""

from __future__ import annotations

import dataclasses
import datetime
import json
import time as clock
from collections.abc import Sequence
from pathlib import Path

from automlrank.architecture.shipped import references_for
from automlrank.audit import suspicions
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.metric_checks import metric_for
from automlrank.candidates.outsiders import outsiders
from automlrank.candidates.trees import BOOSTED
from automlrank.data.dataset import AsSchema, Dataset
from automlrank.data.read import Data
from automlrank.errors import RunError, UsageError
from automlrank.files import check_new, new_folder, write_text
from automlrank.jobs.feasibility import check_budget
from automlrank.jobs.machine import device_of, machine, versions
from automlrank.jobs.result import Result
from automlrank.jobs.run import SearchRun
from automlrank.measurement.metric_language import parse_metric
from automlrank.runs.events import DataReady, Listen, Notice, ignore
from automlrank.runs.folder import RunFolder
from automlrank.runs.run_info import RunInfo
from automlrank.runs.search_config import PATIENCE, SearchConfig
from automlrank.schema.score import score_text
from automlrank.space.shipped import AsSpace, as_resumed, left_out, space_for
from automlrank.study.study import writing
from automlrank.training.trees.distillation import check_teacher
from automlrank.training.trees.params import installed


def search(
    data: Data,
    schema: AsSchema = None,
    space: AsSpace | None = None,
    *,
    label: str | None = None,
    joins: Sequence[str] = (),
    incumbent: str | None = None,
    trials: int = 50,
    time: float | None = None,
    latency_ms: float | None = None,
    candidates: int = 200,
    metric: str | None = None,
    sample_rows: int | None = None,
    runtime: str = "torch",
    device: str = "auto",
    workers: int = 1,
    sampler: str = "tpe",
    pruner: str = "halving",
    objectives: int = 2,
    trial_time: float | None = None,
    patience: int = PATIENCE,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    command: str | None = None,
    listen: Listen = ignore,
) -> Result:
    """Search architectures for a table; writes a run's folder and gives its Result.

    ``space`` is a file, a shipped name, or a Space; ``time`` is in seconds and covers
    everything, a third of it kept for the finalists; with ``sample_rows`` trials see a part of the
    training rows (``Dataset.sample``), finalists all. ``metric`` is that of the primary task unless
    told: auc, or rmse of a regression task. ``incumbent`` is the column of the present
    model's score: a reference on the same rows, no feature. Raises UsageError for what a person
    can mend.

    >>> import automlrank, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame(rng.integers(9, size=(4000, 2)), columns=["user", "item"])
    >>> frame["click"] = (rng.random(4000) < frame["item"] / 10).astype(int)
    >>> space = {"name": "small", "references": ["lr"], "interaction": {"mlp": {"depth": [1, 2]}}}
    >>> result = automlrank.search(frame, label="click", space=space, trials=1, out="run")
    >>> result.best().valid_score > 0.6
    True
    """
    began = clock.monotonic()
    goal = SearchConfig(
        metric=metric or SearchConfig.metric,  # the tasks will say
        trials=trials,
        seconds=time,
        latency_ms=latency_ms,
        candidates=candidates,
        runtime=runtime,
        device=device_of(device),
        seed=seed,
        sampler=sampler,
        pruner=pruner,
        objectives=objectives,
        trial_seconds=trial_time,
        patience=patience,
    )
    for name, number in (("sample-rows", sample_rows), ("workers", workers)):
        if number is not None and number < 1:
            raise UsageError(f"--{name} must be 1 or more, but got {number}.")
    dataset = Dataset.open(data, schema, label=label, joins=joins, incumbent=incumbent)
    chosen = space_for(dataset.schema, space, trees=installed())
    if resume and out is not None:
        chosen = as_resumed(chosen, space, dataset.schema, Path(out) / "space.yaml")
    limits = chosen.limits
    goal = dataclasses.replace(
        goal,
        metric=metric_for(dataset.schema, metric),
        latency_ms=latency_ms or limits.latency_ms,
        parameters=limits.parameters,
    )
    folder = _folder(out, dataset, resume)
    set_aside = dataset.inferred.set_aside if dataset.inferred else ()
    suspicions = suspicions_of(dataset)
    listen(DataReady.of(dataset, parse_metric(goal.metric), set_aside, suspicions))
    if space is not None and (absent := left_out(chosen, space)):
        listen(
            Notice(f"What the table or the machine cannot serve is left out: {', '.join(absent)}.")
        )
    networks = [name for name in chosen.references if name not in BOOSTED]
    references, skipped = references_for(dataset.schema, networks)
    rivals, unusable = outsiders(dataset.schema, chosen.references, parse_metric(goal.metric))
    skipped |= unusable
    part = dataset if sample_rows is None else dataset.sample(sample_rows, goal.seed)
    bench = Evaluator(part, goal, listen, splits=("valid", "test"))
    distil = chosen.distils or any(network.training.distillation for network in references)
    check_teacher(part, needed=distil)
    check_budget(bench, chosen, references)
    facts = _facts(dataset, goal, command, sample_rows)
    facts = dataclasses.replace(facts, set_aside=set_aside, suspicions=suspicions, skipped=skipped)
    with folder.locked(), writing(folder):
        if folder.exists:
            known = folder.read_run()
            facts = dataclasses.replace(facts, seconds=known["seconds"], command=known["command"])
        else:
            folder.create(dataset, chosen, facts.to_data())
        run = SearchRun(bench, dataset, chosen, folder, references, rivals, facts, began, workers)
        return run.to_the_end()


def suspicions_of(dataset: Dataset) -> tuple[str, ...]:
    """What looks wrong in the table; kept beside the encoded data, so that it is found once."""
    kept = dataset.folder / "suspicions.json"
    if not kept.exists():
        frame, splits, step = dataset.raw_rows()
        set_aside = dataset.inferred.set_aside if dataset.inferred else ()
        found = suspicions(frame, dataset.schema, splits, set_aside=set_aside, step=step)
        write_text(kept, json.dumps(found, ensure_ascii=False))
    return tuple(json.loads(kept.read_text(encoding="utf-8")))


def _facts(
    data: Dataset, goal: SearchConfig, command: str | None, sample_rows: int | None
) -> RunInfo:
    return RunInfo(
        command=command or "automlrank.search(...)",
        seed=goal.seed,
        data=data.name,
        data_fingerprint=data.fingerprint,
        metric=goal.metric,
        rows=data.rows,
        label_rates=data.label_rates,
        versions=versions(),
        machine=machine(),
        seconds=0.0,
        latency_ms=goal.latency_ms,
        sample_rows=sample_rows,
        score=score_text(data.schema.score) if parse_metric(goal.metric).fused else None,
        regression=data.schema.regression_names,
    )


def _folder(out: str | Path | None, dataset: Dataset, resume: bool) -> RunFolder:
    """The run's folder: a new one, or the one to resume."""
    if out is None:
        if resume:
            raise RunError("--resume needs the run's folder.", "Give it with --out.")
        date = datetime.date.today().isoformat()
        return RunFolder(new_folder("reports", dataset.name, date))
    folder = RunFolder(out)
    if resume:
        known = folder.read_run().get("data_fingerprint")
        if known != dataset.fingerprint:
            raise RunError(f"{out} belongs to other data.", "Give the same data, or another --out.")
    else:
        check_new(folder.path, "Give another --out, or --resume to continue a run.")
    return folder
