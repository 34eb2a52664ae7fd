"""The wide part of Wide & Deep: a weight for each pair of values that occur together."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, ints, logs
from automlrank.blocks.optimizer.ftrl import Ftrl
from automlrank.blocks.ports import Columns, Crosses, Logit, Targets

MIX = -7046029254386353131  # 2^64 divided by the golden ratio, as int64: neighbours part


class CrossProducts(nn.Module):
    """Weights start at zero; their gradient is sparse: a batch touches few of them."""

    widths: Tensor
    rows: Tensor
    offsets: Tensor
    hashed: Tensor

    def __init__(
        self,
        sizes: tuple[int, ...],
        first: tuple[int, ...],
        second: tuple[int, ...],
        buckets: int,
        tasks: int,
    ) -> None:
        super().__init__()
        self.first, self.second = list(first), list(second)
        products = [sizes[a] * sizes[b] for a, b in zip(first, second, strict=True)]
        rows = [min(product, buckets) for product in products]
        fixed = {
            "widths": [sizes[b] for b in second],
            "rows": rows,
            "offsets": [sum(rows[:i]) for i in range(len(rows))],
            "hashed": [product > buckets for product in products],
        }
        for name, values in fixed.items():
            self.register_buffer(name, torch.tensor(values), persistent=False)
        self.weight = nn.Parameter(torch.zeros(sum(rows), tasks))

    def forward(self, ids: Tensor) -> Tensor:
        joint = ids[:, self.first].long() * self.widths + ids[:, self.second]  # [batch, pairs]
        mixed = joint * MIX
        hashed = (mixed ^ (mixed >> 32)).remainder(self.rows)
        index = torch.where(self.hashed, hashed, joint) + self.offsets
        return F.embedding(index, self.weight, sparse=True).sum(dim=1)  # [batch, tasks]


@block("wide", family="interaction")
class Wide(Block):
    """``logit_t = sum over pairs (a, b) of columns of w_t[id_a, id_b]``, a weight per pair of ids.

    The pairs are the schema's ``crosses`` among the columns that it reads; without any, pairs of
    all categorical ones, those with the most combinations that need no hashing first. The index of
    a weight is ``id_a * size_b + id_b`` where all combinations fit ``buckets``, else it is hashed
    into them. FTRL-proximal with L1 trains the weights, whatever trains the rest: pairs that say
    nothing keep a weight of exactly zero.
    """

    paper = "Cheng et al., Wide & Deep, DLRS 2016, https://arxiv.org/abs/1606.07792"
    module = CrossProducts

    buckets: int = knob(
        100_000, legal=ints(1, 100_000_000), help="maximum number of weights of a pair"
    )
    max_pairs: int = knob(
        20, legal=ints(1, 1000), help="maximum number of pairs, where the schema has no crosses"
    )
    alpha: float = knob(
        0.1, legal=logs(1e-4, 10.0), search=logs(0.01, 0.3), help="FTRL's learning rate"
    )
    beta: float = knob(1.0, legal=floats(0.0, 100.0), help="FTRL: larger values damp early steps")
    l1: float = knob(
        3.0,
        legal=floats(0.0, 1e4),
        search=logs(0.3, 30.0),
        help="FTRL: L1 penalty; a weight is zero until its gradients exceed it",
    )
    l2: float = knob(1.0, legal=floats(0.0, 1e4), search=logs(0.1, 30.0), help="FTRL: L2 penalty")

    def out(self, columns: Columns, crosses: Crosses, targets: Targets) -> Logit:
        return Logit(targets.n)

    def arguments(self, columns: Columns, crosses: Crosses, targets: Targets) -> dict[str, object]:
        pairs = crosses.pairs or self.largest(columns.sizes)
        return {
            "sizes": columns.sizes,
            "first": tuple(a for a, _ in pairs),
            "second": tuple(b for _, b in pairs),
            "buckets": self.buckets,
            "tasks": targets.n,
        }

    def largest(self, sizes: tuple[int, ...]) -> list[tuple[int, int]]:
        """The pairs with the most combinations that need no hashing, then those with the fewest."""

        def rank(pair: tuple[int, int]) -> tuple[bool, int]:
            product = sizes[pair[0]] * sizes[pair[1]]
            return product > self.buckets, product if product > self.buckets else -product

        return sorted(itertools.combinations(range(len(sizes)), 2), key=rank)[: self.max_pairs]

    def optimizers(self) -> dict[str, Block]:
        return {"weight": Ftrl(alpha=self.alpha, beta=self.beta, l1=self.l1, l2=self.l2)}
