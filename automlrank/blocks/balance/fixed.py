"""The plain sum of the tasks' losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import block
from automlrank.blocks.ports import Labels


class LossSum(nn.Module):
    weights: Tensor

    def __init__(self, weights: Sequence[float] = ()) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights), persistent=False)

    def forward(self, losses: Tensor) -> Tensor:
        return (self.weights * losses).sum() if len(self.weights) else losses.sum()


@block("fixed", family="balance")
class Fixed(Balance):
    """``sum_t w_t L_t`` with the weights that the schema gives its tasks, 1 unless it says so.

    >>> module = Fixed().build(Labels((-1, -1), (0.5, 0.5), (None, None), (1.0, 3.0)))
    >>> module(torch.tensor([1.0, 2.0]))
    tensor(7.)
    """

    paper = "Caruana, Multitask Learning, Machine Learning 1997, https://doi.org/10.1023/A:1007379606734"
    module = LossSum
    moves = False

    def arguments(self, labels: Labels) -> dict[str, object]:
        alike = all(weight == 1.0 for weight in labels.weights)
        return {} if alike else {"weights": labels.weights}
