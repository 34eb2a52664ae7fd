"""What every worker does: one trial after another until the search is over."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import Dataset
from automlrank.measurement.metrics import AUC, Metric, metric_of
from automlrank.runs.events import TrialEnded
from automlrank.runs.stop_reasons import FAILURES, TIME_UP
from automlrank.study.hypervolume import floor_of, search_stands_still
from automlrank.study.objective import Objective
from automlrank.study.study_records import (
    BEGAN,
    begun_trials,
    record_of,
    reference_records,
    trial_records,
)

DRAWS_PER_TRIAL = 20  # beyond it, new draws are all known: the space is exhausted
WAIT_SECONDS = 0.3  # until it is known whether another worker's draw is trained
STOP = "stop"  # the study's attribute with why every worker is to end; "" is not at all
DRAWN_BEFORE = "drawn_before"  # that with the number of trials when this session began
DEADLINE = "deadline"  # that with the time (UNIX) at which trials end; 0 is never
PROCESSOR = "processor:"  # prefix of those that hold a worker's processor seconds
EXHAUSTED = "the space is exhausted: new draws are all known, or over a limit"


@dataclass(frozen=True)
class Standing:
    """Whether a search is over for a worker, or it must wait for others' draws."""

    is_over: bool
    reason: str | None = None
    waits: bool = False


def begin_session(study: optuna.Study, bench: Evaluator) -> None:
    """Say to all workers from where draws are counted, until when, and that nothing stops them."""
    left = bench.deadline - time.monotonic() if bench.deadline else None
    study.set_user_attr(DEADLINE, time.time() + left if left is not None else 0.0)
    study.set_user_attr(DRAWN_BEFORE, len(study.get_trials(deepcopy=False)))
    study.set_user_attr(STOP, "")


def run_trials(
    study: optuna.Study,
    objective: Objective,
    since: float = 0.0,
    meanwhile: Callable[[], object] = int,
) -> str | None:
    """Run trials until the goal is met; gives why they ended earlier, or None.

    ``since`` is the process's processor time at the start of what its trials are counted against;
    ``meanwhile`` is called between two trials, and while others' draws are waited for.
    """
    bench = objective.bench
    key = f"{PROCESSOR}{objective.worker}-{os.getpid()}"

    def ended(study: optuna.Study, trial: FrozenTrial) -> None:
        study.set_user_attr(key, [bench.computed, time.process_time() - since])
        bench.listen(trial_ended(study, trial))
        if stands_still(study, bench):
            study.set_user_attr(STOP, f"{bench.goal.patience} trainings brought no better front")

    while True:
        meanwhile()
        standing = standing_of(study, bench)
        if standing.is_over:
            return standing.reason
        if standing.waits:
            time.sleep(WAIT_SECONDS)
        else:
            study.optimize(objective, n_trials=1, catch=FAILURES, callbacks=[ended])


def standing_of(study: optuna.Study, bench: Evaluator) -> Standing:
    """Where the search stands: over, to be waited for, or with trials to run."""
    attributes, goal = study.user_attrs, bench.goal
    if attributes[STOP]:
        return Standing(True, attributes[STOP])
    if bench.out_of_time():
        return Standing(True, TIME_UP)
    trials = study.get_trials(deepcopy=False)
    if any(trial.state == TrialState.WAITING for trial in trials):
        return Standing(False)
    begun = trainings(study)
    if begun >= goal.trials:
        return Standing(True)
    if len(trials) - attributes[DRAWN_BEFORE] >= DRAWS_PER_TRIAL * goal.trials:
        return Standing(True, EXHAUSTED)
    drawing = sum(
        trial.state == TrialState.RUNNING
        and BEGAN not in trial.user_attrs
        and "name" not in trial.user_attrs
        for trial in trials
    )
    return Standing(False, waits=begun + drawing >= goal.trials)


def processor_seconds(study: optuna.Study) -> tuple[float, float] | None:
    """Of all workers: in training and scoring, and in all; None where no trial has ended."""
    pairs = [value for key, value in study.user_attrs.items() if key.startswith(PROCESSOR)]
    return (sum(p[0] for p in pairs), sum(p[1] for p in pairs)) if pairs else None


def trial_ended(study: optuna.Study, trial: FrozenTrial) -> TrialEnded:
    """What whoever listens is told of a trial."""
    records = (*reference_records(study), *trial_records(study))
    return TrialEnded(record_of(trial), records, trainings(study, ended=True))


def trainings(study: optuna.Study, *, ended: bool = False) -> int:
    """Trainings begun of drawn architectures; references come on top, a retry counts once."""
    begun = begun_trials(study)
    return sum(trial.state.is_finished() or not ended for trial in begun)


def floors(data: Dataset, metric: Metric) -> dict[str, float]:
    """The gain of a model that knows nothing, by task, and of the fused score."""
    labels, tasks = data.labels("valid"), data.schema.tasks
    found = {
        task.name: floor_of(metric_of(metric, task.kind), labels[:, i])
        for i, task in enumerate(tasks)
    }
    return {**found, metric.name: floor_of(AUC, labels[:, 0])}


def stands_still(study: optuna.Study, bench: Evaluator) -> bool:
    """Whether so many trainings as the goal's patience brought no larger hypervolume."""
    goal = bench.goal
    if not goal.patience:
        return False
    floor = bench.metric.overall(floors(bench.data, bench.metric))
    return search_stands_still(study, floor, goal.latency_ms, goal.patience)
