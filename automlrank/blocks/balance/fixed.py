"""The plain sum of the tasks' losses."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block


class LossSum(nn.Module):
    def forward(self, losses: Tensor) -> Tensor:
        return losses.sum()


@block("fixed", family="balance")
class Fixed(Block):
    """``sum_t L_t``: every task counts the same, all the time."""

    paper = "Caruana, Multitask Learning, Machine Learning 1997, https://doi.org/10.1023/A:1007379606734"
    module = LossSum

    def arguments(self) -> dict[str, object]:
        return {}
