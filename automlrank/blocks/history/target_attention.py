"""Scaled dot-product attention: the target item is the query, the behaviours are the keys."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.attention import softmax_of_real, weighted_sum
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.ports import History, Vector


class ScaledAttention(nn.Module):
    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.query = Dense(dim, width, bias=False)
        self.key = Dense(dim, width, bias=False)
        self.scale = width**-0.5

    def extract(self, keys: Tensor) -> Tensor:
        projected: Tensor = self.key(keys) * self.scale
        return projected  # [batch, length, width]

    def forward(self, extracted: Tensor, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        scores = (extracted @ self.query(target).unsqueeze(2)).squeeze(2)  # [batch, length]
        return weighted_sum(softmax_of_real(scores, mask), keys)


@block("target_attention", family="history")
class TargetAttention(Block):
    """``sum_t a_t k_t`` with ``a = softmax_t((W_q q) . (W_k k_t) / sqrt(width))`` for target ``q``.

    The softmax is over the real positions. Shapes: keys ``[batch, length, dim]``, target ``[batch,
    dim]`` to ``[batch, dim]``.

    >>> import torch
    >>> keys, mask = torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool)
    >>> module = TargetAttention().build(History(dim=8, length=5, ids=9))
    >>> module(module.extract(keys), keys, torch.randn(2, 8), mask).shape
    torch.Size([2, 8])
    """

    paper = "Vaswani et al., Attention Is All You Need, NIPS 2017, https://arxiv.org/abs/1706.03762"
    module = ScaledAttention

    width: int = knob(
        32, legal=ints(1, 1024), search=one_of(16, 32, 64), help="width of queries and keys"
    )

    def out(self, x: History) -> Vector:
        return Vector(x.dim)

    def arguments(self, x: History) -> dict[str, object]:
        return {"dim": x.dim, "width": self.width}
