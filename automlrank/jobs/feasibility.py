"""Check of the latency budget before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automlrank.architecture import Architecture, draw
from automlrank.candidates.evaluator import Evaluator
from automlrank.errors import BudgetError, SpaceError
from automlrank.model.network import build
from automlrank.runs.events import Feasibility
from automlrank.runs.seeds import seed_of
from automlrank.space.space import Space
from automlrank.study.first_draws import random_value

DRAWS = 6
DRAW_SEEDS = 4  # stream of seeds
QUICK_SECONDS = 0.03  # of a latency measured only to compare a draw with the budget


def check_budget(evaluator: Evaluator, space: Space, references: Sequence[Architecture]) -> None:
    """Report which references and what share of draws fit; raise BudgetError if none does."""
    budget = evaluator.config.latency_ms
    if budget is None:
        return
    known = {a.name: _quick_latency(evaluator, a) for a in references}
    rng = np.random.default_rng(seed_of(evaluator.config.seed, DRAW_SEEDS))
    draws = []
    for _ in range(DRAWS):
        try:
            drawn = draw(space, lambda _, domain: random_value(domain, rng))
        except SpaceError:
            continue
        draws.append((_quick_latency(evaluator, drawn), drawn.summary))
    evaluator.listen(Feasibility(budget, known, tuple(ms for ms, _ in draws)))
    fastest, summary = min([*((ms, name) for name, ms in known.items()), *draws])
    if fastest > budget:
        raise BudgetError(
            f"no architecture that was tried takes {budget:g} ms or less for "
            f"{evaluator.config.candidates} candidates: the fastest, {summary}, "
            f"takes {fastest:.2f} ms.",
            "Raise --latency-ms, or give a smaller space.",
        )


def _quick_latency(evaluator: Evaluator, architecture: Architecture) -> float:
    return evaluator.latency(
        build(evaluator.wire(architecture), seed=0), tries=1, try_seconds=QUICK_SECONDS
    ).p50
