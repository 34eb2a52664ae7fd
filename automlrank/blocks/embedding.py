"""The input layer: one table for all ids, one vector per number, one pool per bag, projections.

Ids are local to their column; each module adds its columns' offsets into the shared table.
Request columns (the user's and the request's) are embedded apart from the item's, so that
serving embeds them once per request.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, ints, logs, one_of
from automlrank.blocks.parts.fields import pool_bag
from automlrank.blocks.parts.layers import Dropout, Projection
from automlrank.blocks.ports import FIRST_ID


class EmbeddingTable(nn.Module):
    """``rows`` vectors; the padding's, the nulls' and the unknowns' rows start at zero."""

    def __init__(self, sizes: Sequence[int], dim: int, first_id: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(sum(sizes), dim).mul_(scale))
        for start in itertools.accumulate(sizes[:-1], initial=0):
            self.weight.data[start : start + first_id] = 0.0

    def forward(self) -> Tensor:
        return self.weight  # [rows, dim]


class FieldEmbedding(nn.Module):
    """The fields of one side: ids, numbers times a vector each, pooled bags, projected vectors.

    A null number or vector (NaN) has a field of its own; an id's null is its own row of the table.
    """

    offsets: Tensor

    def __init__(
        self,
        dim: int,
        offsets: Sequence[int],
        numbers: int,
        bags: Sequence[int],
        pools: Sequence[str],
        vectors: Sequence[int],
        scale: float,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.int64), persistent=False)
        self.bag_offsets, self.pools = tuple(bags), tuple(pools)
        if numbers:
            self.number_vectors = nn.Parameter(torch.randn(numbers, dim) * scale)
            self.null_vectors = nn.Parameter(torch.zeros(numbers, dim))
        self.projections = nn.ModuleList(Projection(size, dim, scale) for size in vectors)
        self.dropout = Dropout(dropout)

    def forward(self, table: Tensor, ids: Tensor, numbers: Tensor, *others: Tensor) -> Tensor:
        bags, vectors = others[: len(self.pools)], others[len(self.pools) :]
        fields = []
        if ids.shape[1]:
            fields.append(F.embedding(ids + self.offsets, table))  # [batch, n, dim]
        if numbers.shape[1]:
            known = numbers.nan_to_num(0.0).unsqueeze(2) * self.number_vectors
            fields.append(torch.where(numbers.isnan().unsqueeze(2), self.null_vectors, known))
        for bag, offset, pool in zip(bags, self.bag_offsets, self.pools, strict=True):
            fields.append(pool_bag(table, bag, offset, pool).unsqueeze(1))
        for vector, project in zip(vectors, self.projections, strict=True):
            fields.append(project(vector).unsqueeze(1))
        joined: Tensor = self.dropout(torch.cat(fields, dim=1))  # [batch, fields, dim]
        return joined


class SequenceEmbedding(nn.Module):
    """The columns of one sequence, joined per position: ``[batch, length, columns * dim]``."""

    def __init__(self, offsets: Sequence[int]) -> None:
        super().__init__()
        self.offsets = tuple(offsets)

    def forward(self, table: Tensor, *columns: Tensor) -> Tensor:
        keys = [
            F.embedding(ids + offset, table)
            for ids, offset in zip(columns, self.offsets, strict=True)
        ]
        return torch.cat(keys, dim=2)


class SelectFields(nn.Module):
    """Some of the fields, by position."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__()
        self.positions = list(positions)

    def forward(self, fields: Tensor) -> Tensor:
        return fields[:, self.positions]  # [batch, positions, dim]


def other_behaviours(keys: Tensor, mask: Tensor) -> Tensor:
    """A behaviour for each position, drawn from all real ones of the batch.

    What is clicked often is drawn often, and the columns of a draw belong together. As many are
    drawn as are real: further padding changes no draw.
    """
    real = mask.flatten().nonzero().squeeze(1)
    if not len(real):
        return torch.zeros_like(keys)
    drawn = real[torch.randint(len(real), real.shape, device=real.device)]
    places = torch.zeros_like(mask, dtype=torch.long).flatten().index_copy(0, real, drawn)
    return F.embedding(places.view(mask.shape), keys.flatten(0, 1))  # [batch, length, dim]


def real_positions(ids: Tensor) -> Tensor:
    """The mask of a sequence: true where there is a behaviour."""
    return ids > 0  # [batch, length]


def column_of(ids: Tensor, position: int) -> Tensor:
    """One column of ids: ``[batch]``."""
    return ids[:, position]


@block("embedding", family="embedding")
class Embedding(Block):
    """One row per id, ``value * vector`` per number, ``W v`` per vector, one width for all.

    >>> Embedding(dim=8).build((5, 9))().shape  # a row for each id of two columns
    torch.Size([14, 8])
    """

    paper = "Juan et al., Field-aware Factorization Machines, RecSys 2016 (numbers as fields)"
    module = EmbeddingTable

    dim: int = knob(16, legal=ints(1, 512), search=one_of(8, 16, 32), help="width of a field")
    l2: float = knob(
        0.3,
        legal=floats(0.0, 100.0),
        search=logs(1e-3, 10.0),
        help="decoupled decay per epoch: a resting row shrinks by exp(-l2)",
    )
    l2_coupled: float = knob(
        0.0,
        legal=floats(0.0, 10.0),
        help="L2 in the gradient: every step reads the whole table, so for small ones",
    )
    dropout: float = knob(0.0, legal=floats(0.0, 0.9), help="share of the fields' entries dropped")
    # without L2, ids that start at 0.01 lose .0002 of test AUC on census (wide_deep, deepfm), twice
    # the seeds' spread
    scale: float = knob(
        1e-4, legal=logs(1e-6, 1.0), help="initial standard deviation of ids' vectors"
    )
    # on kuairand, where an epoch has 32 steps of 1e-3: crosses and attention gain .002 to .003 of
    # test AUC by 0.3 against 0.01, an FM, in which numbers multiply, loses up to .012
    number_scale: float = knob(
        0.03,
        legal=logs(1e-5, 1.0),
        help="initial standard deviation of a number's or vector's field, for values with 1",
    )

    def arguments(self, sizes: tuple[int, ...]) -> dict[str, object]:
        return {"sizes": sizes, "dim": self.dim, "first_id": FIRST_ID, "scale": self.scale}

    def tables(self) -> tuple[str, ...]:
        return ("weight",)

    def decay(self) -> dict[str, float]:
        return {"weight": self.l2}

    def coupled_decay(self) -> dict[str, float]:
        return {"weight": self.l2_coupled} if self.l2_coupled else {}
