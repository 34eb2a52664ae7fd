"""The inner product network: inner products of all fields, weighed by factorised matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import block
from automlrank.blocks.interaction.product_layer import ProductLayer
from automlrank.blocks.parts.fields import SignalJoin


class InnerProducts(nn.Module):
    def __init__(self, fields: int, dim: int, width: int, join: str) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.randn(width, fields) * fields**-0.5)
        self.join = SignalJoin(fields * dim, width, join)

    def forward(self, fields: Tensor) -> Tensor:
        delta = F.linear(fields.transpose(1, 2), self.theta)  # [batch, dim, width]
        joined: Tensor = self.join(fields.flatten(1), delta.square().sum(dim=1))
        return joined


@block("ipnn", family="interaction")
class Ipnn(ProductLayer):
    """A product layer of inner products: ``relu(W z + b + l)``, ``l_n = ||sum_i theta_ni v_i||^2``.

    ``z`` is all fields side by side; with ``join: concat`` it is ``[z; l]``, without ``W`` and the
    relu, as later implementations have it. Shapes: fields ``[batch, n, dim]`` to
    ``[batch, width]``, or to ``[batch, n * dim + width]``. The paper's model is
    ``stack: [ipnn, mlp]``.
    """

    paper = "Qu et al., PNN, ICDM 2016, https://arxiv.org/abs/1611.00144"
    module = InnerProducts
