"""A trained model: its best weights, its scores, and its course over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from automlrank.measurement.metrics import Metric
from automlrank.model.network import RankingModel
from automlrank.training.progress import Progress


@dataclass(frozen=True)
class Trained:
    """A trained model with its best weights, and the course of its training."""

    model: RankingModel
    scores: Mapping[str, float]
    curve: list[dict[str, Any]]
    rows: int
    seconds: float
    zero_shares: Mapping[str, float]
    weights: Mapping[str, Sequence[float]] | None
    """The balance's, by task, epoch by epoch; None where it has none that move."""

    @classmethod
    def of(
        cls, model: RankingModel, ends: Sequence[Progress], metric: Metric, seconds: float
    ) -> Self:
        """Return the result of a training from its epochs; shares of zeros are the best epoch's."""
        scores = ends[-1].best
        assert scores is not None
        best = next(end for end in ends if end.scores == scores)
        curve = [
            {
                "epoch": end.epoch,
                "rows": end.rows,
                "loss": end.loss,
                "seconds": round(end.seconds, 3),
                metric.name: dict(end.scores or {}),
                **({"weights": dict(end.weights)} if end.weights else {}),
            }
            for end in ends
        ]
        told = [end.weights for end in ends if end.weights]
        weights = {task: [of[task] for of in told] for task in told[0]} if told else None
        return cls(model, scores, curve, ends[-1].rows, seconds, best.zero_shares or {}, weights)
