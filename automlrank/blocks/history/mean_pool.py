"""Mean pooling of a history, independent of the target item."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block
from automlrank.blocks.ports import History, Vector


class MeanPool(nn.Module):
    def forward(self, keys: Tensor, mask: Tensor) -> Tensor:
        real = mask.unsqueeze(2)  # [batch, length, 1]
        return (keys * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)  # [batch, dim]


@block("mean_pool", family="history")
class MeanPooling(Block):
    """``sum_t k_t / length`` over the real positions; zero for an empty history.

    It does not see the target, so serving computes it once per request.
    """

    paper = "Covington et al., YouTube, RecSys 2016, https://doi.org/10.1145/2959100.2959190"
    module = MeanPool

    def out(self, x: History) -> Vector:
        return Vector(x.dim)

    def arguments(self, x: History) -> dict[str, object]:
        return {}
