"""Parts of all comparisons: a pair, inputs, and weights that are drawn and copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.blocks import BLOCKS
from automlrank.blocks.ports import Fields, History, Targets, Vector

FIELDS, DIM, LENGTH, WIDTH, RANK, IDS = 26, 16, 50, 128, 32, 1000
FLAT = FIELDS * DIM
PORTS = {
    "fields": Fields(FIELDS, DIM),
    "vector": Vector(FLAT),
    "history": History(DIM, LENGTH, IDS),
}


@dataclass(frozen=True)
class Pair:
    """A block and a peer's layer; ``make`` gives both with the same weights."""

    block: str
    layer: str
    reads: str
    """A key of ``inputs``."""
    make: Callable[[], tuple[nn.Module, nn.Module]]
    note: str = ""
    departs: bool = False
    """The formulas differ: the difference is shown and neither judged nor timed."""
    timed: bool = True
    """False where ours takes a detour to say what theirs says."""


class Call(nn.Module):
    """``call(module, *inputs)``: a layer in the shape of what it is compared with."""

    def __init__(self, module: nn.Module, call: Callable[..., Tensor]) -> None:
        super().__init__()
        self.module, self.call = module, call

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.call(self.module, *inputs)


def ours(name: str, reads: str, **knobs: Any) -> nn.Module:
    """The module of a block, without dropout and batch norm, its weights drawn."""
    block = BLOCKS[name](**knobs)
    roots = {"targets": Targets(1)} if "targets" in block.inputs() else {}
    return drawn(block.build(PORTS[reads], **roots))


def drawn(module: Any) -> Any:
    """The module with every parameter drawn: a bias that stays 0 would compare nothing."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.is_floating_point():
                parameter.normal_(0.0, 0.05)
    return module


@torch.no_grad()
def put(parameter: Any, value: Tensor | float) -> None:
    """Copy a value into a parameter of the same shape; a number fills it."""
    if isinstance(value, Tensor):
        assert parameter.shape == value.shape, (parameter.shape, value.shape)
    parameter.copy_(value if isinstance(value, Tensor) else torch.full_like(parameter, value))


def put_linear(target: Any, source: Any) -> None:
    """Copy a linear layer."""
    put(target.weight, source.weight)
    if target.bias is not None:
        put(target.bias, source.bias)


def put_linears(target: nn.Module, source: nn.Module) -> None:
    """Copy all linear layers, in the order of the modules."""
    pairs = [[m for m in part.modules() if isinstance(m, nn.Linear)] for part in (target, source)]
    for ours_, theirs in zip(*pairs, strict=True):
        put_linear(ours_, theirs)


def inputs(reads: str, rows: int) -> list[Tensor]:
    """Random inputs of a pair: fields, a vector, a history with its target and mask, two vectors.

    Every row has at least one behaviour.
    """
    if reads == "history":
        lengths = torch.randint(1, LENGTH + 1, (rows, 1))
        mask = torch.arange(LENGTH) < lengths  # [rows, length]
        keys = torch.randn(rows, LENGTH, DIM) * mask.unsqueeze(2)
        return [keys, torch.randn(rows, DIM), mask]
    if reads == "streams":
        return [torch.randn(rows, WIDTH), torch.randn(rows, WIDTH)]
    return [torch.randn(rows, *((FLAT,) if reads == "vector" else (FIELDS, DIM)))]


def mixture_of_ours(u: Any, v: Any, c: Any, biases: Any, gates: Any) -> nn.Module:
    """``cross_net_mix`` with the weights of peers, which all name and shape them alike.

    Of each layer U and V ``[experts, dim, rank]``, C ``[experts, rank, rank]``, b ``[dim, 1]``;
    the gates, a linear layer an expert, serve all layers.
    """
    mine: Any = ours("cross_net_mix", "vector", layers=len(u), experts=len(gates), rank=RANK)
    for i, layer in enumerate(mine.layers):
        put(layer.down.weight, v[i].transpose(1, 2).flatten(0, 1))
        put(layer.core, c[i])
        put(layer.up.weight, u[i].transpose(0, 1).flatten(1))
        put(layer.up.bias, biases[i][:, 0])
        put(layer.gate.weight, torch.cat([gate.weight for gate in gates]))
    return mine


def inner_products_of_ours() -> nn.Module:
    """All inner products out of ``ipnn``: ``<v_i, v_j> = (|v_i + v_j|^2 - |v_i|^2 - |v_j|^2) / 2``.

    ``theta`` is set to the sums of two fields, then to single ones.
    """
    left, right = torch.triu_indices(FIELDS, FIELDS, 1)
    one = torch.eye(FIELDS)
    theta = torch.cat([one[left] + one[right], one])
    block: Any = ours("ipnn", "fields", width=len(theta), join="concat")
    put(block.theta, theta)

    def products(module: nn.Module, fields: Tensor) -> Tensor:
        norms: Tensor = module(fields)[:, FLAT:]
        both, single = norms.split([len(left), FIELDS], dim=1)
        return (both - single[:, left] - single[:, right]) / 2

    return Call(block, products)


def outer_products_of_ours(kernel: Tensor) -> nn.Module:
    """``opnn`` with one symmetric matrix, less what it says of fields with themselves, halved.

    That is ``sum_{i<j} v_i^T K v_j``, the sum over pairs where all have the same matrix.
    """
    block: Any = ours("opnn", "fields", width=1, join="concat")
    put(block.weight, kernel.unsqueeze(0))

    def products(module: nn.Module, fields: Tensor) -> Tensor:
        own = ((fields @ kernel) * fields).sum(dim=(1, 2))
        whole: Tensor = module(fields)[:, FLAT]
        return (whole - own).unsqueeze(1) / 2

    return Call(block, products)
