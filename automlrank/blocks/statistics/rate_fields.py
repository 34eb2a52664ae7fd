"""Target rates and counts as fields beside the embedded columns."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import block, knob
from automlrank.blocks.domains import ints, logs, one_of
from automlrank.blocks.ports import Fields, Statistics
from automlrank.blocks.statistics.base import StatisticsBlock

EPS = 0.1
"""Beside the variance. A training row counts the rows of other folds, a new one all: log 1.25 more,
many deviations of a count that hardly varies. Where ids have as many rows each, valid log loss was
.52 at .1, as without the norm, .53 at .01 and .61 at torch's 1e-5."""
SPAN = 3.0  # deviations: buckets are equal parts of -SPAN to SPAN


class StatisticFields(nn.Module):
    """A vector times each standardised number, or one of ``buckets`` vectors by its size."""

    def __init__(self, statistics: int, dim: int, buckets: int, scale: float) -> None:
        super().__init__()
        self.buckets = buckets
        self.norm = nn.BatchNorm1d(statistics, eps=EPS, affine=False)
        self.vectors = nn.Parameter(torch.randn(statistics, max(buckets, 1), dim) * scale)

    def forward(self, statistics: Tensor) -> Tensor:
        normal: Tensor = self.norm(statistics)
        if not self.buckets:
            return normal.unsqueeze(2) * self.vectors[:, 0]  # [batch, statistics, dim]
        place = (normal / SPAN + 1) / 2 * self.buckets
        bucket = place.long().clamp(0, self.buckets - 1)
        first = torch.arange(bucket.shape[1], device=bucket.device) * self.buckets
        return F.embedding(bucket + first, self.vectors.flatten(0, 1))


@block("rate_fields", family="statistics")
class RateFields(StatisticsBlock):
    """Each standardised rate and count times a vector of its own: ``field_j = s_j v_j``.

    ``s_j`` has mean 0 and a variance of at most 1, by batch norm: log-odds of rare events and
    logarithms of counts are large, and fields start alike. With buckets
    ``field_j = v_{j, bucket(s_j)}``. They join the columns' fields and interact with them. With
    ``replace_ids`` no block reads the ids of the columns that have a rate, but for those asked for
    by name: a history's target, the scenario, the context, ``fields`` of a branch, the schema's
    crosses.
    """

    paper = "Juan et al., Field-aware Factorization Machines, RecSys 2016 (numbers as fields)"
    module = StatisticFields
    recommended = True  # +.002 of test AUC, with replace_ids +.001 (reports/target_rates.md)

    buckets: int = knob(0, legal=ints(0, 100), help="vectors for each number; 0: times its size")
    scale: float = knob(
        0.03,
        legal=logs(1e-5, 1.0),
        search=logs(0.01, 0.3),
        help="initial standard deviation; smaller is better beside fm, which multiplies numbers",
    )
    # an id's vector learns the whole rate, so that the rate of the other rows gives the row's own
    # label away in training (reports/target_rates.md)
    replace_ids: bool = knob(
        False,
        legal=one_of(False, True),
        search=one_of(False, True),
        recommended=True,
        help="True: rates replace the ids of their columns, as in boosted trees",
    )

    def phrase(self) -> str:
        return f"{self.name} for ids" if self.replace_ids else self.name

    def replaces_ids(self) -> bool:
        return self.replace_ids

    def out(self, x: Statistics) -> Fields:
        return Fields(x.n, x.dim)

    def arguments(self, x: Statistics) -> dict[str, object]:
        return {
            "statistics": x.n,
            "dim": x.dim,
            "buckets": self.buckets,
            "scale": self.scale,
        }
