"""Networks of one shape side by side, and the gates that mix them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.parts.layers import ACTIVATIONS, Dropout


class Experts(nn.Module):
    """``n`` networks of one shape side by side: ``depth`` times linear, activation, dropout.

    They read one vector, ``[batch, dim]``, or several, as ``side_by_side`` says.
    """

    def __init__(
        self,
        n: int,
        dim: int,
        width: int,
        depth: int,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for _ in range(depth):
            self.weights.append(xavier(n, dim, width))
            self.biases.append(torch.zeros(n, 1, width))
            dim = width
        self.activation = ACTIVATIONS[activation]()
        self.dropout = Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for weight, bias in zip(self.weights, self.biases, strict=True):
            y = self.dropout(self.activation(side_by_side(y, weight) + bias))
        return y.transpose(0, 1)  # [batch, n, width]


def xavier(n: int, dim: int, width: int) -> Tensor:
    """``n`` matrices as ``Dense`` starts its own: ``[n, dim, width]``."""
    bound = (6 / (dim + width)) ** 0.5
    return torch.empty(n, dim, width).uniform_(-bound, bound)


def side_by_side(x: Tensor, weights: Tensor) -> Tensor:
    """``x W_i`` for ``n`` matrices: ``[n, batch, width]``.

    They read one x, ``[batch, dim]``, or ``[k, batch, dim]``: the first ``n / k`` matrices the
    first, and so on. Those of one x are a single product of wide matrices: 15 experts of 64 on
    1024 x 640 took 41 ms forward and backward that way, 81 ms as a batched product, gates of 3 x 8
    1.9 ms and 8.7 ms.
    """
    n, dim, width = weights.shape
    if x.dim() == 2:
        wide = x @ weights.transpose(0, 1).reshape(dim, n * width)
        return wide.view(-1, n, width).transpose(0, 1)
    k = x.shape[0]
    if k == n:
        return torch.bmm(x, weights)
    wide = weights.view(k, n // k, dim, width).transpose(1, 2).reshape(k, dim, -1)
    return torch.bmm(x, wide).view(k, -1, n // k, width).transpose(1, 2).flatten(0, 1)


class MixtureGates(nn.Module):
    """Shares of ``choices`` experts for each of ``n`` gates: ``softmax(W_i x)``.

    With ``hidden`` units a gate has a layer of its own below: ``softmax(W_i relu(V_i x + b_i))``.
    The gates read one vector, ``[batch, dim]``, or one each, ``[n, batch, dim]``.
    """

    def __init__(self, n: int, dim: int, choices: int, hidden: int) -> None:
        super().__init__()
        self.hidden = Experts(n, dim, hidden, 1) if hidden else None
        self.weight = nn.Parameter(xavier(n, hidden or dim, choices))

    def forward(self, x: Tensor) -> Tensor:
        if self.hidden is not None:
            x = self.hidden(x).transpose(0, 1)
        scores = side_by_side(x, self.weight).transpose(0, 1)
        return scores.softmax(dim=2)  # [batch, n, choices]
