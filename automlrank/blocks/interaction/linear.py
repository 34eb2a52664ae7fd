"""The linear model: a weight per id, per number and per entry of a vector, the main effects."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, logs
from automlrank.blocks.parts.fields import pool_bag
from automlrank.blocks.parts.layers import Projection
from automlrank.blocks.ports import Columns, Logit, Targets


class Linear(nn.Module):
    """Weights start at zero: an untrained id contributes nothing."""

    offsets: Tensor

    def __init__(
        self,
        sizes: tuple[int, ...],
        numbers: int,
        bags: tuple[int, ...],
        pools: tuple[str, ...],
        vectors: tuple[int, ...],
        tasks: int,
    ) -> None:
        super().__init__()
        starts = [sum((*sizes, *bags)[:i]) for i in range(len(sizes) + len(bags))]
        offsets = torch.tensor(starts[: len(sizes)], dtype=torch.int64)
        self.register_buffer("offsets", offsets, persistent=False)
        self.bag_offsets = tuple(starts[len(sizes) :])
        self.pools = pools
        self.weight = nn.Parameter(torch.zeros(sum(sizes) + sum(bags), tasks))
        if numbers:
            self.number_weight = nn.Parameter(torch.zeros(numbers, tasks))
            self.null_weight = nn.Parameter(torch.zeros(numbers, tasks))
        self.projections = nn.ModuleList(Projection(size, tasks, 0.0) for size in vectors)

    def forward(
        self, ids: Tensor, numbers: Tensor, bags: list[Tensor], vectors: list[Tensor]
    ) -> Tensor:
        logit = F.embedding(ids + self.offsets, self.weight).sum(dim=1)  # [batch, tasks]
        if numbers.shape[1]:
            known = numbers.nan_to_num(0.0).unsqueeze(2) * self.number_weight
            null = numbers.isnan().unsqueeze(2)
            logit = logit + torch.where(null, self.null_weight, known).sum(dim=1)
        for bag, offset, pool in zip(bags, self.bag_offsets, self.pools, strict=True):
            logit = logit + pool_bag(self.weight, bag, offset, pool)
        for vector, project in zip(vectors, self.projections, strict=True):
            logit = logit + project(vector)
        return logit


@block("linear", family="interaction")
class LinearModel(Block):
    """Main effects: ``sum_i w[id_i] + sum_j w_j x_j + sum_k w_k . v_k``, for each task.

    A bag adds the mean or sum of its ids' weights, as its column says. A null number or vector
    has a weight of its own instead of the product.
    """

    paper = (
        "Richardson et al., Predicting Clicks, WWW 2007, https://doi.org/10.1145/1242572.1242643"
    )
    module = Linear

    l2: float = knob(
        0.3,
        legal=floats(0.0, 100.0),
        search=logs(1e-3, 10.0),
        help="decoupled decay per epoch: a resting weight shrinks by exp(-l2)",
    )

    def out(self, columns: Columns, targets: Targets) -> Logit:
        return Logit(targets.n)

    def arguments(self, columns: Columns, targets: Targets) -> dict[str, object]:
        return {
            "sizes": columns.sizes,
            "numbers": columns.numbers,
            "bags": columns.bags,
            "pools": columns.pools,
            "vectors": columns.vectors,
            "tasks": targets.n,
        }

    def decay(self) -> dict[str, float]:
        return {"weight": self.l2}
