"""The least that a step has to do: its matrix products, and its rows read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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

    @classmethod
    def of(cls, run: Iterator[None]) -> Limit:
        limit = cls()
        next(run)
        with Watch(limit):
            next(run)
        return limit

    @property
    def gib(self) -> float:
        """What the tensors to multiply take: the process holds them beside the training."""
        tensors = [a for _, args in self.products for a in args if isinstance(a, Tensor)]
        return sum(tensor.untyped_storage().nbytes() for tensor in tensors) / 2**30

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
            self.limit.products.append((func.overloadpacket, [stand_in(a) for a in args]))
        elif func.overloadpacket is aten.embedding:
            table, ids = args[0], args[1]
            if ids.numel():
                self.limit.rows.append((table.detach(), ids.unique().long()))
        return func(*args, **(kwargs or {}))


def stand_in(argument: Any) -> Any:
    if not isinstance(argument, Tensor):
        return argument
    strides = argument.stride()
    once = [n if stride else 1 for n, stride in zip(argument.shape, strides, strict=True)]
    made = torch.empty_strided(once, strides, dtype=argument.dtype)
    return made.normal_().expand(argument.shape)
