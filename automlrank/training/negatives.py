"""Negative down-sampling: which rows an epoch keeps. NumPy alone: exported code copies it.

Only the label of the first task decides, so that its odds among the rows kept are ``1 / w`` times
those of all rows, whatever the features. ``Correction`` (``blocks/parts/logits``) serves the logit
for all rows; ``TaskLoss`` (``blocks/parts/losses``) weighs the other tasks' rows.
"""

from __future__ import annotations

import numpy as np

from automlrank.data.split import Rows
from automlrank.data.values import Array

STREAM = 1  # beside the one that shuffles the rows by the same seed


def kept_rows(labels: Array, share: float, seed: int) -> Rows:
    """The rows that an epoch keeps, in their order: a ``share`` of the first task's negatives.

    Positives and rows whose label is null are all kept, and one negative at least. ``labels``
    ``[rows, tasks]``, null is NaN. Equal seeds keep the same rows.
    """
    if share == 1.0:
        return np.arange(len(labels))
    negatives = np.flatnonzero(labels[:, 0] == 0)
    drawn = np.random.default_rng((seed, STREAM)).permutation(negatives)
    kept = np.ones(len(labels), bool)
    kept[drawn[max(1, round(share * len(negatives))) :]] = False
    return np.flatnonzero(kept)
