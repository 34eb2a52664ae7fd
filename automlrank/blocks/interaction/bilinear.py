"""Bilinear interactions: a vector for every pair of fields, with a matrix between them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import one_of
from automlrank.blocks.parts.fields import pair_products
from automlrank.blocks.ports import Fields


class BilinearPairs(nn.Module):
    def __init__(self, fields: int, dim: int, matrix: str) -> None:
        super().__init__()
        later = list(range(fields - 1, 0, -1))  # fields after each left one
        self.sizes = {"all": [1], "each": [1] * len(later), "interaction": later}[matrix]
        self.shared = matrix == "all"
        self.weight = nn.Parameter(torch.randn(sum(self.sizes), dim, dim) * dim**-0.5)

    def forward(self, fields: Tensor) -> Tensor:
        lefts = fields.unbind(dim=1)[:-1]  # n - 1 of [batch, dim]
        if not lefts:
            return torch.zeros_like(fields)  # a single field has no pairs
        # [1 or later fields, dim, dim] for each left
        weights = torch.split(self.weight, self.sizes)
        if self.shared:
            weights = weights * len(lefts)
        mapped = (
            F.linear(left, weight.flatten(0, 1)).view(-1, *weight.shape[:2])
            for left, weight in zip(lefts, weights, strict=True)
        )
        return torch.cat(pair_products(mapped, fields), dim=1)  # [batch, pairs, dim]


@block("bilinear", family="interaction")
class BilinearInteraction(Block):
    """A vector for every pair of fields, ``p_ij = (v_i W) * v_j`` for ``i < j``.

    ``W`` is one for all pairs, one for each left field (the last field is never left and has
    none), or one for each pair. Shapes: fields ``[batch, n, dim]`` to fields
    ``[batch, n (n - 1) / 2, dim]``, in the order (0, 1), (0, 2), ..., (1, 2), ...; a single field,
    which has no pairs, gives one field of zeros.
    """

    paper = "Huang et al., FiBiNET, RecSys 2019, https://arxiv.org/abs/1905.09433"
    module = BilinearPairs

    matrix: str = knob(
        "interaction",
        legal=one_of("all", "each", "interaction"),
        search=one_of("all", "each", "interaction"),
        help="one W for all pairs, for each left field, or for each pair",
    )

    def out(self, x: Fields) -> Fields:
        return Fields(max(1, x.n * (x.n - 1) // 2), x.dim)

    def arguments(self, x: Fields) -> dict[str, object]:
        return {"fields": x.n, "dim": x.dim, "matrix": self.matrix}
