"""FinalMLP: two perceptrons on gated fields, and bilinear products of their outputs."""

from __future__ import annotations

import dataclasses
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import MLP, Gate
from automlrank.blocks.ports import Fields, Vector
from automlrank.blocks.shared_knobs import activation_knob, batch_norm_knob, dropout_knob


class FeatureSelection(nn.Module):
    """A factor from 0 to 2 for every entry, ``Gate(c)`` of a learned vector ``c``."""

    def __init__(self, given: int, width: int, dim: int) -> None:
        super().__init__()
        self.given = nn.Parameter(torch.randn(1, given))
        self.gate = Gate(given, width, dim)

    def forward(self, x: Tensor) -> Tensor:
        selected: Tensor = x * self.gate(self.given)  # [batch, dim]
        return selected


class BilinearHeads(nn.Module):
    """``a_h^T W_h b_h`` for each of ``heads`` parts of two vectors; zeros fill the last parts."""

    def __init__(self, dim_a: int, dim_b: int, heads: int) -> None:
        super().__init__()
        rows, columns = ((dim + heads - 1) // heads for dim in (dim_a, dim_b))
        self.weight = nn.Parameter(torch.randn(heads, rows, columns) * (rows * columns) ** -0.5)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        heads, rows, columns = self.weight.shape
        a = F.pad(a, (0, heads * rows - a.shape[1])).reshape(-1, heads, rows).transpose(0, 1)
        b = F.pad(b, (0, heads * columns - b.shape[1])).reshape(-1, heads, columns).transpose(0, 1)
        return ((a @ self.weight) * b).sum(dim=2).t()  # [batch, heads]


class TwoStreamFusion(nn.Module):
    def __init__(
        self,
        fields: int,
        dim: int,
        widths: tuple[int, int],
        depths: tuple[int, int],
        heads: int,
        gate_width: int | None,
        activation: str,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        flat = fields * dim
        self.gates = nn.ModuleList(
            nn.Identity() if gate_width is None else FeatureSelection(dim, gate_width, flat)
            for _ in widths
        )
        self.streams = nn.ModuleList(
            MLP(flat, width, depth, activation, batch_norm, dropout)
            for width, depth in zip(widths, depths, strict=True)
        )
        self.heads = BilinearHeads(*widths, heads)

    def forward(self, fields: Tensor) -> Tensor:
        e = fields.flatten(1)  # [batch, fields * dim]
        a, b = (stream(gate(e)) for gate, stream in zip(self.gates, self.streams, strict=True))
        return torch.cat([a, b, self.heads(a, b)], dim=1)  # [batch, sum of widths + heads]


@block("two_stream", family="interaction")
class TwoStream(Block):
    """Two gated perceptrons ``o_s = MLP_s(g_s * e)`` of the flat fields ``e``, and their products.

    ``g_s = 2 sigmoid(W' relu(W c_s + b) + b')`` for a learned vector ``c_s``. Out comes
    ``[o_1; o_2; o_1h^T W_h o_2h for each head h]``, ``o_sh`` the h-th part of ``o_s``: a linear
    head on it is the published ``b + w_1^T o_1 + w_2^T o_2 + sum_h o_1h^T W_h o_2h``, and its
    weights on the products are a task's scales of the ``W_h``. Shapes: fields ``[batch, n, dim]``
    to ``[batch, width + width_2 + heads]``.

    Departures: no gate reads chosen columns, as published for some datasets (the learned vector
    is what it has for the others, there zero at the start, here drawn); where ``heads`` does not
    divide a width, zeros fill the last parts.
    """

    paper = "Mao et al., FinalMLP, AAAI 2023, https://arxiv.org/abs/2304.00902"
    module = TwoStreamFusion

    width: int = knob(
        128, legal=ints(1, 4096), search=one_of(64, 128, 256), help="hidden units, first stream"
    )
    depth: int = knob(2, legal=ints(1, 8), search=one_of(1, 2, 3), help="layers, first stream")
    width_2: int = knob(
        128, legal=ints(1, 4096), search=one_of(64, 128, 256), help="hidden units, second stream"
    )
    depth_2: int = knob(1, legal=ints(1, 8), search=one_of(1, 2), help="layers, second stream")
    heads: int = knob(
        8, legal=ints(1, 512), search=one_of(1, 8, 32), help="heads of the bilinear product"
    )
    gates: bool = knob(
        True,
        legal=one_of(False, True),
        search=one_of(False, True),
        help="weigh the fields' entries for each stream",
    )
    gate_width: int = knob(
        64, legal=ints(4, 4096), help="hidden units of a gate; idle without gates"
    )
    activation: str = activation_knob()
    batch_norm: bool | None = batch_norm_knob()
    dropout: float | None = dropout_knob()

    def out(self, x: Fields) -> Vector:
        return Vector(self.width + self.width_2 + self.heads)

    def arguments(self, x: Fields) -> dict[str, object]:
        return {
            "fields": x.n,
            "dim": x.dim,
            "widths": (self.width, self.width_2),
            "depths": (self.depth, self.depth_2),
            "heads": self.heads,
            "gate_width": self.gate_width if self.gates else None,
            "activation": self.activation,
            "batch_norm": self.batch_norm,
            "dropout": self.dropout,
        }

    def canonical(self) -> Self:
        return self if self.gates else dataclasses.replace(self, gate_width=type(self).gate_width)
