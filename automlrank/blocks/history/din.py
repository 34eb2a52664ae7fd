"""The deep interest network: behaviours weighted by their relevance to the target item."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.attention import softmax_of_real, weighted_sum
from automlrank.blocks.parts.layers import ACTIVATIONS, Dense
from automlrank.blocks.parts.rows import put_rows, take_rows
from automlrank.blocks.parts.sequences import keeps_shapes
from automlrank.blocks.ports import History, Vector

# forward and backward of 1024 x 50 positions, dim 16, one core: only the real ones 34 ms where all
# are, 19 where half are, all positions 29
PACKED = 0.75  # share of real positions up to which others are left out


class Meeting(nn.Module):
    """``W [q, k, q - k, q * k] + b`` as ``(W_q + W_d) q + (W_k - W_d + W_p * q) k + b``.

    Joining the four for every position costs 93 ms where this costs 15 (2048 rows, 50 positions,
    dim 32, 32 units, one thread), 140 and 52 with backward.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.joint = Dense(4 * dim, width)

    def forward(self, keys: Tensor, target: Tensor) -> Tensor:
        of_q, of_k, of_d, of_p = self.joint.weight.chunk(4, dim=1)  # [width, dim] each
        per_key = of_k - of_d + of_p * target.unsqueeze(1)  # [batch, width, dim]
        fixed = F.linear(target, of_q + of_d, self.joint.bias).unsqueeze(1)
        return torch.baddbmm(fixed, keys, per_key.transpose(1, 2))  # [batch, length, width]

    def of_pairs(self, keys: Tensor, target: Tensor) -> Tensor:
        """The same for keys ``[n, dim]`` that have a target each: ``[n, width]``."""
        of_q, of_k, of_d, of_p = self.joint.weight.chunk(4, dim=1)
        weight = torch.cat([of_q + of_d, of_k - of_d, of_p], dim=1)
        return F.linear(torch.cat([target, keys, target * keys], dim=1), weight, self.joint.bias)


class Dice(nn.Module):
    """``p s + (1 - p) a s`` with ``p = sigmoid((s - mean) / sd)`` and ``a`` learned for each unit.

    Statistics are those of the real rows of a batch; serving takes their running means.
    """

    mean: Tensor
    variance: Tensor
    momentum, eps = 0.1, 1e-5

    def __init__(self, width: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        mean, variance = self.mean, self.variance
        if self.training:  # bfloat16 has too few digits for a mean of squares
            with torch.autocast(x.device.type, enabled=False):
                mean, variance = self.statistics(x.to(mean.dtype), real.to(mean.dtype))
        scale = (variance + self.eps).rsqrt()
        shift, scale, slope = (each.to(x.dtype) for each in (-mean * scale, scale, self.slope))
        share = torch.addcmul(shift, x, scale).sigmoid()
        return x * torch.addcmul(slope, share, 1.0 - slope)  # [rows, width]

    def statistics(self, x: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the real rows; the running ones move towards them."""
        count = real.sum()
        weights = real / count.clamp(min=1.0)
        mean = weights @ x
        variance = (weights @ (x * x) - mean * mean).clamp(min=0.0)  # two passes less than centred
        with torch.no_grad():
            step = self.momentum * count.clamp(max=1.0)
            self.mean.lerp_(mean, step)
            self.variance.lerp_(variance, step)
        return mean, variance


class Activation(nn.Module):
    """Dice, PReLU, or a plain one, of ``[rows, width]`` of which some rows are real."""

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.dice = Dice(width) if name == "dice" else None
        self.plain = nn.PReLU(width) if name == "prelu" else ACTIVATIONS.get(name, nn.Identity)()

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        y: Tensor = self.plain(x) if self.dice is None else self.dice(x, real)
        return y


class InterestPool(nn.Module):
    def __init__(self, dim: int, width: int, depth: int, activation: str, softmax: bool) -> None:
        super().__init__()
        self.softmax = softmax
        self.meet = Meeting(dim, width)
        self.activations = nn.ModuleList(Activation(activation, width) for _ in range(depth))
        self.layers = nn.ModuleList(Dense(width, width) for _ in range(depth - 1))
        self.score = Dense(width, 1, bias=not softmax)  # a softmax cancels it

    def forward(self, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        scores = self.scores(keys, target, mask)
        weights = softmax_of_real(scores, mask) if self.softmax else scores * mask
        return weighted_sum(weights, keys)  # [batch, dim]

    def scores(self, keys: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """``[batch, length]``, made of real positions only where many are not."""
        real = mask.flatten()  # [batch * length]
        if keeps_shapes(keys) or real.sum() > PACKED * len(real):
            return self.scored(self.meet(keys, target).flatten(0, 1), real).view(mask.shape)
        places = real.nonzero().squeeze(1)
        targets = target.unsqueeze(1).expand(keys.shape).flatten(0, 1)
        pairs = (take_rows(x, places) for x in (keys.flatten(0, 1), targets))
        scores = self.scored(self.meet.of_pairs(*pairs), real[places])
        return put_rows(scores, places, len(real)).view(mask.shape)

    def scored(self, hidden: Tensor, real: Tensor) -> Tensor:
        """``[rows, 1]`` from the first layer's ``[rows, width]``."""
        hidden = self.activations[0](hidden, real)
        for layer, activation in zip(self.layers, self.activations[1:], strict=True):
            hidden = activation(layer(hidden), real)
        scores: Tensor = self.score(hidden)
        return scores


@block("din", family="history")
class Din(Block):
    """``sum_t a_t k_t`` with ``a_t = MLP([q, k_t, q - k_t, q * k_t])`` for the target ``q``.

    No softmax by default: the strength of an interest is kept. Dice takes its statistics over the
    real positions. Shapes: keys ``[batch, length, dim]``, target ``[batch, dim]`` to ``[batch,
    dim]``.
    """

    paper = "Zhou et al., DIN, KDD 2018, https://arxiv.org/abs/1706.06978"
    module = InterestPool

    width: int = knob(
        32, legal=ints(4, 1024), search=one_of(16, 32, 64), help="hidden units of the scorer"
    )
    depth: int = knob(1, legal=ints(1, 4), search=one_of(1, 2), help="layers of the scorer")
    activation: str = knob(
        "dice",
        legal=one_of("dice", "prelu", *ACTIVATIONS),
        search=one_of("dice", "prelu", "relu"),
        help="activation of the scorer",
    )
    softmax: bool = knob(
        False,
        legal=one_of(False, True),
        search=one_of(False, True),
        help="normalise the scores of a history by a softmax",
    )

    def out(self, x: History) -> Vector:
        return Vector(x.dim)

    def arguments(self, x: History) -> dict[str, object]:
        return {
            "dim": x.dim,
            "width": self.width,
            "depth": self.depth,
            "activation": self.activation,
            "softmax": self.softmax,
        }
