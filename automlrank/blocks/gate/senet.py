"""Squeeze and excitation: a weight per field, computed from all fields."""

from __future__ import annotations

from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import ACTIVATIONS, Dense
from automlrank.blocks.ports import Fields


class SqueezeExcitation(nn.Module):
    def __init__(self, fields: int, reduction: int, activation: str) -> None:
        super().__init__()
        width = max(1, fields // reduction)
        self.excite = nn.Sequential(
            Dense(fields, width, bias=False),
            nn.ReLU(),
            Dense(width, fields, bias=False),
            ACTIVATIONS[activation](),
        )

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.excite(x.mean(dim=2))  # [batch, fields]
        return x * weights.unsqueeze(2)


@block("senet", family="gate")
class SeNet(Block):
    """A weight per field: ``v_i * a_i`` with ``a = act(W' relu(W mean_d(v)))``.

    The paper's last activation is relu; sigmoid keeps every field alive at the start, when
    embeddings are small.

    >>> import torch
    >>> SeNet().build(Fields(6, 4))(torch.randn(2, 6, 4)).shape
    torch.Size([2, 6, 4])
    """

    paper = "Huang et al., FiBiNET, RecSys 2019, https://arxiv.org/abs/1905.09433"
    module = SqueezeExcitation

    reduction: int = knob(
        3, legal=ints(1, 16), search=one_of(2, 4), help="fields per hidden unit of the excitation"
    )
    activation: str = knob(
        "sigmoid",
        legal=one_of("relu", "sigmoid"),
        search=one_of("relu", "sigmoid"),
        help="activation of the weights",
    )

    def out(self, x: Fields) -> Fields:
        return x

    def arguments(self, x: Fields) -> dict[str, object]:
        return {"fields": x.n, "reduction": self.reduction, "activation": self.activation}
