"""Samplers propose the next architecture; ``reports/sampling.md`` compares their costs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from automlrank.runs.results import pareto
from automlrank.runs.seeds import seed_of
from automlrank.study.attributes import TrialAttributes

SAMPLER_SEEDS = 0  # the stream of seeds that samplers draw with
GROUPED_TRIALS = 1_000  # from then on grouping costs more than it gains
STARTUP = 10  # trials drawn at random before a front is worth following; TPE's own number
CHANGES = 2  # of a child, on average
BEST = 10  # parents where a study has one objective and its front one trial
POPULATION = 20  # Optuna's 50 leave a search of some hundred trials few generations


class Tpe(BaseSampler):
    """Multivariate TPE, by groups of parameters that occur together while trials are few.

    Grouped, all of a conditional space is modelled jointly; ungrouped, the parameters that every
    trial has are modelled jointly and the rest one by one. Running trials count as bad
    (``constant_liar``).
    """

    def __init__(self, seed: int) -> None:
        self._grouped = multivariate_tpe(seed, group=True)
        self._ungrouped = multivariate_tpe(seed, group=False)

    def _at(self, trial: FrozenTrial) -> TPESampler:
        return self._grouped if trial.number < GROUPED_TRIALS else self._ungrouped

    def reseed_rng(self) -> None:
        self._grouped.reseed_rng()
        self._ungrouped.reseed_rng()

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._at(trial).before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._at(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._at(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._at(trial).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        self._at(trial).after_trial(study, trial, state, values)


class Evolution(BaseSampler):
    """Each trial is a child of one of the front: its choices by name, a few of them changed.

    A choice is changed with a probability that makes two changes on average, and at least one is.
    A choice that the parent did not make, as under a branch that it did not take, is drawn at
    random.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._random = RandomSampler(seed)
        self._children: dict[int, tuple[dict[str, Any], set[str]]] = {}

    def reseed_rng(self) -> None:
        self._rng = np.random.default_rng()
        self._random.reseed_rng()

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        parents = parents_of(study) if trial.number >= STARTUP else []
        if parents:
            params = parents[self._rng.integers(len(parents))].params
            self._children[trial.number] = params, self._changed(list(params))

    def _changed(self, names: list[str]) -> set[str]:
        """Draw some of the names, at least one."""
        if not names:
            return set()
        drawn = self._rng.random(len(names)) < CHANGES / len(names)
        if not drawn.any():
            drawn[self._rng.integers(len(names))] = True
        return {name for name, change in zip(names, drawn, strict=True) if change}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        inherited, changed = self._children.get(trial.number, ({}, set()))
        known = param_name in inherited and _holds(param_distribution, inherited[param_name])
        if known and param_name not in changed:
            return inherited[param_name]
        while True:
            value = self._random.sample_independent(study, trial, param_name, param_distribution)
            if not known or value != inherited[param_name] or param_distribution.single():
                return value

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        self._children.pop(trial.number, None)


def parents_of(study: optuna.Study) -> list[FrozenTrial]:
    """Return the front of (metric, latency) among complete and feasible trials, no duplicates.

    With one objective, return the ten best.
    """
    trials = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if TrialAttributes(trial).duplicate_of is None
        and all(excess <= 0 for excess in trial.constraints.values())
    ]
    up = study.directions[0] == StudyDirection.MAXIMIZE
    scores = [trial.values[0] for trial in trials]
    if len(study.directions) == 1:
        order = sorted(range(len(trials)), key=scores.__getitem__, reverse=up)
        return [trials[i] for i in order[:BEST]]
    return [trials[i] for i in pareto(scores, [trial.values[1] for trial in trials], up=up)]


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return bool(distribution.low <= value <= distribution.high)


def multivariate_tpe(seed: int, *, group: bool) -> TPESampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # multivariate and group are
        return TPESampler(multivariate=True, group=group, constant_liar=True, seed=seed)


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": Tpe,
    "evolution": Evolution,
    "nsga2": lambda seed: NSGAIISampler(population_size=POPULATION, seed=seed),
    "random": RandomSampler,
}


def make_sampler(name: str, seed: int, n_trials: int) -> BaseSampler:
    """Return a sampler by name; its seed depends on the number of trials: a resume repeats none."""
    return SAMPLERS[name](seed_of(seed, SAMPLER_SEEDS, n_trials))
