"""The deep interest evolution network: a GRU of interests, then a GRU gated by target attention."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, logs, one_of
from automlrank.blocks.parts.attention import softmax_of_real
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.rows import put_rows, take_rows
from automlrank.blocks.parts.sequences import recurrence
from automlrank.blocks.ports import History, Vector


class TimeMajor:
    """Places of behaviours by time: all of time 0, then of time 1; the longest rows first.

    A time's rows are the first of the time before, as padding comes last; ``alive`` counts them.
    ``places`` index ``[batch * length]``; ``last`` is the place of each row's end among them.
    """

    def __init__(self, mask: Tensor) -> None:
        lengths, order = mask.sum(dim=1).sort(descending=True)
        alive = mask.sum(dim=0)
        self.alive: list[int] = alive[alive > 0].tolist() or [0]
        self.rows, starts = order[: self.alive[0]], order * mask.shape[1]
        self.places = torch.cat([starts[:n] + time for time, n in enumerate(self.alive)])
        ends = (alive.cumsum(0) - alive)[lengths[: self.alive[0]] - 1]
        self.last = ends + torch.arange(self.alive[0], device=mask.device)


class GatedStates(torch.autograd.Function):
    """A GRU's states at the steps of ``TimeMajor``, ``[steps, dim]``, and its gradients by hand.

    ``h' = (1 - s) h + s n`` with the share ``s``: ``u`` in a ``gru``, ``a`` in an ``agru``, ``a u``
    in an ``augru`` for a gate ``a [steps, 1]``. Backwards, the gradient of ``h`` is linear in that
    of ``h'``: its factors are made for all steps at once, and a time takes three calls.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor,
        recurrent: Tensor,
        gate: Tensor,
        cell: str,
        alive: list[int],
    ) -> Tensor:
        dim = inputs.shape[1]
        of_h = recurrent.view(dim, 3, dim).transpose(0, 1)
        of_x = weight.view(3, dim, dim).transpose(1, 2)
        gates = torch.baddbmm(bias.view(3, 1, dim), inputs.expand(3, -1, -1), of_x)
        from_h, states = torch.empty_like(inputs), torch.empty_like(inputs)
        if cell == "gru":
            share = gates[0]
        else:
            share = torch.empty_like(inputs) if cell == "augru" else gate.expand_as(inputs)
        times = zip(
            torch.split(gates[:2], alive, dim=1),
            *(torch.split(x, alive) for x in (*gates, from_h, share, gate, states)),
            strict=True,
        )
        h = inputs.new_zeros(alive[0], dim)
        for both, u, r, n, of_n, s, a, state in times:
            h = h[: len(state)]
            both.baddbmm_(h.expand(2, -1, -1), of_h[:2]).sigmoid_()
            torch.mm(h, of_h[2], out=of_n)
            n.addcmul_(r, of_n).tanh_()
            if cell == "augru":
                torch.mul(u, a, out=s)
            h = torch.lerp(h, n, s, out=state)
        ctx.save_for_backward(inputs, weight, recurrent, gate, gates, from_h, share, states)
        ctx.cell, ctx.alive = cell, alive
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight, recurrent, gate, gates, from_h, share, states = ctx.saved_tensors
        dim, alive, (u, r, n) = inputs.shape[1], ctx.alive, gates
        before = torch.zeros_like(states)  # what each step starts from
        later, earlier = torch.split(before, alive)[1:], torch.split(states, alive)
        for now, then in zip(later, earlier, strict=False):
            now.copy_(then[: len(now)])
        apart, of_n = n - before, torch.ops.aten.tanh_backward(share, n)
        factors = torch.stack([apart, of_n * from_h, r])  # of u, r before the sigmoid, U_n h
        if ctx.cell == "augru":
            factors[0].mul_(gate)
        factors[:2] = torch.ops.aten.sigmoid_backward(factors[:2], gates[:2])
        factors[2].mul_(of_n)
        if ctx.cell == "agru":
            factors[0].zero_()
        grad = passed_back(grad, factors, 1.0 - share, recurrent, alive)
        of_recurrent = torch.bmm(before.t().expand(3, -1, -1), factors)
        factors[2] = of_n * grad
        of_weight = torch.bmm(factors.transpose(1, 2), inputs.expand(3, -1, -1))
        of_inputs = factors[0].mm(weight[:dim])
        of_inputs.addbmm_(factors[1:], weight.view(3, dim, dim)[1:])
        of_gate = None
        if ctx.cell != "gru":
            of_share = grad * apart
            of_gate = (of_share * u if ctx.cell == "augru" else of_share).sum(dim=1, keepdim=True)
        return (
            of_inputs,
            of_weight.flatten(0, 1),
            factors.sum(dim=1).flatten(),
            of_recurrent.transpose(0, 1).flatten(1),
            of_gate,
            None,
            None,
        )


def passed_back(
    grad: Tensor, factors: Tensor, kept: Tensor, recurrent: Tensor, alive: list[int]
) -> Tensor:
    """The whole gradient of each state, ``[steps, dim]``; factors become gradients.

    They are those of ``u``, ``r`` and ``U_n h``, ``[3, steps, dim]``; ``kept`` is the factor of
    the state before.
    """
    dim = grad.shape[1]
    to_h = recurrent.view(dim, 3, dim).permute(1, 2, 0)
    grad = grad.clone(memory_format=torch.contiguous_format)
    after, keep = torch.split(grad, alive), torch.split(kept, alive)
    factor = torch.split(factors, alive, dim=1)
    for t in range(len(alive) - 1, 0, -1):
        factor[t].mul_(after[t])
        before = after[t - 1][: alive[t]]
        before.addcmul_(keep[t], after[t]).addbmm_(factor[t], to_h)
    factor[0].mul_(after[0])
    return grad


class GatedStep(nn.Module):
    """A GRU, ``u`` the share of the new: ``h = (1 - u) h + u n``.

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

    def states(self, inputs: Tensor, gate: Tensor, cell: str, alive: list[int]) -> Tensor:
        """Return the states of all steps, ``[steps, dim]`` (see ``GatedStates``)."""
        read = (inputs, self.input.weight, self.input.bias, self.recurrent, gate)
        with torch.autocast(inputs.device.type, enabled=False):  # a time's products are small
            states: Tensor = GatedStates.apply(*read, cell, alive)  # type: ignore[no-untyped-call]
        return states


class InterestEvolution(nn.Module):
    def __init__(self, dim: int, cell: str, alpha: float) -> None:
        super().__init__()
        self.cell, self.alpha = cell, alpha
        self.interest, self.evolution = GatedStep(dim), GatedStep(dim)
        self.attention = Dense(dim, dim, bias=False)

    def extract(self, keys: Tensor, mask: Tensor) -> Tensor:
        """Return the GRU's states, ``[batch, length, dim]``.

        In serving, where all rows are of one user, they come with the input gates that the next GRU
        makes of them: ``[batch, length, 4 dim]``. Padding comes last, so no real state has seen it.
        """
        if self.training:
            steps, flat = TimeMajor(mask), keys.flatten(0, 1)
            inputs = take_rows(flat, steps.places)
            gate = inputs.new_empty(len(inputs), 1)
            states = self.interest.states(inputs, gate, "gru", steps.alive)
            return put_rows(states, steps.places, len(flat)).view(keys.shape)
        start = keys.new_zeros(keys.shape[0], keys.shape[2])
        given = self.interest.input(keys).to(start.dtype)
        _, states = recurrence(self.observe, start, given)
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
        if self.training:
            return self.evolved(states, gates.to(states.dtype), TimeMajor(mask))
        if self.cell == "aigru":
            inputs, gates = gates * inputs + self.evolution.input.bias, mask.unsqueeze(2)
        start = torch.zeros_like(target)
        last, _ = recurrence(self.evolve, start, inputs.to(start.dtype), gates.to(start.dtype))
        return last  # [batch, dim]

    def evolved(self, states: Tensor, gates: Tensor, steps: TimeMajor) -> Tensor:
        """The last state of each row over its real steps, zeros where it has none."""
        inputs, gate = (take_rows(x.flatten(0, 1), steps.places) for x in (states, gates))
        cell = self.cell
        if cell == "aigru":
            inputs, cell = gate * inputs, "gru"
        evolved = self.evolution.states(inputs, gate, cell, steps.alive)
        return put_rows(take_rows(evolved, steps.last), steps.rows, len(states))

    def evolve(self, h: Tensor, x: Tensor, gate: Tensor) -> Tensor:
        """A gate of 0, which padding has, leaves the state as it is."""
        update, new = self.evolution(h, x)
        return torch.lerp(h, new, gate.expand_as(h) if self.cell == "agru" else gate * update)

    def loss(self, extracted: Tensor, keys: Tensor, negatives: Tensor, mask: Tensor) -> Tensor:
        """The mean over what has a next behaviour, times alpha: only pairs of real ones count."""
        places = F.pad(mask[:, 1:], (1, 0)).flatten().nonzero().squeeze(1)
        states = take_rows(extracted.flatten(0, 1), places - 1)
        nexts = (take_rows(each.flatten(0, 1), places) for each in (keys, negatives))
        found, missed = ((states * each).sum(dim=1).float() for each in nexts)
        losses = F.logsigmoid(found) + F.logsigmoid(-missed)
        return -self.alpha * losses.sum() / max(len(places), 1)


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
