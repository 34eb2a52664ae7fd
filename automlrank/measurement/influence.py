"""Influence of rows, or of groups of rows, on the scores of several models.

The sum of its outer products is the scores' covariance over draws of rows: of AUC DeLong's
placements over their class's size (DeLong et al., Biometrics 1988), of RMSE the delta method, of a
mean the distance from it. Rows of one group depend on each other: their influence is summed before
the product (Obuchowski, Biometrics 1997, https://doi.org/10.2307/2533958).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from automlrank.measurement.metrics import (
    LOGLOSS,
    MAE,
    RMSE,
    Floats,
    Metric,
    cross_entropies,
    group_aucs,
    midranks,
)

Columns = npt.NDArray[np.generic]
Units = npt.NDArray[np.intp]


def row_influence(metric: Metric, labels: Floats, columns: Columns) -> Floats:
    """Return the influence of each row on each model's score, ``[rows, models]``.

    ``labels`` ``[rows]`` without NaN, ``columns`` ``[models, rows]``; the metric needs no groups.
    """
    if metric == RMSE:
        return _error_influence(labels, columns)
    if metric in (LOGLOSS, MAE):
        losses = row_losses(metric, labels, columns)
        spread: Floats = (losses - losses.mean(axis=0)) / len(losses)
        return spread
    positive, found = labels == 1, np.empty((len(labels), len(columns)))
    for model, column in enumerate(columns):
        above, below = placements(labels, column)
        found[positive, model] = (above - above.mean()) / above.size
        found[~positive, model] = (below - below.mean()) / below.size
    return found


def by_group(influence: Floats, groups: Units) -> Floats:
    """Return the summed influence of each group's rows, ``[groups, models]``.

    It is scaled by ``sqrt(G / (G - 1))`` for G groups, so that few do not hide their spread; a
    single group shows none, and its influence is NaN. ``groups`` ``[rows]`` number them from 0.
    """
    count = int(groups.max()) + 1 if groups.size else 0
    if count < 2:
        return np.full((1, influence.shape[1]), math.nan)
    summed = [np.bincount(groups, column, minlength=count) for column in influence.T]
    return np.stack(summed, axis=1).astype(np.float64) * math.sqrt(count / (count - 1))


def _error_influence(labels: Floats, columns: Columns) -> Floats:
    """Return the rows' influence on each model's RMSE: ``(e^2 - mean) / (2 n root)``."""
    squares = (columns.T.astype(np.float64) - labels[:, None]) ** 2
    means = squares.mean(axis=0)
    moved: Floats = (squares - means) / (2 * len(labels) * np.maximum(np.sqrt(means), 1e-300))
    return moved


def row_losses(metric: Metric, labels: Floats, columns: Columns) -> Floats:
    """Return the losses ``[rows, models]`` of which log loss or MAE is the mean."""
    if metric == LOGLOSS:
        losses: Floats = np.stack([cross_entropies(labels, x) for x in columns], axis=1)
        return losses
    errors: Floats = np.abs(columns.T.astype(np.float64) - labels[:, None])
    return errors


def group_influence(labels: Floats, columns: Columns, groups: Units) -> tuple[Units, Floats]:
    """Return the groups with both classes, and their influence on each model's GAUC.

    A single group shows no spread: its influence is NaN.
    """
    mixed = np.flatnonzero(np.bincount(groups, labels == 1) * np.bincount(groups, labels != 1))
    found = [group_aucs(labels, column, groups) for column in columns]
    rows = found[0][1]
    aucs = np.stack([each for each, _ in found], axis=1)
    moved: Floats = rows[:, None] * (aucs - np.average(aucs, axis=0, weights=rows)) / rows.sum()
    return mixed, moved if len(mixed) > 1 else moved * math.nan


def placements(labels: Floats, scores: Columns) -> tuple[Floats, Floats]:
    """Return each positive's share of negatives below it, each negative's of positives above it."""
    positive = labels == 1
    p, n = int(positive.sum()), int((~positive).sum())
    ranks = midranks(scores)
    above = (ranks[positive] - midranks(scores[positive])) / n
    below = 1 - (ranks[~positive] - midranks(scores[~positive])) / p
    return above, below
