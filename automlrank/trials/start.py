"""How a search begins: random draws, the cheapest first, so that a short one sees several."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import optuna

from automlrank.architecture import Architecture, draw
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.errors import SpaceError
from automlrank.space.value import Space
from automlrank.trials.goal import Goal
from automlrank.trials.matching import Params
from automlrank.trials.samplers import STARTUP
from automlrank.trials.seeds import seed_of

START_SEEDS = 8  # the stream of seeds of a study's first draws


Price = Callable[[Architecture], float]


def enqueue_start(study: optuna.Study, space: Space, goal: Goal, price: Price) -> None:
    """Queue a new study's first draws, as many as are asked for at most."""
    if any("name" not in trial.user_attrs for trial in study.get_trials(deepcopy=False)):
        return
    for params in first_draws(space, seed_of(goal.seed, START_SEEDS), price)[: goal.trials]:
        study.enqueue_trial(params)


def first_draws(space: Space, seed: int, price: Price) -> list[Params]:
    """Params of ``STARTUP`` random draws without duplicates, the lowest price first."""
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[float, Params]] = {}
    for _ in range(STARTUP):
        params: Params = {}

        def decide(path: str, domain: Domain, params: Params = params) -> Scalar:
            params[path] = random_value(domain, rng)
            return params[path]

        try:
            drawn = draw(space, decide)
        except SpaceError:
            continue  # no network: a trial that draws it is a failed one, and says why
        found[drawn.fingerprint] = price(drawn), params
    return [params for _, params in sorted(found.values(), key=lambda pair: pair[0])]


def random_value(domain: Domain, rng: np.random.Generator) -> Scalar:
    """A value of a domain: each choice alike, a range evenly, or evenly in its logarithm."""
    if isinstance(domain, Choice):
        return domain.values[int(rng.integers(len(domain.values)))]
    if domain.kind == "log":
        return float(np.exp(rng.uniform(math.log(domain.low), math.log(domain.high))))
    if domain.kind == "int":
        return int(rng.integers(int(domain.low), int(domain.high) + 1))
    return float(rng.uniform(domain.low, domain.high))
