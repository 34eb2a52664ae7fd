"""One trial: draw, look for a twin, count, measure, train, record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NoReturn

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.architecture import Architecture, draw
from automlrank.candidates.evaluator import Evaluator
from automlrank.data.dataset import Dataset
from automlrank.errors import reason_of
from automlrank.model.network import RankingModel, build
from automlrank.runs.events import Notice
from automlrank.runs.folder import RunFolder
from automlrank.runs.seeds import seed_of
from automlrank.runs.stop_reasons import TimeIsUp, TookTooLong
from automlrank.space.space import Space
from automlrank.study.pruners import STOPPED, make_pruner
from automlrank.study.rungs import Rungs
from automlrank.study.study_records import BEGAN, REPLACED, RETRY, begun_trials
from automlrank.study.suggest import decider
from automlrank.training.checkpoint import Checkpoint
from automlrank.training.loop import score
from automlrank.training.memory import give_back_memory
from automlrank.training.progress import Progress
from automlrank.training.trained import Trained

TRAINING_SEEDS = 1  # the stream of seeds that trials train with; finalists have another
RUNG_SEEDS = 6  # the stream of seeds of the sample that a rung inside an epoch is scored on
SEED = "training_seed"  # a trial's attribute: a retry goes on with the one of what it retries


class Objective:
    """The function that Optuna optimises: ``(metric, p50 latency)``, or the metric alone.

    ``worker`` is the name under which its process is seen to be alive.
    """

    def __init__(
        self, space: Space, bench: Evaluator, folder: RunFolder, study: optuna.Study, worker: str
    ) -> None:
        goal = bench.goal
        self.space = space
        self.bench = bench
        self.folder = folder
        self.worker = worker
        self.rungs = Rungs.of(bench.data, bench.metric, seed_of(goal.seed, RUNG_SEEDS))
        self.pruner = make_pruner(goal.pruner, study, self.rungs)

    def __call__(self, trial: optuna.Trial) -> Sequence[float]:
        began = time.perf_counter()
        note(trial, worker=self.worker)
        try:
            architecture = draw(self.space, decider(trial))
            note(
                trial,
                fingerprint=architecture.fingerprint,
                architecture=architecture.to_data(),
                summary=architecture.summary,
            )
            twin = find_twin(trial, architecture.fingerprint)
            values = self.answer(trial, twin) if twin else self.train(trial, architecture)
            return values[: self.bench.goal.objectives]
        except optuna.TrialPruned:
            raise
        except KeyboardInterrupt:
            note(trial, cut_off=True, reason="interrupted")
            raise
        except OSError as error:
            note(trial, cut_off=True, reason=reason_of(error))
            raise
        except Exception as error:
            give_back_memory(error)
            note(trial, reason=reason_of(error))
            raise
        finally:
            note(trial, seconds=round(time.perf_counter() - began, 3))

    def answer(self, trial: optuna.Trial, twin: FrozenTrial) -> tuple[float, float]:
        """A duplicate gets its twin's values; without any it is pruned, so TPE moves on."""
        note(
            trial,
            state="duplicate",
            duplicate_of=twin.number,
            reason=f"the same architecture as trial {twin.number}",
        )
        if twin.state != TrialState.COMPLETE:
            raise optuna.TrialPruned
        for key in ("cost", "latency_ms", "valid", "rows_seen", "zero_shares"):
            note(trial, **{key: twin.user_attrs[key]})
        note(trial, weights=twin.user_attrs.get("weights"))
        valid, latency = twin.user_attrs["valid"], twin.user_attrs["latency_ms"]
        goal = self.bench.goal
        return valid[goal.metric], goal.objective_latency(latency["p50"])

    def train(self, trial: optuna.Trial, architecture: Architecture) -> tuple[float, float]:
        bench, goal = self.bench, self.bench.goal
        plan = bench.wire(architecture)
        counted = bench.cost(plan)
        note(trial, cost=vars(counted))
        if goal.parameters and counted.parameters > goal.parameters:
            over(trial, "parameters", counted.parameters, goal.parameters)
        seed = trial.user_attrs.get(SEED, seed_of(goal.seed, TRAINING_SEEDS, trial.number))
        model = build(plan, seed)
        latency = bench.latency(model)
        note(trial, latency_ms=vars(latency), **{SEED: seed})
        if goal.latency_ms and latency.p50 > goal.latency_ms:
            over(trial, "latency_ms", latency.p50, goal.latency_ms)
        begin(trial, goal.trials)
        climb = Climb(self, trial, model, architecture, goal.objective_latency(latency.p50))
        trained = self.to_the_end(trial, model, architecture, seed, climb)
        valid = bench.scores(trained.scores)
        note(trial, valid=valid, rows_seen=trained.rows, zero_shares=dict(trained.zero_shares))
        note(trial, weights=trained.weights)
        self.folder.keep(architecture, trained)
        return valid[goal.metric], goal.objective_latency(latency.p50)

    def to_the_end(
        self,
        trial: optuna.Trial,
        model: RankingModel,
        architecture: Architecture,
        seed: int,
        climb: Climb,
    ) -> Trained:
        """Train, from the last checkpoint if there is one; it stays where a retry may follow."""
        checkpoint = Checkpoint(self.folder.checkpoint(architecture.fingerprint), self.tell)
        what, limit = f"trial {trial.number}", self.bench.goal.trial_seconds
        try:
            trained = self.bench.train(model, architecture, seed, what, climb, checkpoint)
        except TimeIsUp:
            note(trial, cut_off=True, reason="the search's time was up")
            raise optuna.TrialPruned from None
        except TookTooLong as error:
            checkpoint.drop()
            over(trial, "seconds", error.seconds, limit or 0.0)
        except Exception:
            checkpoint.drop()
            raise
        checkpoint.drop()
        return trained

    def tell(self, text: str) -> None:
        self.bench.listen(Notice(text))


class Climb:
    """A training's way past the rungs: at each the pruner may end the trial.

    At a rung a trial counts by the best that it has reached: inside the first epoch by its score
    of the rung's sample, at the end of an epoch by its best epoch's.
    """

    def __init__(
        self,
        objective: Objective,
        trial: optuna.Trial,
        model: RankingModel,
        architecture: Architecture,
        latency: float,
    ) -> None:
        self.objective = objective
        self.trial = trial
        self.model = model
        self.epochs = architecture.training.epochs
        self.latency = latency
        self.rows = 0

    def __call__(self, progress: Progress) -> None:
        rungs = self.objective.rungs
        rung = rungs.due(self.rows, progress, self.epochs)
        self.rows = progress.rows
        if rung is None:
            return
        value = self.value(progress, rungs.sample)
        stops = self.objective.pruner.stops(self.trial, rung, value, self.latency)
        if stops and "name" not in self.trial.user_attrs:  # a reference is wanted to its end
            reason = f"behind its peers at {rung:,} rows"
            note(self.trial, rows_seen=progress.rows, reason=reason, **{STOPPED: rung})
            raise optuna.TrialPruned

    def value(self, progress: Progress, sample: Dataset | None) -> float:
        bench = self.objective.bench
        overall = bench.metric.overall
        if progress.best is not None:
            return overall(progress.best)
        assert sample is not None
        with bench.computing():
            return overall(score(self.model, sample, "valid", bench.metric, bench.goal.device))


def begin(trial: optuna.Trial, most: int) -> None:
    """Count a training as begun, unless ``most`` of drawn architectures have begun before it.

    Workers that draw at the same moment see each other here: who wrote first goes on. A retry has
    begun when what it retries did.
    """
    note(trial, **{BEGAN: trial.user_attrs.get(BEGAN, time.time())})
    begun = [(other.user_attrs[BEGAN], other.number) for other in begun_trials(trial.study)]
    mine = (trial.user_attrs[BEGAN], trial.number)
    if "name" not in trial.user_attrs and sorted(begun).index(mine) >= most:
        note(trial, reason="others had begun as many trainings as were asked for", **{BEGAN: None})
        raise optuna.TrialPruned


def gave_way(trial: FrozenTrial) -> bool:
    """Whether ``begin`` ended a trial untrained: others had begun as many as were asked for."""
    return trial.user_attrs.get(BEGAN, 0.0) is None


def over(trial: optuna.Trial, what: str, value: float, limit: float) -> NoReturn:
    """End a trial that exceeds a limit, with the excess as a constraint for the sampler."""
    trial.set_constraint(what, value - limit)
    note(trial, state="over_budget", reason=f"{what} {value:g} over the limit of {limit:g}")
    raise optuna.TrialPruned


def note(trial: optuna.Trial, **attributes: Any) -> None:
    """Write user attributes: a finished trial takes no more."""
    for key, value in attributes.items():
        trial.set_user_attr(key, value)


def find_twin(trial: optuna.Trial, fingerprint: str) -> FrozenTrial | None:
    """An earlier trial of the same architecture that was not cut off from outside, nor gave way.

    None for a retry: whom it replaces may have had a twin that began after it.
    """
    if RETRY in trial.user_attrs:
        return None
    replaced = trial.study.user_attrs.get(REPLACED, [])
    twins = [
        other
        for other in trial.study.get_trials(deepcopy=False)
        if other.number < trial.number
        and other.user_attrs.get("fingerprint") == fingerprint
        and "duplicate_of" not in other.user_attrs
        and "cut_off" not in other.user_attrs
        and not gave_way(other)
        and other.number not in replaced
    ]
    return min(twins, key=lambda twin: twin.state != TrialState.COMPLETE, default=None)
