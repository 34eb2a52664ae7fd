"""The deep session interest network: attention within sessions, a Bi-LSTM across them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.attention import SelfAttention, softmax_of_real, weighted_sum
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.ports import History, Vector
from automlrank.blocks.shared_knobs import dropout_knob


class SessionInterests(nn.Module):
    """``[batch, sessions, 3 dim]``: each session's mean after attention, and its Bi-LSTM states.

    The newest ``sessions`` count; where there are fewer, the last places are empty.
    """

    def __init__(self, dim: int, length: int, sessions: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.sessions = sessions
        self.of_session = nn.Parameter(torch.randn(sessions, 1) * 0.01)
        self.of_place = nn.Parameter(torch.randn(length, 1) * 0.01)
        self.of_unit = nn.Parameter(torch.randn(dim) * 0.01)
        self.layer = SelfAttention(dim, heads, dropout)
        self.lstms = nn.ModuleList(LstmStates(dim) for _ in range(2))

    def forward(self, keys: Tensor, number: Tensor) -> Tensor:
        """``number [batch, length]``: of a behaviour's session from 1, 0 where none is kept."""
        together = number.unsqueeze(2) == number.unsqueeze(1)  # [batch, length, length]
        place = together.tril(-1).sum(dim=2)  # in the session
        at = F.embedding((number - 1).clamp(min=0), self.of_session)  # [batch, length, 1]
        encoding = at + F.embedding(place, self.of_place) + self.of_unit
        x = self.layer(keys + encoding, together)
        numbers = torch.arange(1, self.sessions + 1, device=number.device)
        member = (number.unsqueeze(1) == numbers.unsqueeze(1)).to(x.dtype)
        sizes = member.sum(dim=2, keepdim=True)  # [batch, sessions, 1]
        interests = (member @ x) / sizes.clamp(min=1)
        forward = self.lstms[0](interests, sizes > 0)
        backward = self.lstms[1](interests.flip(1), (sizes > 0).flip(1)).flip(1)
        return torch.cat([interests, forward, backward], dim=2)


class LstmStates(nn.Module):
    """The states of an LSTM over ``[batch, n, dim]``: what is not real leaves a state as it was."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.input = Dense(dim, 4 * dim)
        self.recurrent = nn.Parameter(torch.empty(dim, 4 * dim))
        for part in self.recurrent.data.chunk(4, dim=1):
            nn.init.orthogonal_(part)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        h = c = x.new_zeros(x.shape[0], x.shape[2])
        states = []
        for given, is_real in zip(self.input(x).unbind(1), real.unbind(1), strict=True):
            gates = given + h @ self.recurrent
            enter, forget, leave = gates[:, : 3 * x.shape[2]].sigmoid().chunk(3, dim=1)
            new = torch.addcmul(forget * c, enter, gates[:, 3 * x.shape[2] :].tanh())
            c = torch.where(is_real, new, c)
            h = torch.where(is_real, leave * new.tanh(), h)
            states.append(h)
        return torch.stack(states, dim=1)  # [batch, n, dim]


class SessionPool(nn.Module):
    def __init__(self, dim: int, length: int, sessions: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.dim, self.sessions = dim, sessions
        self.interests = SessionInterests(dim, length, sessions, heads, dropout)
        self.of_interests = Dense(dim, dim, bias=False)
        self.of_states = Dense(dim, 2 * dim, bias=False)

    def number(self, session: Tensor, mask: Tensor) -> Tensor:
        """Return the number of each behaviour's session among those kept, from 1; 0 for others."""
        session = session * mask
        older = (session.amax(dim=1, keepdim=True) - self.sessions).clamp(min=0)
        return (session - older).clamp(min=0)  # [batch, length]

    def extract(self, keys: Tensor, mask: Tensor, session: Tensor) -> Tensor:
        extracted: Tensor = self.interests(keys, self.number(session, mask))
        return extracted  # [batch, sessions, 3 dim]

    def forward(self, extracted: Tensor, target: Tensor, mask: Tensor, session: Tensor) -> Tensor:
        newest = self.number(session, mask).amax(dim=1, keepdim=True)
        real = torch.arange(self.sessions, device=newest.device) < newest  # [batch, sessions]
        interests, states = extracted[..., : self.dim], extracted[..., self.dim :]
        pooled = []
        for vectors, bridge in ((interests, self.of_interests), (states, self.of_states)):
            scores = (vectors @ bridge(target).unsqueeze(2)).squeeze(2)
            pooled.append(weighted_sum(softmax_of_real(scores, real), vectors))
        return torch.cat(pooled, dim=1)  # [batch, 3 dim]


@block("dsin", family="history")
class Dsin(Block):
    """Sessions by gaps in time; ``[sum_s a_s I_s, sum_s b_s H_s]`` for the target ``q``.

    ``I_s`` is the mean of a session's behaviours after self-attention inside it, of ``k_t + w_s +
    w_place + w_unit`` (the bias encoding: three scalars); ``H_s`` are the states of a Bi-LSTM over
    ``I``; ``a = softmax_s(I_s . W q)``, ``b = softmax_s(H_s . W' q)`` over the real sessions.
    Shapes: keys ``[batch, length, dim]``, target ``[batch, dim]`` to ``[batch, 3 dim]``. Serving
    runs all but ``a`` and ``b`` once per request.
    """

    paper = "Feng et al., DSIN, IJCAI 2019, https://arxiv.org/abs/1905.06482"
    module = SessionPool

    sessions: int = knob(
        10, legal=ints(2, 50), search=one_of(5, 10), help="newest sessions that count"
    )
    heads: int = knob(
        4, legal=ints(1, 16), search=one_of(2, 4, 8), help="heads of the self-attention"
    )
    dropout: float = dropout_knob(help="dropout rate of each residual branch")

    def out(self, x: History) -> Vector:
        return Vector(3 * x.dim)

    def arguments(self, x: History) -> dict[str, object]:
        sizes = {"dim": x.dim, "length": x.length}
        return {**sizes, **self.settings(), "dropout": self.dropout or 0.0}
