"""What a training tells while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Progress:
    """Where training stands; ``scores`` (metric by task) only at the end of an epoch."""

    epoch: int
    rows: int
    """Training rows seen, from all epochs."""
    loss: float
    seconds: float
    scores: Scores | None = None
    best: Scores | None = None
    zero_shares: Scores | None = None
    """With ``scores``: by parameter, the share of FTRL's weights met so far that are zero."""
    weights: Scores | None = None
    """With ``scores``: by task, the mean over the epoch of the weight that the balance gave it."""
    epoch_rows: int | None = None
    """Those of an epoch, which may leave out negatives; None is all training rows."""
