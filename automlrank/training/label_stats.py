"""What losses and balances are told of the training rows' labels.

``class_shares`` and ``label_deviations`` are copied by exported code: NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automlrank.blocks.loss_base import Loss
from automlrank.blocks.ports import Labels
from automlrank.data.values import Array
from automlrank.schema import Schema

LEAST_SHARE = 1e-6  # of a class: one that the training rows lack must not weigh without end


def labels_of(schema: Schema, loss: Loss, labels: Array, negatives: float = 1.0) -> Labels:
    """What a loss and a balance are built of, from the labels of the training rows."""
    return Labels(
        parents=schema.parents,
        rates=class_shares(labels, () if loss.on_all_rows else schema.parents, negatives),
        deviations=label_deviations(labels, schema.regression),
        weights=tuple(task.weight for task in schema.tasks),
        negatives=negatives,
    )


def class_shares(
    labels: Array, parents: Sequence[int] = (), negatives: float = 1.0
) -> tuple[float, ...]:
    """The share of each task's labels that are 1, over the rows that count for it.

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
    """The mean of each task's labels, null left out."""
    return tuple(float(np.nanmean(labels[:, i], dtype=np.float64)) for i in range(labels.shape[1]))


def label_deviations(labels: Array, regression: Sequence[int]) -> tuple[float | None, ...]:
    """The standard deviation of the tasks in ``regression``, null left out; None for the others."""
    return tuple(
        float(np.nanstd(labels[:, task], dtype=np.float64)) if task in regression else None
        for task in range(labels.shape[1])
    )
