"""Simulations with a known truth: 95 % intervals hold it in 93 to 97 % of the data sets.

With 2,000 data sets the share's own standard error is .5 %: the bounds are four of them away.
"""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest

from automlrank.measurement.metrics import AUC, GAUC, LOGLOSS, MAE, RMSE
from automlrank.measurement.significance import Sampling, sampling

RUNS = 2000
RESAMPLES = 250  # each error is sure to 4.5 %, which costs .3 % of coverage; 1,000 cost none
PHI = NormalDist().cdf


def separated(draw, labels, distances):
    """Scores of two models, ``distance * label + noise``, the noise correlated .8."""
    common = draw.normal(size=(len(labels), 1))
    own = draw.normal(size=(len(labels), 2))
    return labels[:, None] * distances + math.sqrt(0.8) * common + math.sqrt(0.2) * own


def auc_data(draw):
    """Two normal classes a distance apart have the AUC ``Phi(distance / sqrt(2))``."""
    labels = np.repeat([0, 1], [150, 100])
    truth = [PHI(d / math.sqrt(2)) for d in (1.0, 0.8)]
    return labels, separated(draw, labels, np.array([1.0, 0.8])), None, truth


def gauc_data(draw):
    """80 groups of 6 rows, in half of which the second model is the better one."""
    labels, groups = draw.integers(0, 2, 480), np.repeat(np.arange(80), 6)
    kind = draw.integers(0, 2, 80)[groups][:, None]
    distances = np.where(kind, [1.5, 0.2], [0.5, 1.0])
    pairs = ((1.5, 0.5), (0.2, 1.0))
    truth = [sum(PHI(d / math.sqrt(2)) for d in pair) / 2 for pair in pairs]
    return labels, separated(draw, labels, distances), groups, truth


def logloss_data(draw):
    """True logits -2 to 2, of which the models see 0.5 and 1 too much or too little."""
    signs = np.array([-1.0, 1.0])
    logits = draw.integers(-2, 3, 400)
    labels = draw.random(400) < 1 / (1 + np.exp(-logits))
    seen = logits[:, None] + draw.choice(signs, (400, 2)) * [0.5, 1.0]
    truth = []
    for off in (0.5, 1.0):
        losses = []
        for z, sign in itertools.product(range(-2, 3), signs):
            p = 1 / (1 + math.exp(-z))
            guess = z + sign * off
            losses.append(p * math.log1p(math.exp(-guess)) + (1 - p) * math.log1p(math.exp(guess)))
        truth.append(sum(losses) / len(losses))
    return labels * 1.0, seen, None, truth


def stay_data(draw):
    """Errors of two models with a part in common, Laplace: their squares have a kurtosis of 6."""
    labels = draw.lognormal(size=400)
    common, own = draw.laplace(size=400), draw.laplace(size=(400, 2))
    return labels, labels[:, None] + np.where(draw.random((400, 1)) < 0.8, common[:, None], own)


def rmse_data(draw):
    """``sqrt(2) * scale`` is the deviation of a Laplace error."""
    labels, values = stay_data(draw)
    errors = (values - labels[:, None]) * [1.0, 1.1]
    return labels, labels[:, None] + errors, None, [math.sqrt(2), 1.1 * math.sqrt(2)]


def mae_data(draw):
    """Its mean distance from 0 is the scale."""
    labels, values, _, _ = rmse_data(draw)
    return labels, values, None, [1.0, 1.1]


@pytest.mark.parametrize(
    ("metric", "data"),
    [
        (AUC, auc_data),
        (GAUC, gauc_data),
        (LOGLOSS, logloss_data),
        (RMSE, rmse_data),
        (MAE, mae_data),
    ],
)
def test_intervals_and_paired_intervals_cover(metric, data):
    """DeLong's of AUC, the bootstrap's of GAUC, log loss and MAE, the delta method's of RMSE."""
    draw = np.random.default_rng(1)
    covered = np.zeros(3)
    for run in range(RUNS):
        labels, scores, groups, truth = data(draw)
        found = sampling(metric, labels, scores, groups, resamples=RESAMPLES, seed=run)
        for model in (0, 1):
            low, high = found.interval([model])
            covered[model] += low <= truth[model] <= high
        difference, error = found.difference([0], [1])
        covered[2] += abs(difference - (truth[0] - truth[1])) <= 1.96 * error
    shares = covered / RUNS
    assert all(0.93 <= share <= 0.97 for share in shares), shares


@pytest.mark.parametrize(
    ("rows", "own", "seeds"),
    [(1, 0, 0), (1, 0.3, 0.3), (1, 1, 1), (1, 3, 0.3), (1, 0.3, 3), (0.3, 1, 1), (0.3, 0.3, 3)],
)
def test_differences_over_seeds_cover(rows, own, seeds):
    """Three seeds each, whichever part of the variance is the largest."""
    assert 0.93 <= covered_over_seeds(rows, own, [seeds] * 6) <= 0.97


def test_the_worst_case_of_welchs_degrees_is_2_per_cent_off():
    """One model's spread over seeds is far above all else, the other has none."""
    assert 0.92 <= covered_over_seeds(0.1, 0.1, [10.0] * 3 + [0.0] * 3) <= 0.94


def covered_over_seeds(rows: float, own: float, seeds: list[float]) -> float:
    """The share of intervals of a difference that hold the true one.

    ``rows`` is the variance of the difference over rows that all seeds share, ``own`` what each
    trained model adds over rows, ``seeds`` what each training adds.
    """
    draw = np.random.default_rng(11)
    covariance = own * np.eye(6)
    covariance[:3, :3] += rows
    truth, covered = 0.3, 0
    for _ in range(RUNS):
        values = draw.multivariate_normal(np.zeros(6), covariance + np.diag(seeds))
        values[:3] += truth
        difference, error = Sampling(values, covariance).difference(range(3), range(3, 6))
        covered += abs(difference - truth) <= 1.96 * error
    return covered / RUNS


def test_one_architecture_under_two_names_is_called_different_in_5_per_cent():
    """From rows to verdict: other seeds, the same rows, no true difference."""
    draw = np.random.default_rng(3)
    labels = np.repeat([0, 1], [150, 100])
    real = 0
    for _ in range(RUNS):
        luck = 1 + draw.normal(0, 0.15, 6)  # how well each training separates the classes
        scores = labels[:, None] * luck + draw.normal(size=(250, 1)) + draw.normal(size=(250, 6))
        difference, error = sampling(AUC, labels, scores).difference(range(3), range(3, 6))
        real += abs(difference) > 1.96 * error
    assert 0.03 <= real / RUNS <= 0.07
