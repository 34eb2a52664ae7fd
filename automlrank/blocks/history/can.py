"""The co-action network: each item's embedding holds the weights of an MLP over the behaviours."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, ints, logs, one_of
from automlrank.blocks.ports import FIRST_ID, History, Vector


class CoAction(nn.Module):
    def __init__(self, ids: int, first_id: int, width: int, depth: int, orders: int) -> None:
        super().__init__()
        self.width, self.depth, self.orders = width, depth, orders
        bound = (3 / width) ** 0.5  # Xavier's for width x width
        weights = torch.empty(ids, depth, width, width).uniform_(-bound, bound)
        biases = torch.zeros(ids, depth, 1, width)
        self.networks = nn.Parameter(torch.cat([weights, biases], dim=2).flatten(1))
        self.feed = nn.Parameter(torch.randn(ids, width) * 0.01)
        with torch.no_grad():  # an unknown item's network starts as zero
            self.networks[:first_id] = 0.0
            self.feed[:first_id] = 0.0

    def extract(self, key_ids: Tensor) -> Tensor:
        return F.embedding(key_ids, self.feed)  # [batch, length, width]

    def forward(self, extracted: Tensor, target_id: Tensor, mask: Tensor) -> Tensor:
        own = F.embedding(target_id, self.networks)
        layers = own.view(-1, self.depth, self.width + 1, self.width).unbind(1)
        real = mask.unsqueeze(1).to(own.dtype)  # [batch, 1, length]
        sums, power = [], torch.ones_like(extracted)
        for _ in range(self.orders):
            power = power * extracted
            hidden = power
            for i, layer in enumerate(layers):
                weight, bias = layer[:, : self.width], layer[:, self.width :]
                hidden = torch.baddbmm(bias, hidden, weight)  # [batch, length, width]
                hidden = hidden.tanh() if i + 1 < self.depth else hidden
                sums.append((real @ hidden).squeeze(1))
        return torch.cat(sums, dim=1)  # [batch, orders * depth * width]


@block("can", family="history")
class Can(Block):
    """``sum_t h_l(f_t^c)``, joined over layers ``l`` and orders ``c``, by the target's own network.

    ``h_0 = f^c`` (powers entry by entry), ``h_l = tanh(h_{l-1} W_l + b_l)``, the last layer
    without tanh; ``W`` and ``b`` are the target's row of a table, ``f_t`` the behaviour's row of
    another, both of the sequence's first column and used for nothing else. Shapes: ids ``[batch,
    length]``, target's id ``[batch]`` to ``[batch, orders * depth * width]``.
    """

    paper = "Bian et al., CAN, WSDM 2022, https://arxiv.org/abs/2011.05625"
    module = CoAction

    width: int = knob(
        8, legal=ints(1, 64), search=one_of(4, 8, 16), help="width of feed and layers"
    )
    depth: int = knob(2, legal=ints(1, 4), search=one_of(1, 2), help="layers of the network")
    orders: int = knob(2, legal=ints(1, 4), search=one_of(1, 2, 3), help="powers of the feed")
    l2: float = knob(
        0.3,
        legal=floats(0.0, 100.0),
        search=logs(1e-3, 10.0),
        help="decoupled decay per epoch of both tables: a resting row shrinks by exp(-l2)",
    )

    def out(self, x: History) -> Vector:
        return Vector(self.orders * self.depth * self.width)

    def arguments(self, x: History) -> dict[str, object]:
        sizes = {"width": self.width, "depth": self.depth, "orders": self.orders}
        return {"ids": x.ids, "first_id": FIRST_ID, **sizes}

    def tables(self) -> tuple[str, ...]:
        return ("networks", "feed")

    def decay(self) -> dict[str, float]:
        return dict.fromkeys(self.tables(), self.l2)
