"""The mixture of low-rank crosses: each expert crosses in its own low-dimensional space."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import ACTIVATIONS, Dense
from automlrank.blocks.ports import Vector


class MixtureCrossLayer(nn.Module):
    """The experts' ``V`` stand side by side in ``down``, their ``U`` in ``up``, whose bias is b.

    As the shares sum to one, ``sum_i p_i (U_i h_i + b) = U [p_1 h_1; ...; p_n h_n] + b``: one
    product, and no tensor of [batch, experts, dim]. With 4096 rows of 624, 3 layers of 4 experts
    of rank 32, one thread: 77 ms forward, 235 with backward; 308 and 975 with such a tensor.
    """

    def __init__(self, dim: int, experts: int, rank: int, activation: str) -> None:
        super().__init__()
        bound = rank**-0.5  # as nn.Linear starts
        self.down = Dense(dim, experts * rank, bias=False)
        self.core = nn.Parameter(torch.empty(experts, rank, rank).uniform_(-bound, bound))
        self.up = Dense(experts * rank, dim)
        self.gate = Dense(dim, experts, bias=False) if experts > 1 else None
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x0: Tensor, x: Tensor) -> Tensor:
        h = self.activation(self.down(x)).unflatten(1, self.core.shape[:2])
        h = torch.einsum("ber,esr->bes", h, self.core)  # C_i times each expert's part
        h = self.activation(h)  # [batch, experts, rank]
        if self.gate is not None:
            h = h * self.gate(x).softmax(dim=1).unsqueeze(2)
        crossed: Tensor = x0 * self.up(h.flatten(1)) + x
        return crossed  # [batch, dim]


class MixtureCross(nn.Module):
    def __init__(self, dim: int, layers: int, experts: int, rank: int, activation: str) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            MixtureCrossLayer(dim, experts, rank, activation) for _ in range(layers)
        )

    def forward(self, x0: Tensor) -> Tensor:
        x = x0
        for layer in self.layers:
            x = layer(x0, x)
        return x


@block("cross_net_mix", family="interaction")
class CrossNetMix(Block):
    """Low-rank crosses mixed by a gate: ``x <- sum_i p_i x0 * (U_i g(C_i g(V_i^T x)) + b) + x``.

    Shares ``p = softmax(G x)``. Shapes: ``[batch, dim]`` to ``[batch, dim]``; ``V_i`` and ``U_i``
    ``[dim, rank]``, ``C_i`` ``[rank, rank]``, ``G`` ``[experts, dim]``. The paper leaves the gate
    and ``g`` open: here every layer has a gate of its own, and one expert has none.
    """

    paper = "Wang et al., DCN V2, WWW 2021, https://arxiv.org/abs/2008.13535"
    module = MixtureCross

    layers: int = knob(3, legal=ints(1, 8), search=one_of(1, 2, 3), help="cross layers")
    experts: int = knob(4, legal=ints(1, 16), search=one_of(2, 4), help="experts of a layer")
    rank: int = knob(32, legal=ints(1, 1024), search=one_of(16, 32, 64), help="rank of each expert")
    activation: str = knob(
        "tanh",
        legal=one_of("tanh", "relu", "gelu", "silu", "sigmoid", "identity"),
        help="g, in the small space; identity leaves the product U C V^T",
    )

    def out(self, x: Vector) -> Vector:
        return x

    def arguments(self, x: Vector) -> dict[str, object]:
        return {"dim": x.dim, **self.settings()}
