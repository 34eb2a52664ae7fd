"""Label statistics of the training rows, from which losses, balances and scales are built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from torch import nn

from automlrank.data.values import Array

LEAST_SHARE = 1e-6  # of a class: one that the training rows lack must not weigh without end


def class_shares(
    labels: Array, parents: Sequence[int] = (), negatives: float = 1.0
) -> tuple[float, ...]:
    """Return the share of each task's labels that are 1, over the rows that count for it.

    ``labels`` ``[rows, tasks]``, null is NaN; ``parents`` is the place of the task whose label must
    be 1, -1 for none. Of the first task's negatives only the share ``negatives`` counts. Within
    ``LEAST_SHARE`` of 0 and 1; a half where no row counts.
    """
    shares = []
    for task in range(labels.shape[1]):
        column = labels[:, task]
        counts = ~np.isnan(column)
        if parents and parents[task] >= 0:
            counts &= labels[:, parents[task]] == 1
        share = (column[counts] == 1).mean(dtype=np.float64) if counts.any() else 0.5
        if task == 0 and negatives < 1:
            share /= share + (1 - share) * negatives
        shares.append(float(np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)))
    return tuple(shares)


def label_means(labels: Array) -> tuple[float, ...]:
    """Return the mean of each task's labels, null left out."""
    return tuple(float(np.nanmean(labels[:, i], dtype=np.float64)) for i in range(labels.shape[1]))


def label_deviations(labels: Array, regression: Sequence[int]) -> tuple[float | None, ...]:
    """Return the standard deviation of the tasks in ``regression``, None for the others."""
    return tuple(
        float(np.nanstd(labels[:, task], dtype=np.float64)) if task in regression else None
        for task in range(labels.shape[1])
    )


@runtime_checkable
class FitsLabels(Protocol):
    """A module fitted to the labels' means and deviations before training."""

    def fit_to_labels(self, means: Sequence[float], deviations: Sequence[float | None]) -> None: ...


def fit_to_labels(model: nn.Module, labels: Array, regression: Sequence[int]) -> None:
    """Fit the modules that need it to the label means and deviations of the training rows."""
    for module in model.modules():
        if isinstance(module, FitsLabels):
            module.fit_to_labels(label_means(labels), label_deviations(labels, regression))
