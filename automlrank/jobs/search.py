"""The function ``search``: search architectures for a table and return the result."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from automlrank.architecture.shipped import references_for
from automlrank.audit import suspicions
from automlrank.candidates.available_baselines import available_baselines
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.metric_checks import metric_for
from automlrank.candidates.trees import BOOSTED
from automlrank.data.dataset import Dataset
from automlrank.data.read import name_of, only_item
from automlrank.documents import read_json
from automlrank.errors import DocumentError, RunError, UsageError
from automlrank.files import check_new, new_folder, write_text
from automlrank.jobs.feasibility import check_budget
from automlrank.jobs.machine import device_of, machine, versions
from automlrank.jobs.options import SearchOptions
from automlrank.jobs.result import Result
from automlrank.jobs.run import SearchRun
from automlrank.measurement.metric_language import parse_metric
from automlrank.options.call import takes
from automlrank.options.files import record
from automlrank.runs.events import DataReady, Listen, Notice, ignore
from automlrank.runs.folder import RunFolder
from automlrank.runs.run_info import RunInfo
from automlrank.runs.search_config import SearchConfig
from automlrank.schema.score import score_text
from automlrank.space.shipped import as_resumed, left_out, space_for
from automlrank.space.space import Space
from automlrank.study.study import writing
from automlrank.training.trees.distillation import check_teacher
from automlrank.training.trees.params import installed


@dataclass(frozen=True)
class _SearchInput:
    """A search before it starts: its table, its space, its settings."""

    options: SearchOptions
    dataset: Dataset
    space: Space
    config: SearchConfig

    @cached_property
    def suspicions(self) -> tuple[str, ...]:
        """Warnings about the table."""
        return suspicions_of(self.dataset, self.options.max_unknown)

    @property
    def set_aside(self) -> tuple[str, ...]:
        """Columns that may be outcomes and are not used."""
        return self.dataset.inferred.set_aside if self.dataset.inferred else ()


@takes(SearchOptions)
def search(options: SearchOptions) -> Result:
    """Search architectures for a table; write a run's folder and return its Result.

    ``space`` is a file, a shipped name, or a Space. ``time`` and ``trial_time`` are in seconds.
    ``incumbent`` names the column of the current model's score: a reference on the same rows,
    never a feature. With ``sample_rows`` trials see a part of the training rows
    (``Dataset.sample``), finalists all. ``listen`` is called with each event of ``runs.events``.
    Raises UsageError for wrong input.

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
    listen = options.listen or ignore
    _check_given(options)
    folder = _folder(options)
    given = _open(options)
    if options.resume:
        _check_data(folder, given.dataset)
    _tell(given, listen)
    run = _prepared(given, folder, listen, began)
    with writing(folder), folder.locked():
        if folder.exists:
            run = dataclasses.replace(run, facts=_continued(run.facts, folder))
        try:
            return run.to_the_end()
        except KeyboardInterrupt as error:
            if folder.exists:
                error.add_note(f"What was trained is kept. Continue: `{folder.resumed_by}`.")
            raise


def _open(options: SearchOptions) -> _SearchInput:
    """Return the table, the space and the settings; raise UsageError where they do not fit."""
    device = device_of(options.device, options.runtime)
    dataset = Dataset.open(
        options.data,
        options.schema,
        label=options.label,
        joins=options.joins,
        incumbent=options.incumbent,
    )
    space = space_for(dataset.schema, options.space, trees=installed())
    if options.resume and options.out is not None:
        kept = Path(options.out) / "space.yaml"
        space = as_resumed(space, options.space, dataset.schema, kept)
    config = SearchConfig.of(
        options,
        device=device,
        metric=metric_for(dataset.schema, options.metric),
        latency_ms=options.latency_ms or space.limits.latency_ms,
        parameters=space.limits.parameters,
    )
    return _SearchInput(options, dataset, space, config)


def _tell(given: _SearchInput, listen: Listen) -> None:
    """Report the data, and the parts of a named space that cannot be served."""
    dataset, named = given.dataset, given.options.space
    metric = parse_metric(given.config.metric)
    listen(DataReady.of(dataset, metric, given.set_aside, given.suspicions))
    if named is not None and (absent := left_out(given.space, named)):
        listen(
            Notice(f"The table or the machine cannot serve these, left out: {', '.join(absent)}.")
        )


def _prepared(given: _SearchInput, folder: RunFolder, listen: Listen, began: float) -> SearchRun:
    """Return the search, ready to start; raise UsageError for a budget that nothing meets."""
    dataset, space, config = given.dataset, given.space, given.config
    networks = [name for name in space.references if name not in BOOSTED]
    references, skipped = references_for(dataset.schema, networks)
    baselines, unusable = available_baselines(
        dataset.schema, space.references, parse_metric(config.metric)
    )
    rows = given.options.sample_rows
    part = dataset if rows is None else dataset.sample(rows, config.seed)
    evaluator = Evaluator(part, config, listen, splits=("valid", "test"))
    distil = space.distils or any(network.training.distillation for network in references)
    check_teacher(part, needed=distil)
    check_budget(evaluator, space, references)
    facts = _facts(given, skipped | unusable)
    workers = given.options.workers
    return SearchRun(
        evaluator, dataset, space, folder, references, baselines, facts, began, workers
    )


def suspicions_of(dataset: Dataset, max_unknown: float) -> tuple[str, ...]:
    """Return the warnings about a table; they are kept beside the encoded data."""
    kept = dataset.folder / f"suspicions-{max_unknown:g}.json"
    with contextlib.suppress(DocumentError):  # there are none yet, or they are damaged
        known = read_json(kept)
        if isinstance(known, list) and all(isinstance(sentence, str) for sentence in known):
            return tuple(known)
    frame, splits, step = dataset.raw_rows()
    found = suspicions(
        frame,
        dataset.schema,
        splits,
        set_aside=dataset.inferred.set_aside if dataset.inferred else (),
        step=step,
        whole=False,
        unknown=dataset.unknown(max_unknown),
        max_unknown=max_unknown,
    )
    with contextlib.suppress(OSError):  # the next search looks again
        write_text(kept, json.dumps(found, ensure_ascii=False))
    return tuple(found)


def _facts(given: _SearchInput, skipped: Mapping[str, str]) -> RunInfo:
    data, config, options = given.dataset, given.config, given.options
    return RunInfo(
        command=options.command or "automlrank.search(...)",
        seed=config.seed,
        data=data.name,
        data_fingerprint=data.fingerprint,
        metric=config.metric,
        rows=data.rows,
        label_rates=data.label_rates,
        versions=versions(),
        machine=machine(),
        seconds=0.0,
        latency_ms=config.latency_ms,
        sample_rows=options.sample_rows,
        set_aside=given.set_aside,
        suspicions=given.suspicions,
        skipped=skipped,
        score=score_text(data.schema.score) if parse_metric(config.metric).fused else None,
        regression=data.schema.regression_names,
        options=record(options),
    )


def _continued(facts: RunInfo, folder: RunFolder) -> RunInfo:
    """Return the facts of a resumed run, with time, command and end of earlier sessions."""
    known = folder.facts()
    return dataclasses.replace(
        facts,
        seconds=known.seconds,
        command=known.command,
        ended=known.ended,
        processor=known.processor,
    )


def _check_given(options: SearchOptions) -> None:
    """Raise UsageError without data."""
    if isinstance(options.data, Sequence) and not options.data:
        hint = "Give it, or write data: in the file of --config."
        raise UsageError("Missing argument 'DATA'.", hint)


def _folder(options: SearchOptions) -> RunFolder:
    """Return the run's folder: one that can be made, or the one to resume."""
    if options.out is None and options.resume:
        raise RunError("--resume needs the run's folder.", "Give it with --out.")
    if options.out is None:
        date = datetime.date.today().isoformat()
        folder = RunFolder(new_folder("reports", name_of(only_item(options.data)), date))
    else:
        folder = RunFolder(options.out)
    if options.resume:
        folder.facts()
    else:
        check_new(folder.path, "Give another --out, or --resume to continue a run.")
    return folder


def _check_data(folder: RunFolder, dataset: Dataset) -> None:
    """Raise RunError if the run to resume is of other data, or of another version."""
    if folder.facts().data_fingerprint != dataset.fingerprint:
        folder.inputs.check_version()  # which other fingerprints have, too
        hint = "Give the same data, or another --out."
        raise RunError(f"{folder.path} belongs to other data.", hint)
