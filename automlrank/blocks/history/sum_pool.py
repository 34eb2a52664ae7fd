"""Sum pooling of a history, independent of the target item; its size grows with the history."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.ports import History, Vector


class SumPool(nn.Module):
    def forward(self, keys: Tensor, mask: Tensor) -> Tensor:
        return (keys * mask.unsqueeze(2)).sum(dim=1)  # [batch, dim]


@block("sum_pool", family="history")
class SumPooling(Block):
    """``sum_t k_t`` over the real positions.

    It does not see the target, so serving computes it once per request.
    """

    paper = "Zhou et al., DIN, KDD 2018, https://arxiv.org/abs/1706.06978 (its base model)"
    module = SumPool

    def out(self, x: History) -> Vector:
        return Vector(x.dim)

    def arguments(self, x: History) -> dict[str, object]:
        return {}
