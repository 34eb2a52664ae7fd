"""Base class of product layers: the fields, joined with ``width`` products of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automlrank.blocks.base import Block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.ports import Fields, Vector


@dataclass(frozen=True, kw_only=True)
class ProductLayer(Block):
    """Fields and products joined: ``relu(W z + b + l)``, or ``[z; l]`` as they are."""

    width: int = knob(128, legal=ints(1, 4096), search=one_of(64, 128, 256), help="products l_n")
    join: str = knob(
        "add",
        legal=one_of("add", "concat"),
        search=one_of("add", "concat"),
        help="join of the fields and their products",
    )

    def out(self, x: Fields) -> Vector:
        return Vector(self.width if self.join == "add" else x.n * x.dim + self.width)

    def arguments(self, x: Fields) -> dict[str, Any]:
        return {"fields": x.n, "dim": x.dim, **self.settings()}
