"""The study of a run: made once, continued after a kill, worked through one trial at a time."""

from __future__ import annotations

import datetime
import time
from collections.abc import Collection, Sequence
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from automlrank.architecture import Architecture
from automlrank.candidates.baselines import Baseline
from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import RunError, reason_of
from automlrank.measurement.metric_language import parse_metric
from automlrank.runs.events import Notice
from automlrank.runs.folder import RunFolder
from automlrank.runs.liveness import Liveness
from automlrank.runs.record import Record
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.seeds import seed_of
from automlrank.runs.stop_reasons import FAILURES
from automlrank.space.space import Space
from automlrank.study.objective import SEED
from automlrank.study.samplers import make_sampler
from automlrank.study.study_records import BEGAN, REFERENCE, REPLACED, RETRY
from automlrank.study.suggest import params_of

NAME = "search"
DRAWING_SECONDS = 60.0  # until a trial without a worker's name counts as cut off
LOOK_SECONDS = 0.3  # at whether the last trials have ended
RETRIES = 2  # of a trial whose process dies: what kills it may be the trial itself
INHERITED = ("name", SEED, BEGAN)  # the attributes that a retry has of what it retries
WORKER_SEEDS = 7  # the stream of seeds of workers' samplers
REFERENCE_SEEDS = 2  # the stream of seeds that references beside the study train with


def open_study(folder: RunFolder, goal: SearchConfig, identity: dict[str, str]) -> optuna.Study:
    """Create the run's study, or continue it; raises RunError where it belongs to other inputs.

    ``identity`` is what a study's trials are comparable under: space, data, metric, candidates.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # failures are in the records
    up = parse_metric(goal.metric).up
    directions = [
        StudyDirection.MAXIMIZE if up else StudyDirection.MINIMIZE,
        StudyDirection.MINIMIZE,
    ]
    study = optuna.create_study(
        storage=folder.storage_url,
        study_name=NAME,
        directions=directions[: goal.objectives],
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
    return load_study(folder, goal, index=0)


def load_study(folder: RunFolder, goal: SearchConfig, index: int) -> optuna.Study:
    """The run's study for its ``index``-th worker, each of which draws by seeds of its own."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name=NAME, storage=folder.storage_url)
    seed = seed_of(goal.seed, WORKER_SEEDS, index)
    study.sampler = make_sampler(goal.sampler, seed, len(study.get_trials(deepcopy=False)))
    return study


def retry_cut_off(study: optuna.Study, presence: Liveness) -> int:
    """Queue again every trial that a kill, Ctrl-C or a full disk cut off; gives their number.

    What is queued goes on with the seed, and so from the checkpoint, of what it retries; after
    ``RETRIES`` a trial whose process dies is given up. For a coordinator only.
    """
    replaced = list(study.user_attrs.get(REPLACED, []))
    ended = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.PRUNED, TrialState.FAIL))
        if trial.number not in replaced and "cut_off" in trial.user_attrs
    ]
    for trial in ended:
        retry(study, trial)
    return len(ended) + retry_dead(study, presence)


def retry_dead(study: optuna.Study, presence: Liveness, but: Collection[str] = ()) -> int:
    """Queue again every trial that still runs while its worker, none of ``but``, is dead."""
    dead = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if worker_of(trial) not in but and is_dead(study, trial, presence)
    ]
    for trial in dead:
        retry(study, trial)
    return len(dead)


def is_dead(study: optuna.Study, trial: FrozenTrial, presence: Liveness) -> bool:
    """Whether a running trial's worker is no longer alive.

    One that no worker has put its name to is being drawn, where any is alive and for some time. A
    worker may have ended the trial, and itself, since the trial was read: so it is read again.
    """
    if worker := worker_of(trial):
        gone = not presence.is_alive(worker)
    else:
        began = trial.datetime_start or datetime.datetime.now()
        age = datetime.datetime.now() - began
        gone = age.total_seconds() > DRAWING_SECONDS or not presence.is_anybody_alive()
    if not gone:
        return False
    now = study.get_trials(deepcopy=False)[trial.number]
    return now.state == TrialState.RUNNING and worker_of(now) == worker_of(trial)


def wait_for_joined(study: optuna.Study, presence: Liveness, bench: Evaluator) -> None:
    """Until the last trial of every live worker has ended, as those that joined may still train.

    A trial far beyond its time hangs, and is not waited for.
    """
    told = False
    while not bench.out_of_time() and any(
        not is_dead(study, trial, presence) and not bench.goal.hangs(trial.datetime_start)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    ):
        if not told:
            bench.listen(Notice("The last trials of workers that joined are waited for."))
            told = True
        time.sleep(LOOK_SECONDS)


def retry(study: optuna.Study, trial: FrozenTrial) -> None:
    """Queue a trial again in the place of one whose process died or was interrupted."""
    died = trial.state == TrialState.RUNNING
    retries = trial.user_attrs.get(RETRY, 0) + died
    if retries > RETRIES:
        live = optuna.trial.Trial(study, trial._trial_id)
        live.set_user_attr("reason", f"its process died {retries} times")
    else:
        kept = {key: value for key, value in trial.user_attrs.items() if key in INHERITED}
        params = trial.system_attrs.get("fixed_params", trial.params)  # a reference's are whole
        study.enqueue_trial(params, user_attrs={**kept, RETRY: retries})
        replaced = list(study.user_attrs.get(REPLACED, []))
        study.set_user_attr(REPLACED, [*replaced, trial.number])
    if died:
        study.tell(trial.number, state=TrialState.FAIL)


def worker_of(trial: FrozenTrial) -> str:
    """The name of the process that runs a trial."""
    return str(trial.user_attrs.get("worker", ""))


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
    study: optuna.Study, bench: Evaluator, folder: RunFolder, rival: Baseline, number: int
) -> Record:
    """Train a reference that the space does not hold, once; its record is kept in the study."""
    key = f"{REFERENCE}{rival.name}"
    if key in study.user_attrs:
        return Record.from_data(study.user_attrs[key])
    record = _reference_record(bench, folder, rival, number)
    study.set_user_attr(key, record.to_data())
    return record


def _reference_record(bench: Evaluator, folder: RunFolder, rival: Baseline, number: int) -> Record:
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
