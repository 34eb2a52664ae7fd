"""The least that a step has to do: its matrix products, and its rows read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
PRODUCTS = {aten.mm, aten.addmm, aten.bmm, aten.baddbmm, aten.baddbmm_, aten.addbmm_}


@dataclass
class Limit:
    """The products of one step, with tensors of the same shapes, strides and types to multiply."""

    products: list[tuple[Any, list[Any]]] = field(default_factory=list)
    rows: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    """Each table that is read, and the rows touched; what is written to them is what was read."""
    gib: float = 0.0
    """What the tensors to multiply take at least: the process holds them beside the training."""

    @classmethod
    def of(cls, run: Iterator[None]) -> Limit:
        limit = cls()
        next(run)
        with Watch(limit):
            next(run)
        likes = [a for _, args in limit.products for a in args if isinstance(a, Like)]
        limit.gib = sum(prod(like.once) * like.dtype.itemsize for like in likes) / 2**30
        limit.products = [(product, [made(a) for a in args]) for product, args in limit.products]
        return limit

    def seconds(self, clock: Callable[[], float], repeats: int) -> float:
        """The median of some repetitions."""
        return median(self.once(clock) for _ in range(max(repeats, 3)))

    def once(self, clock: Callable[[], float]) -> float:
        began = clock()
        with torch.no_grad():
            for product, arguments in self.products:
                product(*arguments)
            for table, places in self.rows:
                table.index_copy_(0, places, table.index_select(0, places))
        return clock() - began


class Watch(TorchDispatchMode):
    """Takes down what a step multiplies and which rows it reads."""

    def __init__(self, limit: Limit) -> None:
        super().__init__()
        self.limit = limit

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func.overloadpacket in PRODUCTS:
            self.limit.products.append((func.overloadpacket, [Like.of(a) for a in args]))
        elif func.overloadpacket is aten.embedding:
            table, ids = args[0], args[1]
            if ids.numel():
                self.limit.rows.append((table.detach(), ids.unique().long()))
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Like:
    """Shape and type of a tensor, without its memory."""

    shape: torch.Size
    strides: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, argument: Any) -> Any:
        if not isinstance(argument, Tensor):
            return argument
        return cls(argument.shape, argument.stride(), argument.dtype)

    @property
    def once(self) -> list[int]:
        """The sizes without repetition."""
        sizes = zip(self.shape, self.strides, strict=True)
        return [n if stride else 1 for n, stride in sizes]


def made(argument: Any) -> Any:
    """A tensor that looks so."""
    if not isinstance(argument, Like):
        return argument
    tensor = torch.empty_strided(argument.once, argument.strides, dtype=argument.dtype)
    return tensor.normal_().expand(argument.shape)


def peak_gib() -> float:
    """The largest resident size of this process; getrusage would count its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 2**20 for line in status.splitlines() if "VmHWM" in line)
