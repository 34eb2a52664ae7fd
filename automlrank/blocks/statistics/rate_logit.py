"""Target rates added to the logits: a linear model that weights a rate by its count."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import block
from automlrank.blocks.ports import Logit, Statistics, Targets
from automlrank.blocks.statistics.base import StatisticsBlock

GAIN = 10.0  # few weights carry what embeddings spread over many: they move as much faster


class StatisticLogit(nn.Module):
    """Starts as the mean of each task's own rates."""

    def __init__(self, statistics: int, tasks: int) -> None:
        super().__init__()
        columns = statistics // (tasks + 1)  # each has a rate per task, then a count
        start = torch.cat([torch.eye(tasks), torch.zeros(1, tasks)]) / (GAIN * columns)
        self.weight = nn.Parameter(start.repeat(columns, 1))
        self.trust = nn.Parameter(torch.zeros(columns, tasks))

    def forward(self, statistics: Tensor) -> Tensor:
        columns, tasks = self.trust.shape
        apart = statistics.view(-1, columns, tasks + 1)  # a rate per task, then the count
        trusted = (apart[:, :, :tasks] * apart[:, :, tasks:] * self.trust).sum(dim=1)
        logit: Tensor = GAIN * (statistics @ self.weight + trusted)  # [batch, tasks]
        return logit


@block("rate_logit", family="statistics")
class RateLogit(StatisticsBlock):
    """``logit_t = sum_j w_jt s_j + sum_c u_ct s_ct n_c``, on rates s and log-counts n of columns c.

    Nothing else reads them: a rate cannot interact with the ids it was counted on.

    >>> module = RateLogit().build(Statistics(n=6, dim=0), Targets(2))
    >>> module(torch.randn(3, 6)).shape  # two columns: a rate for each task, then a count
    torch.Size([3, 2])
    """

    paper = "He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD 2014"
    module = StatisticLogit

    def out(self, x: Statistics, targets: Targets) -> Logit:
        return Logit(targets.n)

    def arguments(self, x: Statistics, targets: Targets) -> dict[str, object]:
        return {"statistics": x.n, "tasks": targets.n}
