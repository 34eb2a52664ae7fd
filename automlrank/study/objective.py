"""The objective function of a trial: draw, find duplicates, count, measure, train, record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NoReturn

import optuna
from optuna.trial import FrozenTrial, TrialState

from automlrank.architecture import Architecture, draw
from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import reason_of
from automlrank.model.network import RankingModel, build
from automlrank.model.plan import Plan
from automlrank.runs.events import Notice
from automlrank.runs.folder import RunFolder
from automlrank.runs.score_data import latency_data, split_scores_data
from automlrank.runs.seeds import seed_of
from automlrank.runs.stop_reasons import TimeIsUp, TookTooLong
from automlrank.space.space import Space
from automlrank.study.attributes import StudyAttributes, TrialAttributes
from automlrank.study.pruners import make_pruner
from automlrank.study.rung_watch import RungWatch
from automlrank.study.rungs import Rungs
from automlrank.study.study_records import begun_trials
from automlrank.study.suggest import decider
from automlrank.training.checkpoint import Checkpoint
from automlrank.training.memory import give_back_memory
from automlrank.training.trained import Trained

TRAINING_SEEDS = 1  # the stream of seeds that trials train with; finalists have another
RUNG_SEEDS = 6  # the stream of seeds of the sample that a rung inside an epoch is scored on


class Objective:
    """The function that Optuna optimises: ``(metric, p50 latency)``, or the metric alone.

    ``worker`` is the name of its process's lock file.
    """

    def __init__(
        self,
        space: Space,
        evaluator: Evaluator,
        folder: RunFolder,
        study: optuna.Study,
        worker: str,
    ) -> None:
        config = evaluator.config
        self.space = space
        self.evaluator = evaluator
        self.folder = folder
        self.worker = worker
        self.rungs = Rungs.of(evaluator.data, evaluator.metric, seed_of(config.seed, RUNG_SEEDS))
        self.pruner = make_pruner(config.pruner, study, self.rungs)

    def __call__(self, trial: optuna.Trial) -> Sequence[float]:
        began = time.perf_counter()
        attributes = TrialAttributes(trial)
        attributes.worker = self.worker
        try:
            return self.values(trial)[: self.evaluator.config.objectives]
        except optuna.TrialPruned:
            raise
        except KeyboardInterrupt:
            attributes.cut_off, attributes.reason = True, "interrupted"
            raise
        except OSError as error:
            attributes.cut_off, attributes.reason = True, reason_of(error)
            raise
        except Exception as error:
            give_back_memory(error)
            attributes.reason = reason_of(error)
            raise
        finally:
            attributes.seconds = round(time.perf_counter() - began, 3)

    def values(self, trial: optuna.Trial) -> tuple[float, float]:
        """Return ``(metric, latency)``, by training or from a twin; raises TrialPruned."""
        attributes = TrialAttributes(trial)
        architecture = draw(self.space, decider(trial))
        attributes.fingerprint = architecture.fingerprint
        attributes.architecture = architecture.to_data()
        attributes.summary = architecture.summary
        twin = find_twin(trial, architecture.fingerprint)
        return self.answer(trial, twin) if twin else self.train(trial, architecture)

    def answer(self, trial: optuna.Trial, twin: FrozenTrial) -> tuple[float, float]:
        """Give a duplicate its twin's values; without any it is pruned: TPE moves on."""
        attributes, known = TrialAttributes(trial), TrialAttributes(twin)
        attributes.state = "duplicate"
        attributes.duplicate_of = twin.number
        attributes.reason = f"the same architecture as trial {twin.number}"
        if twin.state != TrialState.COMPLETE:
            raise optuna.TrialPruned
        valid, latency = known.valid, known.latency_ms
        assert valid is not None
        assert latency is not None
        attributes.cost, attributes.latency_ms, attributes.valid = known.cost, latency, valid
        attributes.rows_seen = known.rows_seen
        attributes.zero_shares, attributes.weights = known.zero_shares, known.weights
        config = self.evaluator.config
        return valid[config.metric], config.objective_latency(latency["p50"])

    def train(self, trial: optuna.Trial, architecture: Architecture) -> tuple[float, float]:
        """Count, measure and train an architecture; raises TrialPruned at a limit or a rung."""
        evaluator, config, attributes = (
            self.evaluator,
            self.evaluator.config,
            TrialAttributes(trial),
        )
        plan = evaluator.wire(architecture)
        self.check_size(trial, plan)
        seed = attributes.training_seed
        if seed is None:
            seed = seed_of(config.seed, TRAINING_SEEDS, trial.number)
        attributes.training_seed = seed
        model = build(plan, seed)
        latency = self.measured(trial, model)
        begin(trial, config.trials)
        epochs = architecture.training.epochs
        watch = RungWatch(evaluator, self.rungs, self.pruner, trial, model, epochs, latency)
        trained = self.trained(trial, model, architecture, seed, watch)
        attributes.valid = split_scores_data(evaluator.scores(trained.scores))
        attributes.rows_seen = trained.rows
        attributes.zero_shares = dict(trained.zero_shares)
        attributes.weights = trained.weights
        self.folder.keep(architecture, trained)
        return evaluator.metric.overall(trained.scores), latency

    def check_size(self, trial: optuna.Trial, plan: Plan) -> None:
        """Record the cost of an architecture; raises TrialPruned if it has too many parameters."""
        cost, most = self.evaluator.cost(plan), self.evaluator.config.parameters
        TrialAttributes(trial).cost = vars(cost)
        if most and cost.parameters > most:
            over(trial, "parameters", cost.parameters, most)

    def measured(self, trial: optuna.Trial, model: RankingModel) -> float:
        """Record a model's latency, and return it as the study sees it; raises TrialPruned."""
        latency, config = self.evaluator.latency(model), self.evaluator.config
        TrialAttributes(trial).latency_ms = latency_data(latency)
        if config.latency_ms and latency.p50 > config.latency_ms:
            over(trial, "latency_ms", latency.p50, config.latency_ms)
        return config.objective_latency(latency.p50)

    def trained(
        self,
        trial: optuna.Trial,
        model: RankingModel,
        architecture: Architecture,
        seed: int,
        watch: RungWatch,
    ) -> Trained:
        """Train, from the last checkpoint if there is one; it stays where a retry may follow."""
        checkpoint = Checkpoint(self.folder.checkpoint(architecture.fingerprint), self.tell)
        what, limit = f"trial {trial.number}", self.evaluator.config.trial_time
        try:
            trained = self.evaluator.train(model, architecture, seed, what, watch, checkpoint)
        except TimeIsUp as ended:
            trained = self.in_time(trial, ended, architecture.training.epochs)
        except TookTooLong as error:
            checkpoint.drop()
            over(trial, "seconds", error.seconds, limit or 0.0)
        except Exception:
            checkpoint.drop()
            raise
        checkpoint.drop()
        return trained

    def in_time(self, trial: optuna.Trial, ended: TimeIsUp, epochs: int) -> Trained:
        """Return a training that the clock cut off, by its best epoch; raises TrialPruned before.

        Without a whole validation it has no result, and a search that continues trains it again.
        """
        attributes = TrialAttributes(trial)
        if ended.reached is None:
            attributes.cut_off, attributes.reason = True, "the search's time was up"
            attributes.state = "time_up"
            raise optuna.TrialPruned
        done = len(ended.reached.curve)
        attributes.reason = f"the search's time was up after {done} of at most {epochs} epochs"
        return ended.reached

    def tell(self, text: str) -> None:
        self.evaluator.listen(Notice(text))


def begin(trial: optuna.Trial, most: int) -> None:
    """Count a training as begun, unless ``most`` of drawn architectures have begun before it.

    Two workers that draw at the same moment meet here; the one that wrote first continues. A retry
    has begun when the trial that it replaces did.
    """
    attributes = TrialAttributes(trial)
    began = time.time() if attributes.began is None else attributes.began
    attributes.began = began
    begun = [(TrialAttributes(t).began or 0.0, t.number) for t in begun_trials(trial.study)]
    if not attributes.is_reference and sorted(begun).index((began, trial.number)) >= most:
        attributes.reason = "others had begun as many trainings as were asked for"
        attributes.began = None
        raise optuna.TrialPruned


def over(trial: optuna.Trial, what: str, value: float, limit: float) -> NoReturn:
    """Stop a trial that exceeds a limit, with the excess as a constraint for the sampler."""
    trial.set_constraint(what, value - limit)
    attributes = TrialAttributes(trial)
    attributes.state = "over_budget"
    attributes.reason = f"{what} {value:g} over the limit of {limit:g}"
    raise optuna.TrialPruned


def find_twin(trial: optuna.Trial, fingerprint: str) -> FrozenTrial | None:
    """Return an earlier trial of the same architecture that was decided, or None.

    A duplicate, a trial that was cut off or gave way, and one that a retry replaced decide nothing.
    A retry has no twin: that of the trial that it replaces may have begun after it.
    """
    if TrialAttributes(trial).retry is not None:
        return None
    replaced = StudyAttributes(trial.study).replaced or ()
    twins = [
        other
        for other in trial.study.get_trials(deepcopy=False)
        if other.number < trial.number
        and other.number not in replaced
        and _decides(TrialAttributes(other), fingerprint)
    ]
    return min(twins, key=lambda twin: twin.state != TrialState.COMPLETE, default=None)


def _decides(other: TrialAttributes, fingerprint: str) -> bool:
    """Return True if a trial stands for its architecture, and that has this fingerprint."""
    undecided = other.duplicate_of is not None or other.cut_off or other.gave_way
    return other.fingerprint == fingerprint and not undecided
