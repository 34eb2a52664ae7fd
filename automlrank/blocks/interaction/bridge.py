"""EDCN: a cross stream and a dense stream that are fused after every layer."""

from __future__ import annotations

import dataclasses
from typing import Self

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, logs, one_of
from automlrank.blocks.parts.attention import AttentionPool
from automlrank.blocks.parts.fields import Regulation
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.ports import Fields, Vector


class Fusion(nn.Module):
    """Fusion of a cross vector and a dense vector of one width."""

    def __init__(self, dim: int) -> None:
        super().__init__()


class StreamSum(Fusion):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return x + h


class StreamProduct(Fusion):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return x * h


class StreamMix(Fusion):
    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.mix = Dense(2 * dim, dim)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.relu(self.mix(torch.cat([x, h], dim=1)))


class StreamAttention(Fusion):
    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.pool = AttentionPool(dim, dim)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        pooled: Tensor = self.pool(torch.stack([x, h], dim=1))
        return pooled


class CrossLayer(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = Dense(dim, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x0: Tensor, x: Tensor) -> Tensor:
        crossed: Tensor = x0 * self.weight(x) + self.bias + x
        return crossed


FUSIONS = {
    "add": StreamSum,
    "hadamard": StreamProduct,
    "concat": StreamMix,
    "attention": StreamAttention,
}


class BridgeLayer(nn.Module):
    def __init__(self, width: int, fuse: str) -> None:
        super().__init__()
        self.cross = CrossLayer(width)
        self.dense = nn.Sequential(Dense(width, width), nn.ReLU())
        self.fuse = FUSIONS[fuse](width)

    def forward(self, x0: Tensor, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, h = self.cross(x0, x), self.dense(h)
        return x, h, self.fuse(x, h)


def regulations(layers: int, fields: int, dim: int, temperature: float | None) -> nn.ModuleList:
    """One for what each layer reads; a ``temperature`` of None leaves it as it is."""
    return nn.ModuleList(
        nn.Identity() if temperature is None else Regulation(fields, dim, temperature)
        for _ in range(layers)
    )


class Bridge(nn.Module):
    def __init__(
        self, fields: int, dim: int, layers: int, fuse: str, temperature: float | None
    ) -> None:
        super().__init__()
        self.cross_gates = regulations(layers, fields, dim, temperature)
        self.dense_gates = regulations(layers, fields, dim, temperature)
        self.layers = nn.ModuleList(BridgeLayer(fields * dim, fuse) for _ in range(layers))

    def forward(self, fields: Tensor) -> Tensor:
        x0, h0 = self.cross_gates[0](fields).flatten(1), self.dense_gates[0](fields).flatten(1)
        x, h, fused = self.layers[0](x0, x0, h0)
        for level in range(1, len(self.layers)):
            read = fused.reshape(fields.shape)
            x, h = self.cross_gates[level](read), self.dense_gates[level](read)
            x, h, fused = self.layers[level](x0, x.flatten(1), h.flatten(1))
        return torch.cat([x, h, fused], dim=1)  # [batch, 3 * fields * dim]


@block("bridge", family="interaction")
class BridgeNet(Block):
    """Cross ``x <- x0 (w^T g_c(f)) + b + g_c(f)`` and dense ``h <- relu(W g_d(f) + b)`` streams.

    After every layer ``f = fuse(x, h)``: their sum, their product, ``relu(W [x; h] + b)``, or
    their mean under a softmax of ``p^T relu(W s + b)``. Regulation, where asked for, makes
    ``g_c`` and ``g_d`` a softmax weight per field and a batch norm, else they are the identity;
    ``x0 = g_c(fields)``. Shapes: fields ``[batch, n, dim]`` to ``[batch, 3 * n * dim]``, the
    last cross, dense and fused vectors.
    """

    paper = "Chen et al., EDCN, CIKM 2021, https://doi.org/10.1145/3459637.3481915"
    module = Bridge

    layers: int = knob(2, legal=ints(1, 6), search=one_of(1, 2, 3), help="fused layers")
    fuse: str = knob(
        "add",
        legal=one_of("add", "hadamard", "concat", "attention"),
        search=one_of("add", "hadamard", "concat", "attention"),
        help="fusion of the streams after a layer",
    )
    regulation: bool = knob(
        False,
        legal=one_of(False, True),
        search=one_of(False, True),
        help="weigh the fields for each stream and layer, then normalise",
    )
    temperature: float = knob(
        1.0,
        legal=logs(0.01, 100.0),
        search=one_of(0.1, 0.3, 1.0),
        help="temperature of the regulation: small is sharp; idle without regulation",
    )

    def out(self, x: Fields) -> Vector:
        return Vector(3 * x.n * x.dim)

    def arguments(self, x: Fields) -> dict[str, object]:
        return {
            "fields": x.n,
            "dim": x.dim,
            "layers": self.layers,
            "fuse": self.fuse,
            "temperature": self.temperature if self.regulation else None,
        }

    def canonical(self) -> Self:
        return (
            self
            if self.regulation
            else dataclasses.replace(self, temperature=type(self).temperature)
        )
