"""Progress of a training, reported while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Progress:
    """State of a training; ``scores`` (metric by task) only at the end of an epoch."""

    epoch: int
    rows: int
    """Training rows seen, from all epochs."""
    loss: float
    seconds: float
    scores: Scores | None = None
    best: Scores | None = None
    zero_shares: Scores | None = None
    """With ``scores``: by parameter, the share of exact zeros that its own optimizer reports."""
    weights: Scores | None = None
    """With ``scores``: by task, the mean over the epoch of the weight that the balance gave it."""
    epoch_rows: int | None = None
    """Rows of an epoch, which may leave out negatives; None is all training rows."""
