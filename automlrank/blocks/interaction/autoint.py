"""AutoInt: multi-head self-attention over the fields."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.ports import Fields, Vector


class FieldAttention(nn.Module):
    """One layer: ``relu(concat_h(softmax(q_h k_h^T) v_h) + W_res e)``, unscaled as published."""

    def __init__(self, dim: int, heads: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.query = Dense(dim, heads * width, bias=False)
        self.key = Dense(dim, heads * width, bias=False)
        self.value = Dense(dim, heads * width, bias=False)
        self.residual = Dense(dim, heads * width, bias=False)

    def forward(self, e: Tensor) -> Tensor:
        # a head at a time: with 1000 rows, 26 fields, dim 16, 2 heads of 8, forward and backward
        # 18 ms, one thread; 28 as one scaled_dot_product_attention of [batch, heads, fields, width]
        parts = (layer(e).split(self.width, dim=2) for layer in (self.query, self.key, self.value))
        met = [
            torch.bmm(torch.bmm(query, key.mT).softmax(dim=2), value)  # [batch, fields, width]
            for query, key, value in zip(*parts, strict=True)
        ]
        return torch.relu(torch.cat(met, dim=2) + self.residual(e))


class AutoInteraction(nn.Module):
    def __init__(self, dim: int, heads: int, width: int, layers: int) -> None:
        super().__init__()
        dims = [dim, *[heads * width] * (layers - 1)]
        self.layers = nn.Sequential(*(FieldAttention(d, heads, width) for d in dims))

    def forward(self, fields: Tensor) -> Tensor:
        met: Tensor = self.layers(fields)  # [batch, fields, heads * width]
        return met.flatten(1)


@block("autoint", family="interaction")
class AutoInt(Block):
    """Multi-head self-attention over fields with a residual, ``relu(concat heads + W e)``, stacked.

    Shapes: fields ``[batch, n, dim]`` to ``[batch, n * heads * width]``.
    """

    paper = "Song et al., AutoInt, CIKM 2019, https://arxiv.org/abs/1810.11921"
    module = AutoInteraction

    layers: int = knob(2, legal=ints(1, 6), search=one_of(1, 2, 3), help="attention layers")
    heads: int = knob(2, legal=ints(1, 16), search=one_of(1, 2, 4), help="heads of a layer")
    width: int = knob(16, legal=ints(1, 256), search=one_of(8, 16, 32), help="width of a head")

    def out(self, x: Fields) -> Vector:
        return Vector(x.n * self.heads * self.width)

    def arguments(self, x: Fields) -> dict[str, object]:
        return {"dim": x.dim, "heads": self.heads, "width": self.width, "layers": self.layers}
