"""Steps over the time of a sequence, and the vector of an empty history."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch._higher_order_ops import scan


class EmptyHistory(nn.Module):
    """A learned vector that replaces an encoder's output for an empty history."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.zeros(dim))

    def forward(self, encoded: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask.any(dim=1, keepdim=True), encoded, self.vector)  # [batch, dim]


def keeps_shapes(x: Tensor) -> bool:
    """Return True if no shape may depend on values: a graph is traced, or costs are counted."""
    return torch.compiler.is_exporting() or x.is_meta


def recurrence(
    cell: Callable[..., Tensor], state: Tensor, *inputs: Tensor
) -> tuple[Tensor, Tensor]:
    """``h_t = cell(h_{t-1}, x_t, ...)``: the last state, and all: ``[batch, length, dim]``.

    A graph for serving gets a loop: written out, 50 steps twice took 87 s to export to ONNX.
    """
    if torch.compiler.is_exporting():

        def step(h: Tensor, given: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
            new = cell(h, *given)
            return new, new.clone()  # a loop gives no tensor twice

        last, states = scan(step, state, tuple(x.transpose(0, 1) for x in inputs))
        return last, states.transpose(0, 1)
    states = []
    for given in zip(*(x.unbind(1) for x in inputs), strict=True):
        state = cell(state, *given)
        states.append(state)
    return state, torch.stack(states, dim=1)
