"""Records from a study: what Optuna kept, as the rest of the house reads it."""

from __future__ import annotations

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.runs.record import Record

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
BEGAN = "began"  # a trial's attribute: when its training began (UNIX time)
REPLACED = "replaced"  # the study's attribute with the numbers of trials that a retry replaced
RETRY = "retry"  # a trial's attribute: how often processes died with it
REFERENCE = "reference:"  # prefix of the study's attributes that hold reference records


def record_of(trial: FrozenTrial) -> Record:
    """The record of a finished trial."""
    attrs = trial.user_attrs
    cost = attrs.get("cost", {})
    return Record(
        number=trial.number,
        state=attrs.get("state", STATES[trial.state]),
        fingerprint=attrs.get("fingerprint", ""),
        architecture=attrs.get("architecture", {}),
        summary=attrs.get("summary", ""),
        valid=attrs.get("valid"),
        latency_ms=attrs.get("latency_ms"),
        parameters=cost.get("parameters"),
        embedding_bytes=cost.get("embedding_bytes"),
        matmul_flops=cost.get("matmul_flops"),
        seconds=attrs.get("seconds"),
        reason=attrs.get("reason"),
        name=attrs.get("name"),
        duplicate_of=attrs.get("duplicate_of"),
        rows_seen=attrs.get("rows_seen"),
        zero_shares=attrs.get("zero_shares"),
        weights=attrs.get("weights"),
    )


def trial_records(study: optuna.Study) -> tuple[Record, ...]:
    """The records of all finished trials, but for those that a retry has replaced."""
    trials = study.get_trials(deepcopy=False, states=tuple(STATES))
    replaced = study.user_attrs.get(REPLACED, [])
    return tuple(record_of(trial) for trial in trials if trial.number not in replaced)


def reference_records(study: optuna.Study) -> tuple[Record, ...]:
    """References: those that ran beside the study, and the trials of those inside the space."""
    beside = [
        Record.from_data(data)
        for key, data in study.user_attrs.items()
        if key.startswith(REFERENCE)
    ]
    inside = [record for record in trial_records(study) if record.name]
    return (*beside, *inside)


def begun_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Trials of drawn architectures whose training has begun; what a retry replaced is none."""
    replaced = study.user_attrs.get(REPLACED, [])
    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.user_attrs.get(BEGAN)
        and "name" not in trial.user_attrs
        and trial.number not in replaced
    ]
