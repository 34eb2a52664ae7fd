"""The study of a run: made once, continued after a kill, worked through one trial at a time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from automlrank.architecture import Architecture
from automlrank.errors import RunError
from automlrank.evaluate.metrics import METRICS
from automlrank.space.grammar import Space
from automlrank.trials.bench import FAILURES, TIME_UP, Bench, Goal, reason_of, seed_of
from automlrank.trials.events import TrialEnded
from automlrank.trials.folder import RunFolder
from automlrank.trials.objective import Objective
from automlrank.trials.records import Record
from automlrank.trials.records_of import (
    REFERENCE,
    REPLACED,
    record_of,
    reference_records,
    trial_records,
)
from automlrank.trials.rivals import Rival
from automlrank.trials.suggest import params_of

NAME = "search"
DRAWS_PER_TRIAL = 20  # beyond it, new draws are all known: the space is exhausted
REFERENCE_SEEDS = 2  # the stream of seeds that references beside the study train with


def open_study(folder: RunFolder, goal: Goal, identity: dict[str, str]) -> optuna.Study:
    """Create the run's study, or continue it; raises RunError where it belongs to other inputs.

    ``identity`` is what a study's trials are comparable under: space, data, metric, candidates.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # failures are in the records
    up = METRICS[goal.metric].up
    study = optuna.create_study(
        storage=folder.storage_url,
        study_name=NAME,
        directions=[
            StudyDirection.MAXIMIZE if up else StudyDirection.MINIMIZE,
            StudyDirection.MINIMIZE,
        ],
        load_if_exists=True,
    )
    if "identity" not in study.user_attrs:
        study.set_user_attr("identity", identity)
    known = study.user_attrs["identity"]
    different = [key for key in identity if known.get(key) != identity[key]]
    if different:
        raise RunError(
            f"{folder.path} belongs to another {' and another '.join(different)}.",
            "Give the same inputs, or another --out.",
        )
    study.sampler = sampler(goal.seed, len(study.get_trials(deepcopy=False)))
    return study


def sampler(seed: int, n_trials: int) -> optuna.samplers.BaseSampler:
    """TPE over joint groups; its seed depends on the trials so far, so a resume replays nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # multivariate and group are
        return optuna.samplers.TPESampler(
            multivariate=True, group=True, constant_liar=True, seed=seed_of(seed, 0, n_trials)
        )


def retry_cut_off(study: optuna.Study) -> int:
    """Queue again every trial that a kill or Ctrl-C cut off; gives their number."""
    replaced = list(study.user_attrs.get(REPLACED, []))
    cut_off = [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state == TrialState.RUNNING
        or ("cut_off" in trial.user_attrs and trial.number not in replaced)
    ]
    for trial in cut_off:
        params = trial.system_attrs.get("fixed_params", trial.params)  # a reference's are whole
        name = trial.user_attrs.get("name")
        study.enqueue_trial(params, user_attrs={"name": name} if name else None)
        replaced.append(trial.number)
        study.set_user_attr(REPLACED, replaced)
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
    return len(cut_off)


def enqueue_references(
    study: optuna.Study, space: Space, references: Sequence[Architecture]
) -> list[Architecture]:
    """Queue the references that lie inside the space; gives those that lie outside."""
    outside = []
    for reference in references:
        params = params_of(space, reference)
        if params is None:
            outside.append(reference)
        else:
            study.enqueue_trial(params, user_attrs={"name": reference.name}, skip_if_exists=True)
    return outside


def run_reference(
    study: optuna.Study, bench: Bench, folder: RunFolder, rival: Rival, number: int
) -> Record:
    """Train a reference that the space does not hold, once; its record is kept in the study."""
    key = f"{REFERENCE}{rival.name}"
    if key in study.user_attrs:
        return Record.from_data(study.user_attrs[key])
    record = _reference_record(bench, folder, rival, number)
    study.set_user_attr(key, record.to_data())
    return record


def _reference_record(bench: Bench, folder: RunFolder, rival: Rival, number: int) -> Record:
    began = time.perf_counter()
    seed = seed_of(bench.goal.seed, REFERENCE_SEEDS, number)
    outcome: dict[str, Any] = {}
    try:
        outcome |= rival.cost(bench)
        run = rival.train(bench, seed, rival.name)
        latency = run.latency()
        outcome |= {"latency_ms": vars(latency) if latency else None, **run.facts}
        outcome["valid"] = bench.scores(run.scores("valid"))
        run.keep(folder)
    except FAILURES as error:
        outcome["reason"] = reason_of(error)
    return Record(
        number=-1 - number,
        state="reference",
        fingerprint=rival.fingerprint,
        architecture=rival.architecture,
        summary=rival.summary,
        name=rival.name,
        seconds=round(time.perf_counter() - began, 3),
        **outcome,
    )


def run_trials(study: optuna.Study, objective: Objective) -> str | None:
    """Run trials until the goal is met; gives why they ended earlier, or None."""
    goal, bench = objective.bench.goal, objective.bench
    drawn_before = len(study.get_trials(deepcopy=False))
    while True:
        trials = study.get_trials(deepcopy=False)
        waiting = any(trial.state == TrialState.WAITING for trial in trials)
        if bench.out_of_time():
            return TIME_UP
        if not waiting and trainings(study) >= goal.trials:
            return None
        if len(trials) - drawn_before >= DRAWS_PER_TRIAL * max(1, goal.trials):
            return "the space is exhausted: new draws are all known, or over a limit"
        study.optimize(objective, n_trials=1, catch=FAILURES)
        bench.listen(
            TrialEnded(
                record_of(last_finished(study)),
                (*reference_records(study), *trial_records(study)),
                trainings(study),
            )
        )


def last_finished(study: optuna.Study) -> FrozenTrial:
    """The trial that ended last: a queued one has a lower number than those drawn since."""
    ended = [t for t in study.get_trials(deepcopy=False) if t.datetime_complete is not None]
    return max(ended, key=lambda trial: (trial.datetime_complete, trial.number))


def trainings(study: optuna.Study) -> int:
    """Trainings begun of drawn architectures; references come on top, a retry counts once."""
    replaced = study.user_attrs.get(REPLACED, [])
    return sum(
        "began" in trial.user_attrs
        and "name" not in trial.user_attrs
        and trial.number not in replaced
        and trial.state.is_finished()
        for trial in study.get_trials(deepcopy=False)
    )
