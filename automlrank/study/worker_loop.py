"""The loop of every worker: one trial after another until the search is over."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.candidates.evaluator import Evaluator
from automlrank.runs.events import TrialEnded
from automlrank.runs.stop_reasons import FAILURES, TIME_UP
from automlrank.study.attributes import StudyAttributes, TrialAttributes
from automlrank.study.objective import Objective
from automlrank.study.patience import has_no_patience_left
from automlrank.study.study_records import all_records, record_of, trainings

DRAWS_PER_TRIAL = 20  # beyond it, new draws are all known: the space is exhausted
WAIT_SECONDS = 0.3  # until it is known if another worker's draw is trained
EXHAUSTED = "the space is exhausted: new draws are all known, or over a limit"


@dataclass(frozen=True)
class Standing:
    """State of a search as a worker sees it: over, to be waited for, or with trials to run."""

    is_over: bool
    reason: str | None = None
    """Reason why it is over before its number of trials, or None."""
    waits: bool = False
    """True if others' draws may complete the number of trials."""


def begin_session(study: optuna.Study, evaluator: Evaluator) -> None:
    """Publish to all workers the session's first trial, its deadline, and that nothing stops it."""
    left = evaluator.deadline - time.monotonic() if evaluator.deadline else None
    attributes = StudyAttributes(study)
    attributes.deadline = time.time() + left if left is not None else 0.0
    attributes.drawn_before = len(study.get_trials(deepcopy=False))
    attributes.stop = ""


def run_trials(
    study: optuna.Study,
    objective: Objective,
    since: float = 0.0,
    meanwhile: Callable[[], object] = int,
) -> str | None:
    """Run trials until their number is reached; return the reason if they stop before, or None.

    ``since`` is the process's processor time at the start of its trials; ``meanwhile`` is called
    between two trials, and while others' draws are waited for.
    """
    evaluator = objective.evaluator

    def after_trial(study: optuna.Study, trial: FrozenTrial) -> None:
        attributes, process = StudyAttributes(study), f"{objective.worker}-{os.getpid()}"
        attributes.keep_processor(process, evaluator.computed, time.process_time() - since)
        evaluator.listen(trial_ended(study, trial))
        if has_no_patience_left(study, evaluator):
            attributes.stop = f"{evaluator.config.patience} trainings brought no better front"

    while True:
        meanwhile()
        standing = standing_of(study, evaluator)
        if standing.is_over:
            return standing.reason
        if standing.waits:
            time.sleep(WAIT_SECONDS)
        else:
            study.optimize(objective, n_trials=1, catch=FAILURES, callbacks=[after_trial])


def standing_of(study: optuna.Study, evaluator: Evaluator) -> Standing:
    """Return where the search stands."""
    attributes, config = StudyAttributes(study), evaluator.config
    if reason := attributes.stop:
        return Standing(True, reason)
    if evaluator.out_of_time():
        return Standing(True, TIME_UP)
    trials = study.get_trials(deepcopy=False)
    if any(trial.state == TrialState.WAITING for trial in trials):
        return Standing(False)
    begun = trainings(study)
    if begun >= config.trials:
        return Standing(True)
    if len(trials) - (attributes.drawn_before or 0) >= DRAWS_PER_TRIAL * config.trials:
        return Standing(True, EXHAUSTED)
    drawing = sum(
        trial.state == TrialState.RUNNING and TrialAttributes(trial).is_being_drawn
        for trial in trials
    )
    return Standing(False, waits=begun + drawing >= config.trials)


def trial_ended(study: optuna.Study, trial: FrozenTrial) -> TrialEnded:
    """Return the event that tells of a trial."""
    return TrialEnded(record_of(trial), all_records(study), trainings(study, ended=True))
