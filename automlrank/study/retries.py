"""Find trials interrupted by a kill, Ctrl-C or a full disk, and queue them again."""

from __future__ import annotations

import datetime
import time
from collections.abc import Collection

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.candidates.evaluator import Evaluator
from automlrank.runs.events import Notice
from automlrank.runs.liveness import Liveness
from automlrank.study.attributes import StudyAttributes, TrialAttributes

DRAWING_SECONDS = 60.0  # until a trial without a worker's name counts as cut off
LOOK_SECONDS = 0.3  # between two looks at trials of workers that joined
RETRIES = 2  # of a trial whose process dies: the trial itself may be what kills it


def retry_cut_off(study: optuna.Study, liveness: Liveness) -> int:
    """Queue every trial that was cut off again; returns their number.

    A retry continues with the seed, and from the checkpoint, of the trial that it replaces; after
    ``RETRIES`` a trial whose process dies has failed. Only a coordinator may call this.
    """
    replaced = StudyAttributes(study).replaced or ()
    ended = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.PRUNED, TrialState.FAIL))
        if trial.number not in replaced and TrialAttributes(trial).cut_off
    ]
    for trial in ended:
        retry(study, trial)
    return len(ended) + retry_dead(study, liveness)


def retry_dead(study: optuna.Study, liveness: Liveness, but: Collection[str] = ()) -> int:
    """Queue every running trial again whose worker, none of ``but``, is dead."""
    dead = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if TrialAttributes(trial).worker not in but and is_dead(study, trial, liveness)
    ]
    for trial in dead:
        retry(study, trial)
    return len(dead)


def retry(study: optuna.Study, trial: FrozenTrial) -> None:
    """Queue again a trial whose process died or was interrupted."""
    attributes = TrialAttributes(trial)
    died = trial.state == TrialState.RUNNING
    deaths = (attributes.retry or 0) + died
    if deaths > RETRIES:
        live = optuna.trial.Trial(study, trial._trial_id)
        TrialAttributes(live).reason = f"its process died {deaths} times"
    else:
        params = trial.system_attrs.get("fixed_params", trial.params)  # a reference's are whole
        study.enqueue_trial(params, user_attrs=attributes.for_retry(deaths))
        StudyAttributes(study).replace(trial.number)
    if died:
        study.tell(trial.number, state=TrialState.FAIL)


def is_dead(study: optuna.Study, trial: FrozenTrial, liveness: Liveness) -> bool:
    """Return True if a running trial's worker is no longer alive.

    A trial without a worker's name is being drawn, for some time and as long as any worker is
    alive. The worker may have ended the trial, and itself, since the trial was read: it is read
    again.
    """
    worker = TrialAttributes(trial).worker
    gone = _was_abandoned(trial, liveness) if worker is None else not liveness.is_alive(worker)
    if not gone:
        return False
    now = study.get_trials(deepcopy=False)[trial.number]
    return now.state == TrialState.RUNNING and TrialAttributes(now).worker == worker


def _was_abandoned(trial: FrozenTrial, liveness: Liveness) -> bool:
    """Return True if no worker will put its name to a trial any more."""
    began = trial.datetime_start or datetime.datetime.now()
    age = datetime.datetime.now() - began
    return age.total_seconds() > DRAWING_SECONDS or not liveness.is_anybody_alive()


def wait_for_joined(study: optuna.Study, liveness: Liveness, evaluator: Evaluator) -> None:
    """Wait until the last trial of every live worker has finished; workers that joined may train.

    A trial far beyond its time hangs: it is not waited for.
    """
    told = False
    while not evaluator.out_of_time() and _is_anything_training(study, liveness, evaluator):
        if not told:
            evaluator.listen(Notice("Waiting for the last trials of workers that joined."))
            told = True
        time.sleep(LOOK_SECONDS)


def _is_anything_training(study: optuna.Study, liveness: Liveness, evaluator: Evaluator) -> bool:
    return any(
        not is_dead(study, trial, liveness) and not evaluator.config.hangs(trial.datetime_start)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    )
