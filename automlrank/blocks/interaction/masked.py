"""MaskNet: layers whose input is multiplied by a mask computed from the embeddings."""

from __future__ import annotations

import dataclasses
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, ints, one_of
from automlrank.blocks.parts.layers import Dense, Dropout
from automlrank.blocks.ports import Fields, Vector
from automlrank.blocks.shared_knobs import dropout_knob


class FieldwiseNorm(nn.Module):
    """A layer norm of each field's embedding, every field with a gain and a bias of its own."""

    def __init__(self, fields: int, dim: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(fields, dim))
        self.bias = nn.Parameter(torch.zeros(fields, dim))

    def forward(self, fields: Tensor) -> Tensor:
        return F.layer_norm(fields, fields.shape[2:]) * self.gain + self.bias


class MaskBlock(nn.Module):
    """``relu(LN(W (mask(e) * h)))``; the mask is ``W' relu(W'' e + b'') + b'``."""

    def __init__(
        self, embedded: int, dim: int, width: int, reduction: float, dropout: float
    ) -> None:
        super().__init__()
        aggregated = max(1, round(reduction * dim))
        self.mask = nn.Sequential(Dense(embedded, aggregated), nn.ReLU(), Dense(aggregated, dim))
        self.dense = Dense(dim, width, bias=False)  # the norm has the bias
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, e: Tensor, h: Tensor) -> Tensor:
        hidden: Tensor = self.norm(self.dense(self.mask(e) * h))
        kept: Tensor = self.dropout(hidden.relu())  # [batch, width]
        return kept


class MaskNet(nn.Module):
    def __init__(
        self,
        fields: int,
        dim: int,
        blocks: int,
        width: int,
        reduction: float,
        parallel: bool,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        embedded = fields * dim
        dims = [embedded] * blocks if parallel else [embedded, *[width] * (blocks - 1)]
        self.parallel = parallel
        self.norm = FieldwiseNorm(fields, dim)
        self.blocks = nn.ModuleList(
            MaskBlock(embedded, size, width, reduction, dropout or 0.0) for size in dims
        )

    def forward(self, fields: Tensor) -> Tensor:
        e = fields.flatten(1)  # [batch, fields * dim]
        h: Tensor = self.norm(fields).flatten(1)
        if self.parallel:
            return torch.cat([layer(e, h) for layer in self.blocks], dim=1)
        for layer in self.blocks:
            h = layer(e, h)
        return h


@block("masked", family="interaction")
class Masked(Block):
    """Masks of the instance: ``h <- relu(LN(W (m * h)))``, ``m = W_2 relu(W_1 e + b_1) + b_2``.

    ``e`` are the fields joined, and ``h`` begins as ``e`` with a layer norm of each field. Every
    block has a mask of its own, whose first layer is ``reduction`` times as wide as what it masks.
    Shapes: fields ``[batch, n, dim]`` to ``[batch, width]`` of the last of ``serial`` blocks, each
    on the one before; or to ``[batch, blocks * width]``, ``parallel`` blocks on the fields side by
    side (the published model has an mlp on top). The dropout after each block is not the paper's.
    """

    paper = "Wang et al., MaskNet, DLP-KDD 2021, https://arxiv.org/abs/2102.07619"
    module = MaskNet

    blocks: int = knob(3, legal=ints(1, 16), search=one_of(1, 2, 3), help="masks and layers")
    width: int = knob(
        128, legal=ints(4, 4096), search=one_of(64, 128, 256), help="hidden units of a block"
    )
    reduction: float = knob(
        2.0,
        legal=floats(0.1, 10.0),
        search=one_of(0.5, 1.0, 2.0),
        help="width of a mask's first layer for each unit masked",
    )
    structure: str = knob(
        "serial",
        legal=one_of("serial", "parallel"),
        search=one_of("serial", "parallel"),
        help="blocks stacked or side by side; idle with one block",
    )
    dropout: float | None = dropout_knob()

    def out(self, x: Fields) -> Vector:
        return Vector(self.width * (self.blocks if self.structure == "parallel" else 1))

    def arguments(self, x: Fields) -> dict[str, object]:
        return {
            "fields": x.n,
            "dim": x.dim,
            "blocks": self.blocks,
            "width": self.width,
            "reduction": self.reduction,
            "parallel": self.structure == "parallel",
            "dropout": self.dropout,
        }

    def canonical(self) -> Self:
        return (
            self if self.blocks > 1 else dataclasses.replace(self, structure=type(self).structure)
        )
