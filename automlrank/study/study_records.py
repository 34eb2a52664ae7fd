"""Records from a study: the trials and references that Optuna keeps, as plain values."""

from __future__ import annotations

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.candidates.evaluator import Evaluator
from automlrank.measurement.latency import ROUNDS, TRIES
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.score_data import read_latency, read_split_scores
from automlrank.study.attributes import StudyAttributes, TrialAttributes

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def record_of(trial: FrozenTrial) -> Record:
    """Return the record of a finished trial."""
    attributes = TrialAttributes(trial)
    cost, latency = attributes.cost or {}, attributes.latency_ms
    return Record(
        number=trial.number,
        state=attributes.state or STATES[trial.state],
        fingerprint=attributes.fingerprint or "",
        architecture=attributes.architecture or {},
        summary=attributes.summary or "",
        valid=None if attributes.valid is None else read_split_scores(attributes.valid),
        latency_ms=None if latency is None else read_latency(latency),
        parameters=cost.get("parameters"),
        embedding_bytes=cost.get("embedding_bytes"),
        matmul_flops=cost.get("matmul_flops"),
        seconds=attributes.seconds,
        reason=attributes.reason,
        name=attributes.name,
        duplicate_of=attributes.duplicate_of,
        rows_seen=attributes.rows_seen,
        zero_shares=attributes.zero_shares,
        weights=attributes.weights,
    )


def trial_records(study: optuna.Study) -> tuple[Record, ...]:
    """Return the records of all finished trials, without those that a retry replaced."""
    trials = study.get_trials(deepcopy=False, states=tuple(STATES))
    replaced = StudyAttributes(study).replaced or ()
    return tuple(record_of(trial) for trial in trials if trial.number not in replaced)


def reference_records(study: optuna.Study) -> tuple[Record, ...]:
    """Return the records of references: beside the study, and trials of those inside the space."""
    beside = (Record.from_data(data) for data in StudyAttributes(study).references)
    inside = (record for record in trial_records(study) if record.name)
    return (*beside, *inside)


def all_records(study: optuna.Study) -> tuple[Record, ...]:
    """Return the records of references, then of trials."""
    return (*reference_records(study), *trial_records(study))


def begun_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials of drawn architectures whose training has begun, a retry once."""
    replaced = StudyAttributes(study).replaced or ()
    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if (attributes := TrialAttributes(trial)).began
        and not attributes.is_reference
        and trial.number not in replaced
    ]


def trainings(study: optuna.Study, *, ended: bool = False) -> int:
    """Return the number of started, or finished, trainings of drawn architectures."""
    begun = begun_trials(study)
    return sum(trial.state.is_finished() or not ended for trial in begun)


def processor_seconds(study: optuna.Study) -> tuple[float, float] | None:
    """Return all workers' seconds in training and scoring, and in all; None before any trial."""
    pairs = StudyAttributes(study).processor
    return (sum(p[0] for p in pairs), sum(p[1] for p in pairs)) if pairs else None


def results_of(study: optuna.Study, evaluator: Evaluator) -> Results:
    """Return the results of a search, without the finalists' scores."""
    config = evaluator.config
    latency = {
        "candidates": config.candidates,
        "threads": config.threads,
        "runtime": config.runtime,
        "device": config.device,
        "tries": TRIES,
        "rounds": ROUNDS,
    }
    return Results(evaluator.metric, latency, trial_records(study), reference_records(study))
