"""Base class of towers gated by the context."""

from __future__ import annotations

from typing import Any

from automlrank.blocks.base import Block
from automlrank.blocks.ports import Context, Vector


class ContextTower(Block):
    """Layers of ``width`` units whose gates are ``given`` the context's fields."""

    width: int

    def out(self, x: Vector, context: Context) -> Vector:
        return Vector(self.width)

    def arguments(self, x: Vector, context: Context) -> dict[str, Any]:
        return {"dim": x.dim, "given": context.n * context.dim, **self.settings()}
