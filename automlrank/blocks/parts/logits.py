"""Modules between the heads' logits and the served ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Bias(nn.Module):
    """A bias per task, for models whose logits come from no head."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(tasks))

    def forward(self, logits: Tensor) -> Tensor:
        return logits + self.bias  # [batch, tasks]


class Correction(nn.Module):
    """The first task's logit for all rows, of a model trained on a share ``w`` of its negatives.

    ``q = p / (p + (1 - p) / w)``, that is ``logit + log(w)`` (He et al., Practical Lessons from
    Predicting Clicks on Ads at Facebook, ADKDD 2014, https://doi.org/10.1145/2648584.2648589).
    """

    shift: Tensor

    def __init__(self, tasks: int, negatives: float) -> None:
        super().__init__()
        shift = [math.log(negatives), *[0.0] * (tasks - 1)]
        self.register_buffer("shift", torch.tensor(shift), persistent=False)

    def forward(self, logits: Tensor) -> Tensor:
        return logits.float() + self.shift  # [batch, tasks]


class Chain(nn.Module):
    """Logits of tasks that exist only after another: ``p(child) = p(parent) p(child | parent)``.

    What comes in are logits ``[batch, tasks]`` of ``p(child | parent)``, what goes out are those of
    the product. ``on_all_rows`` trains the product; else training sees what came in.
    """

    def __init__(self, parents: Sequence[int], on_all_rows: bool) -> None:
        super().__init__()
        self.parents = tuple(parents)
        self.on_all_rows = on_all_rows

    def forward(self, logits: Tensor) -> Tensor:
        if self.training and not self.on_all_rows:
            return logits
        logits = logits.float()
        return torch.stack([self.product(logits, t) for t in range(len(self.parents))], dim=1)

    def product(self, logits: Tensor, task: int) -> Tensor:
        """The logit of one task, ``[batch]``: of two, a and b, ``-log(e^-a + e^-b + e^-(a+b))``.

        The odds against ``p q`` are ``(1 + e^-a) (1 + e^-b) - 1``: nothing cancels at either end.
        """
        whole = logits[:, task]
        while (task := self.parents[task]) >= 0:
            other = logits[:, task]
            against = torch.stack([-whole, -other, -whole - other], dim=1)
            whole = -against.logsumexp(dim=1)
        return whole


class Rescale(nn.Module):
    """Regression tasks' outputs in their labels' units, ``mean + deviation * z``; others as is.

    Both numbers are those of the training rows: ``fit_to_labels`` sets them, and weights hold them.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(tasks))
        self.register_buffer("deviation", torch.ones(tasks))

    def fit_to_labels(self, means: Sequence[float], deviations: Sequence[float | None]) -> None:
        """A deviation for every regression task; the others', which are None, stay at 1."""
        for task, deviation in enumerate(deviations):
            if deviation is not None:
                self.mean[task], self.deviation[task] = means[task], deviation

    def forward(self, logits: Tensor) -> Tensor:
        return self.mean + self.deviation * logits.float()  # [batch, tasks]
