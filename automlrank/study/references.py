"""References: queued as trials if the space contains them, else trained beside the study."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import optuna

from automlrank.architecture import Architecture
from automlrank.candidates.baseline import Baseline, BaselineRun
from automlrank.candidates.evaluator import Evaluator
from automlrank.candidates.networks import NetworkBaseline
from automlrank.errors import reason_of
from automlrank.runs.folder import RunFolder
from automlrank.runs.record import Record
from automlrank.runs.seeds import seed_of
from automlrank.runs.stop_reasons import FAILURES, TimeIsUp, TookTooLong
from automlrank.space.space import Space
from automlrank.study.attributes import StudyAttributes, TrialAttributes
from automlrank.study.suggest import params_of

TIME_SHARE = 0.1  # of the time left for trials, that one reference may take
REFERENCE_SEEDS = 2  # the stream of seeds that references beside the study train with


def enqueue_references(
    study: optuna.Study, space: Space, references: Sequence[Architecture]
) -> list[Architecture]:
    """Queue the references that lie inside the space; returns those that lie outside."""
    outside = []
    for reference in references:
        params = params_of(space, reference)
        if params is None:
            outside.append(reference)
        else:
            attributes = TrialAttributes.for_reference(reference.name)
            study.enqueue_trial(params, user_attrs=attributes, skip_if_exists=True)
    return outside


def run_reference(
    study: optuna.Study, evaluator: Evaluator, folder: RunFolder, baseline: Baseline, number: int
) -> Record:
    """Train a reference outside the space, once; the study keeps its record."""
    attributes = StudyAttributes(study)
    if (known := attributes.reference(baseline.name)) is not None:
        return Record.from_data(known)
    record = _trained(evaluator, folder, baseline, number)
    attributes.keep_reference(baseline.name, record.to_data())
    return record


def _trained(evaluator: Evaluator, folder: RunFolder, baseline: Baseline, number: int) -> Record:
    began = time.perf_counter()
    seed = seed_of(evaluator.config.seed, REFERENCE_SEEDS, number)
    outcome: dict[str, Any] = {}
    try:
        outcome |= baseline.cost(evaluator)
        run = _in_time(evaluator, baseline, seed)
        latency = run.latency()
        outcome |= {"latency_ms": latency, **run.facts}
        outcome["valid"] = evaluator.scores(run.scores("valid"))
        run.keep(folder)
    except FAILURES as error:
        outcome["reason"] = reason_of(error)
    return Record(
        number=-1 - number,
        state="reference",
        fingerprint=baseline.fingerprint,
        architecture=baseline.architecture,
        summary=baseline.summary,
        name=baseline.name,
        seconds=round(time.perf_counter() - began, 3),
        **outcome,
    )


def _in_time(evaluator: Evaluator, baseline: Baseline, seed: int) -> BaselineRun:
    """Return a reference's training; of a network that takes too long its best epoch.

    Raises TookTooLong before a whole validation, TimeIsUp past the search's deadline.
    """
    began = time.perf_counter()
    try:
        with evaluator.at_most(TIME_SHARE):
            return baseline.train(evaluator, seed, baseline.name)
    except TimeIsUp as ended:
        if ended.reached is not None and isinstance(baseline, NetworkBaseline):
            return baseline.run_of(evaluator, ended.reached)
        if evaluator.out_of_time():
            raise
        raise TookTooLong(time.perf_counter() - began) from None
