"""A fused score of several tasks' predictions, and its metric. NumPy alone: exports copy it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from automlrank.measurement.metrics import Floats


def fused(logits: npt.ArrayLike, exponents: Sequence[float]) -> Floats:
    """Return the log of the fused score, ``sum_t a_t log sigmoid(z_t)``: the same order of rows.

    ``logits`` ``[rows, tasks]``, ``exponents`` ``a`` one a task, 0 where it takes no part;
    ``[rows]``, NaN where a logit that takes part is.
    """
    columns = np.asarray(logits, np.float64)
    total: Floats = np.zeros(len(columns))
    with np.errstate(invalid="ignore"):  # of a NaN, which is to go on as one
        for task, exponent in enumerate(exponents):
            if exponent:
                total -= exponent * np.logaddexp(0.0, -columns[:, task])
    return total


def judged(
    judge: Callable[[npt.ArrayLike, npt.ArrayLike], float],
    labels: npt.ArrayLike,
    score: npt.ArrayLike,
    exponents: Sequence[float],
) -> float:
    """Return a score's metric over all labels: ``sum_t a_t judge(y_t, score) / sum_t a_t``.

    ``labels`` ``[rows, tasks]``, null is NaN; ``score`` ``[rows]``; NaN where one of the tasks'
    is not defined.
    """
    truth = np.asarray(labels)
    total = sum(a * judge(truth[:, task], score) for task, a in enumerate(exponents) if a)
    return total / sum(exponents)
