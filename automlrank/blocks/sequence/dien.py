"""The deep interest evolution network: interests as a recurrent state that the item steers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, logs, one_of
from automlrank.blocks.parts import Dense, recurrence, softmax_of_real
from automlrank.blocks.ports import History, Vector


class GatedStep(nn.Module):
    """One step of a GRU, ``u`` the share of the new: ``h = (1 - u) h + u n``.

    ``u = sigmoid(x_u + U_u h)``, ``r = sigmoid(x_r + U_r h)``, ``n = tanh(x_n + r * U_n h)`` for
    ``x = W i + b``, which does not depend on ``h``: it is made for all steps at once.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.input = Dense(dim, 3 * dim)
        self.recurrent = nn.Parameter(torch.empty(dim, 3 * dim))
        for part in self.recurrent.data.chunk(3, dim=1):
            nn.init.orthogonal_(part)

    def forward(self, h: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """``u`` and ``n`` for a state ``[batch, dim]`` and projected inputs ``[batch, 3 dim]``."""
        dim = h.shape[1]
        from_h = h @ self.recurrent
        update, reset = (x[:, : 2 * dim] + from_h[:, : 2 * dim]).sigmoid().chunk(2, dim=1)
        return update, torch.addcmul(x[:, 2 * dim :], reset, from_h[:, 2 * dim :]).tanh()


class InterestEvolution(nn.Module):
    def __init__(self, dim: int, cell: str, alpha: float) -> None:
        super().__init__()
        self.cell, self.alpha = cell, alpha
        self.interest, self.evolution = GatedStep(dim), GatedStep(dim)
        self.attention = Dense(dim, dim, bias=False)

    def extract(self, keys: Tensor) -> Tensor:
        """The GRU's states, then what they are as inputs of the next: ``[batch, length, 4 dim]``.

        Padding comes last, so no real state has seen it.
        """
        start = keys.new_zeros(keys.shape[0], keys.shape[2])
        inputs = self.interest.input(keys).to(start.dtype)
        _, states = recurrence(self.observe, start, inputs)
        # aigru scales the input, not its bias
        bias = None if self.cell == "aigru" else self.evolution.input.bias
        return torch.cat([states, F.linear(states, self.evolution.input.weight, bias)], dim=2)

    def observe(self, h: Tensor, x: Tensor) -> Tensor:
        update, new = self.interest(h, x)
        return torch.lerp(h, new, update)

    def forward(self, extracted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        states, inputs = extracted[..., : target.shape[1]], extracted[..., target.shape[1] :]
        scores = (states @ self.attention(target).unsqueeze(2)).squeeze(2)
        gates = softmax_of_real(scores, mask).unsqueeze(2)  # [batch, length, 1]
        if self.cell == "aigru":
            inputs, gates = gates * inputs + self.evolution.input.bias, mask.unsqueeze(2)
        start = torch.zeros_like(target)
        last, _ = recurrence(self.evolve, start, inputs.to(start.dtype), gates.to(start.dtype))
        return last  # [batch, dim]

    def evolve(self, h: Tensor, x: Tensor, gate: Tensor) -> Tensor:
        """A gate of 0, which padding has, leaves the state as it is."""
        update, new = self.evolution(h, x)
        return torch.lerp(h, new, gate.expand_as(h) if self.cell == "agru" else gate * update)

    def loss(self, extracted: Tensor, keys: Tensor, negatives: Tensor, mask: Tensor) -> Tensor:
        """The mean over what has a next behaviour, times alpha: only pairs of real ones count."""
        states = extracted[:, :-1, : keys.shape[2]]
        found, missed = ((states * k[:, 1:]).sum(dim=2).float() for k in (keys, negatives))
        losses = -(F.logsigmoid(found) + F.logsigmoid(-missed))  # [batch, length - 1]
        return self.alpha * (losses * mask[:, 1:]).sum() / mask[:, 1:].sum().clamp(min=1)


@block("dien", family="history")
class Dien(Block):
    """A GRU's states ``h_t``, then a GRU over them that attention to the target ``q`` steers.

    ``a = softmax_t(h_t . W q)`` over the real positions; the cell's input is ``h_t``. ``aigru``
    scales the input, ``i = a_t h_t``; ``agru`` has ``a_t`` for its update gate; ``augru`` scales
    the gate: ``h' = (1 - a_t u_t) h' + a_t u_t n_t``. The last state comes out. Auxiliary loss:
    ``-log sigmoid(h_t . k_{t+1}) - log(1 - sigmoid(h_t . k'))``, where ``k'`` is any behaviour of
    the batch; its mean times ``alpha`` is added in training. Shapes: keys ``[batch, length, dim]``,
    target ``[batch, dim]`` to ``[batch, dim]``. Serving runs the first GRU once per request.
    """

    paper = "Zhou et al., DIEN, AAAI 2019, https://arxiv.org/abs/1809.03672"
    module = InterestEvolution

    cell: str = knob(
        "augru",
        legal=one_of("aigru", "agru", "augru"),
        search=one_of("aigru", "agru", "augru"),
        help="how attention enters the second GRU",
    )
    alpha: float = knob(
        0.1,
        legal=floats(0.0, 100.0),
        search=logs(1e-3, 1.0),
        help="weight of the auxiliary loss",
    )

    def out(self, x: History) -> Vector:
        return Vector(x.dim)

    def arguments(self, x: History) -> dict[str, object]:
        return {"dim": x.dim, **self.settings()}
