"""Seeds that disagree are told from seeds that differ as those of other architectures do."""

from __future__ import annotations

import numpy as np
import pytest

from automlrank.measurement.metrics import AUC, RMSE
from automlrank.measurement.significance import Sampling
from automlrank.measurement.stability import pooled_spread, unstable


def scored(*models: list[float], rows: float = 0.0) -> tuple[Sampling, dict[str, range]]:
    """Models with the scores of their seeds; rows move each score by an error of its own."""
    values = np.array([value for seeds in models for value in seeds])
    ends = np.cumsum([len(seeds) for seeds in models])
    seeds = {
        f"m{i}": range(end - len(mine), end)
        for i, (end, mine) in enumerate(zip(ends, models, strict=True))
    }
    return Sampling(values, rows**2 * np.eye(len(values))), seeds


STEADY = [0.7900, 0.7906, 0.7894]
COLLAPSED = [0.79, 0.79, 0.53]


def test_a_seed_that_collapsed_is_told():
    found, seeds = scored(STEADY, COLLAPSED, STEADY, rows=0.0005)
    assert unstable(found, seeds, AUC) == {"m1"}


def test_two_of_five_that_collapsed_are_both_told():
    found, seeds = scored(STEADY, COLLAPSED, STEADY, COLLAPSED, STEADY)
    assert unstable(found, seeds, AUC) == {"m1", "m3"}


def test_a_spread_that_rows_explain_is_no_fault():
    """On few rows every score moves so far."""
    assert unstable(*scored(COLLAPSED, rows=0.1), AUC) == set()


def test_peers_without_any_spread_make_no_other_unstable():
    """A convex model ends the same with each seed; .0006 is an ordinary spread all the same."""
    found, seeds = scored([0.78] * 3, STEADY, [0.77] * 3, [0.76] * 3)
    assert unstable(found, seeds, AUC) == set()


def test_single_seeds_show_no_spread():
    found, seeds = scored([0.79], [0.53], [0.7])
    assert unstable(found, seeds, AUC) == set()
    assert pooled_spread(found, seeds) is None


def test_errors_in_a_labels_units_are_judged_by_their_size():
    found, seeds = scored([120.0, 121.0, 119.5], [118.0, 119.0, 240.0], [125.0, 125.5, 124.0])
    assert unstable(found, seeds, RMSE) == {"m1"}


@pytest.mark.parametrize("models", [2, 4, 8])
def test_ordinary_seeds_are_hardly_ever_called_unstable(models):
    """In 500 searches of seeds that all have one spread, at most one in a hundred."""
    draw = np.random.default_rng(models)
    told = 0
    for _ in range(500):
        values = 0.7 + 0.01 * draw.normal(size=(models, 3))
        told += bool(unstable(*scored(*values.tolist(), rows=0.004), AUC))
    assert told <= 5


def test_the_pooled_spread_weighs_by_degrees():
    found, seeds = scored([0.7, 0.72], [0.5, 0.5, 0.56], [0.9])
    pooled = pooled_spread(found, seeds)
    assert pooled is not None
    assert pooled.degrees == 3
    assert pooled.variance == pytest.approx((2e-4 + 2 * 1.2e-3) / 3)
