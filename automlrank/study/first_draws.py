"""How a search begins: with random draws, the cheapest first, half of them as is usual."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import optuna

from automlrank.architecture import Architecture, draw
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.blocks.embedding import Embedding
from automlrank.blocks.training import Training
from automlrank.errors import SpaceError
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.seeds import seed_of
from automlrank.space.space import Space
from automlrank.study.attributes import TrialAttributes
from automlrank.study.matching import Params
from automlrank.study.samplers import STARTUP

START_SEEDS = 8  # the stream of seeds of a study's first draws
MOST_DRAWS = 5 * STARTUP  # of a small space, in which many are the same
USUAL = {
    f"{name}.{knob}": getattr(block, knob)
    for name, block in (("embedding", Embedding()), ("training", Training()))
    for knob in block.knobs()
} | {
    "training.distillation": 0.8,  # test AUC +.001, census +.0005 (reports/distillation.md)
    "statistics": "rate_fields",  # +.002, with replace_ids +.001 (reports/target_rates.md)
    "statistics.rate_fields.replace_ids": True,
}
"""What the blocks take unless told, and what measurements say of both tables, by the path of its
decision."""

Price = Callable[[Architecture], float]


def enqueue_start(study: optuna.Study, space: Space, goal: SearchConfig, price: Price) -> None:
    """Queue a new study's first draws, as many as are asked for at most."""
    trials = study.get_trials(deepcopy=False)
    if not all(TrialAttributes(trial).is_reference for trial in trials):
        return
    for params in first_draws(space, seed_of(goal.seed, START_SEEDS), price)[: goal.trials]:
        study.enqueue_trial(params)


def first_draws(space: Space, seed: int, price: Price) -> list[Params]:
    """Params of ``STARTUP`` random draws without duplicates, the lowest price first.

    Every other one has what is usual where the space has it: a learning rate and an L2 drawn
    anywhere tell little of an architecture, and rates and what trees teach gained on every table.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[float, Params]] = {}
    for i in range(MOST_DRAWS):
        if len(found) == STARTUP:
            break
        try:
            drawn, params = _drawn(space, USUAL if i % 2 else {}, rng)
            found[drawn.fingerprint] = price(drawn), params
        except SpaceError:
            continue  # no network: a trial that draws it is a failed one, and says why
    return [params for _, params in sorted(found.values(), key=lambda pair: pair[0])]


def _drawn(space: Space, usual: Params, rng: np.random.Generator) -> tuple[Architecture, Params]:
    """A draw with the usual values where the space has them, and its params."""
    params: Params = {}

    def decide(path: str, domain: Domain) -> Scalar:
        known = path in usual and usual[path] in domain
        params[path] = usual[path] if known else random_value(domain, rng)
        return params[path]

    return draw(space, decide), params


def random_value(domain: Domain, rng: np.random.Generator) -> Scalar:
    """A value of a domain: each choice alike, a range evenly, or evenly in its logarithm."""
    if isinstance(domain, Choice):
        return domain.values[int(rng.integers(len(domain.values)))]
    if domain.kind == "log":
        return float(np.exp(rng.uniform(math.log(domain.low), math.log(domain.high))))
    if domain.kind == "int":
        return int(rng.integers(int(domain.low), int(domain.high) + 1))
    return float(rng.uniform(domain.low, domain.high))
