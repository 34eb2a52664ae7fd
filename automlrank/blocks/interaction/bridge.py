"""EDCN: a cross stream and a dense stream that are fused after every layer."""

from __future__ import annotations

import dataclasses
from typing import Self

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, logs, one_of
from automlrank.blocks.ports import Fields, Vector


class Fusion(nn.Module):
    """What becomes of a cross vector and a dense vector of one width."""

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
        self.mix = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.relu(self.mix(torch.cat([x, h], dim=1)))


class StreamAttention(Fusion):
    """A softmax over the two streams of ``p^T relu(W s + b)``."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.score = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, 1, bias=False))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        streams = torch.stack([x, h], dim=1)  # [batch, 2, dim]
        shares: Tensor = self.score(streams).softmax(dim=1)  # [batch, 2, 1]
        return (shares * streams).sum(dim=1)


class Regulation(nn.Module):
    """A learned weight per field, ``softmax(logits / temperature)``, then a batch norm.

    The softmax shrinks a vector by the number of fields at every layer; the norm restores it.
    Its statistics are those of an embedding axis over all fields: a norm for each unit would
    divide the weights out again.
    """

    def __init__(self, fields: int, dim: int, temperature: float) -> None:
        super().__init__()
        self.shape = (fields, dim)
        self.temperature = temperature
        self.logits = nn.Parameter(torch.zeros(fields))
        # with the usual 1e-5, embeddings of 0.01 over 40 fields would stay as small as they are
        self.norm = nn.BatchNorm1d(dim, eps=1e-5 / fields**2)

    def forward(self, x: Tensor) -> Tensor:
        weights = (self.logits / self.temperature).softmax(dim=0)
        regulated = x.reshape(-1, *self.shape) * weights.unsqueeze(1)
        normed: Tensor = self.norm(regulated.transpose(1, 2))  # [batch, dim, fields]
        return normed.transpose(1, 2).flatten(1)


class CrossLayer(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Linear(dim, 1, bias=False)
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
        self.dense = nn.Sequential(nn.Linear(width, width), nn.ReLU())
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
        e = fields.flatten(1)  # [batch, fields * dim]
        x0, h0 = self.cross_gates[0](e), self.dense_gates[0](e)
        x, h, fused = self.layers[0](x0, x0, h0)
        for level in range(1, len(self.layers)):
            x, h = self.cross_gates[level](fused), self.dense_gates[level](fused)
            x, h, fused = self.layers[level](x0, x, h)
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
        help="how the streams become one after a layer",
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
        help="of the regulation's softmax: small is sharp; idle without regulation",
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
