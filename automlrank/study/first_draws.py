"""First trials of a search: random draws, cheapest first, every other one as recommended."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import optuna

from automlrank.architecture import Architecture, draw
from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.blocks.embedding import Embedding
from automlrank.blocks.stages import STAGES
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
Price = Callable[[Architecture], float]


def enqueue_start(study: optuna.Study, space: Space, config: SearchConfig, price: Price) -> None:
    """Queue a new study's first draws, at most as many as the search has trials."""
    trials = study.get_trials(deepcopy=False)
    if not all(TrialAttributes(trial).is_reference for trial in trials):
        return
    for params in first_draws(space, seed_of(config.seed, START_SEEDS), price)[: config.trials]:
        study.enqueue_trial(params)


def first_draws(space: Space, seed: int, price: Price) -> list[Params]:
    """Return params of ``STARTUP`` random draws without duplicates, the lowest price first.

    Every other one has the recommended values where the space has them: a learning rate and an L2
    drawn anywhere tell little of an architecture, and rates and distillation gained on every table.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[float, Params]] = {}
    for i in range(MOST_DRAWS):
        if len(found) == STARTUP:
            break
        try:
            drawn, params = _drawn(space, recommended() if i % 2 else {}, rng)
            found[drawn.fingerprint] = price(drawn), params
        except SpaceError:
            continue  # no network: a trial that draws it fails with the reason
    return [params for _, params in sorted(found.values(), key=lambda pair: pair[0])]


@cache
def recommended() -> Mapping[str, Scalar]:
    """Return the values that blocks and knobs recommend, by the path of their decision.

    The settings of embedding and training have their defaults where they recommend nothing else.
    """
    found: dict[str, Scalar] = {}
    for path, settings in (("embedding", Embedding), ("training", Training)):
        for name, knob in settings.knobs().items():
            found[f"{path}.{name}"] = knob.default if knob.recommended is None else knob.recommended
    for stage in STAGES.values():
        for block in (BLOCKS[n] for n in BLOCKS if BLOCKS[n].recommended):
            if set(block.families) & set(stage.families):
                found |= {stage.name: block.name} | _recommended_knobs(stage.name, block)
    return found


def _recommended_knobs(stage: str, block: type[Block]) -> dict[str, Scalar]:
    return {
        f"{stage}.{block.name}.{name}": knob.recommended
        for name, knob in block.knobs().items()
        if knob.recommended is not None
    }


def _drawn(
    space: Space, preferred: Mapping[str, Scalar], rng: np.random.Generator
) -> tuple[Architecture, Params]:
    """Draw with the preferred values where the space has them; returns the params as well."""
    params: Params = {}

    def decide(path: str, domain: Domain) -> Scalar:
        known = path in preferred and preferred[path] in domain
        params[path] = preferred[path] if known else random_value(domain, rng)
        return params[path]

    return draw(space, decide), params


def random_value(domain: Domain, rng: np.random.Generator) -> Scalar:
    """Draw a value of a domain: each choice alike, a range evenly, or evenly in its logarithm."""
    if isinstance(domain, Choice):
        return domain.values[int(rng.integers(len(domain.values)))]
    if domain.kind == "log":
        return float(np.exp(rng.uniform(math.log(domain.low), math.log(domain.high))))
    if domain.kind == "int":
        return int(rng.integers(int(domain.low), int(domain.high) + 1))
    return float(rng.uniform(domain.low, domain.high))
