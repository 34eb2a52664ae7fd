"""The outer product network: the outer product of the fields' sum, weighed by matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import block
from automlrank.blocks.interaction.product_layer import ProductLayer
from automlrank.blocks.parts.fields import SignalJoin


class OuterProducts(nn.Module):
    def __init__(self, fields: int, dim: int, width: int, join: str) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, dim, dim) / dim)
        self.join = SignalJoin(fields * dim, width, join)

    def forward(self, fields: Tensor) -> Tensor:
        total = fields.sum(dim=1)  # [batch, dim]
        outer = total.unsqueeze(2) * total.unsqueeze(1)  # [batch, dim, dim]
        products = F.linear(outer.flatten(1), self.weight.flatten(1))  # [batch, width]
        joined: Tensor = self.join(fields.flatten(1), products)
        return joined


@block("opnn", family="interaction")
class Opnn(ProductLayer):
    """A product layer of outer products: ``relu(W z + b + l)``, ``l_n = <W_n, s s^T>``.

    ``s = sum_i v_i``, ``<A, B>`` is the sum of ``A * B``, and ``W_n`` need not be symmetric. ``z``
    is all fields side by side; with ``join: concat`` it is ``[z; l]``, without ``W`` and the relu.
    Shapes: fields ``[batch, n, dim]`` to ``[batch, width]``, or to ``[batch, n * dim + width]``.
    The paper's model is ``stack: [opnn, mlp]``.
    """

    paper = "Qu et al., PNN, ICDM 2016, https://arxiv.org/abs/1611.00144"
    module = OuterProducts
