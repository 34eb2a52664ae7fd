"""How a search begins."""

from __future__ import annotations

import optuna
import pytest

from automlrank import Architecture, Space
from automlrank.architecture import draw
from automlrank.runs.search_config import SearchConfig
from automlrank.study.first_draws import enqueue_start, first_draws
from automlrank.study.suggest import decider

SPACE = {
    "name": "small",
    "references": [],
    "embedding": {"dim": [4, 8, 16], "l2": {"log": [0.01, 1.0]}},
    "interaction": {"mlp": {"width": [8, 16, 32, 64], "depth": [1, 2]}},
}


def width(architecture: Architecture) -> float:
    return float(dict(architecture.blocks())["interaction"].width)  # type: ignore[attr-defined]


def test_the_cheapest_draw_comes_first_and_none_comes_twice() -> None:
    space = Space.read(SPACE)
    drawn = [
        draw(space, lambda path, _, params=params: params[path])
        for params in first_draws(space, 3, width)
    ]
    assert len({a.fingerprint for a in drawn}) == len(drawn) == 10
    assert [width(a) for a in drawn] == sorted(width(a) for a in drawn)
    assert width(drawn[0]) < width(drawn[-1])


@pytest.mark.parametrize(("trials", "queued"), [(3, 3), (50, 10)])
def test_a_new_study_begins_with_them_and_a_resumed_one_does_not(trials: int, queued: int) -> None:
    space, study, config = (
        Space.read(SPACE),
        optuna.create_study(),
        SearchConfig(trials=trials, seed=3),
    )
    for _ in range(2):  # the second time is a resume
        enqueue_start(study, space, config, width)
    assert len(study.trials) == queued
    trial = study.ask()
    expected = first_draws(space, 3, width)
    assert width(draw(space, decider(trial))) == min(
        width(draw(space, lambda path, _, params=params: params[path])) for params in expected
    )


def test_every_other_draw_has_the_usual_settings_where_the_space_has_them() -> None:
    space = Space.read({**SPACE, "training": {"dropout": {"float": [0.2, 0.5]}}})
    drawn = first_draws(space, 3, width)
    usual = [p for p in drawn if (p["embedding.dim"], p["embedding.l2"]) == (16, 0.3)]
    assert len(usual) == 5
    assert all(0.2 <= float(p["training.dropout"]) <= 0.5 for p in drawn)
    assert len({p["training.dropout"] for p in drawn}) == 10


def test_half_of_them_have_rates_for_ids_and_learn_from_trees() -> None:
    """Where the space has both."""
    space = Space.read(
        {
            **SPACE,
            "statistics": {"choose": ["none", "rate_fields", "rate_logit"]},
            "training": {"distillation": [0.0, 0.8]},
        }
    )
    drawn = first_draws(space, 3, width)
    usual = [p for p in drawn if (p["embedding.dim"], p["embedding.l2"]) == (16, 0.3)]
    assert len(usual) == 5
    assert all(p["training.distillation"] == 0.8 for p in usual)
    assert all(p["statistics.rate_fields.replace_ids"] for p in usual)
    assert len({(p["statistics"], p["training.distillation"]) for p in drawn}) > 1
