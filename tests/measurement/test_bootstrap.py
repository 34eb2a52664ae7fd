"""The bootstrap against resampling by hand: rows and groups copied as often as they are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automlrank.measurement import bootstrap as module
from automlrank.measurement.bootstrap import bootstrap, weighted_mean
from automlrank.measurement.metrics import AUC, GAUC, LOGLOSS, auc, gauc, logloss
from automlrank.measurement.significance import sampling


@pytest.fixture
def table():
    """Labels, two models' logits and groups of 120 rows; every group has both classes."""
    draw = np.random.default_rng(3)
    labels = draw.integers(0, 2, 120)
    logits = labels[:, None] + draw.normal(size=(120, 2))
    groups = np.arange(120) % 15
    labels[:15], labels[15:30] = 0, 1
    return labels, logits, groups


def draws(seed, units, resamples):
    """The same draws, as indices."""
    draw = np.random.default_rng(seed)
    return [draw.integers(0, units, units) for _ in range(resamples)]


def test_log_loss_redraws_rows(table):
    labels, logits, _ = table
    copies = [
        [logloss(labels[rows], logits[rows, m]) for m in (0, 1)] for rows in draws(5, 120, 40)
    ]
    found = sampling(LOGLOSS, labels, logits, resamples=40, seed=5)
    np.testing.assert_allclose(found.covariance, np.cov(np.transpose(copies)), atol=1e-14)


def test_gauc_redraws_groups_whole(table):
    """A group that is drawn twice counts as two groups."""
    labels, logits, groups = table
    values = []
    for drawn in draws(5, 15, 40):
        rows = np.concatenate([np.flatnonzero(groups == g) for g in drawn])
        names = np.repeat(np.arange(15), 8)
        values.append([gauc(labels[rows], logits[rows, m], names) for m in (0, 1)])
    found = sampling(GAUC, labels, logits, groups, resamples=40, seed=5)
    np.testing.assert_allclose(found.covariance, np.cov(np.transpose(values)), atol=1e-14)


def test_it_agrees_with_delong(table):
    """Two ways to the same errors: AUC of copied rows, and the formula."""
    labels, logits, _ = table

    def aucs(counts):
        rows = [np.repeat(np.arange(120), count.astype(int)) for count in counts]
        return np.array([[auc(labels[r], logits[r, m]) for m in (0, 1)] for r in rows])

    drawn, exact = bootstrap(aucs, 120), sampling(AUC, labels, logits)
    assert drawn.std(axis=0, ddof=1) == pytest.approx(np.sqrt(exact.covariance.diagonal()), rel=0.1)
    difference = (drawn[:, 0] - drawn[:, 1]).std(ddof=1)
    assert difference == pytest.approx(exact.difference([0], [1])[1], rel=0.1)


def test_one_seed_gives_one_result_however_it_is_cut(monkeypatch):
    """How many resamples are held at once does not show."""
    values = np.random.default_rng(0).normal(size=(50, 2))
    mean = weighted_mean(values, np.ones(50))
    whole = bootstrap(mean, 50, resamples=7, seed=1)
    monkeypatch.setattr(module, "COUNTS", 100)
    np.testing.assert_allclose(bootstrap(mean, 50, resamples=7, seed=1), whole, atol=1e-15)
    assert not np.allclose(bootstrap(mean, 50, resamples=7, seed=2), whole)


def test_every_resample_holds_as_many_units():
    seen = bootstrap(lambda counts: counts, 9, resamples=20)
    assert seen.shape == (20, 9)
    assert set(seen.sum(axis=1)) == {9.0}


def test_the_error_of_a_mean_is_its_textbook_error():
    values = np.random.default_rng(0).normal(size=(400, 1))
    drawn = bootstrap(weighted_mean(values, np.ones(400)), 400, resamples=4000)
    assert drawn.std() == pytest.approx(values.std() / math.sqrt(400), rel=0.05)


@pytest.mark.parametrize(("units", "resamples"), [(0, 10), (10, 1)])
def test_what_cannot_be_drawn_is_refused(units, resamples):
    with pytest.raises(ValueError, match="must hold, but got"):
        bootstrap(lambda counts: counts, units, resamples=resamples)
