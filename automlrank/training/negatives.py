"""Negative down-sampling: the rows that an epoch keeps.

The label of the first task alone decides. Its odds among the rows kept are therefore ``1 / w``
times those of all rows, whatever the features: the model corrects its logit (``Correction``), and
the other tasks' losses weigh the rows (``TaskLoss``).
"""

from __future__ import annotations

import numpy as np

from automlrank.data.batches import Rows
from automlrank.data.values import Array

STREAM = 1  # beside the one that shuffles the rows by the same seed


def kept_rows(labels: Array, share: float, seed: int) -> Rows:
    """Return the rows of an epoch, in their order: a ``share`` of the first task's negatives.

    Positives and rows whose label is null are all kept, and one negative at least. ``labels``
    ``[rows, tasks]``, null is NaN. Equal seeds keep the same rows.
    """
    negatives = np.flatnonzero(labels[:, 0] == 0)
    drawn = np.random.default_rng((seed, STREAM)).permutation(negatives)
    kept = np.ones(len(labels), bool)
    kept[drawn[max(1, round(share * len(negatives))) :]] = False
    return np.flatnonzero(kept)
