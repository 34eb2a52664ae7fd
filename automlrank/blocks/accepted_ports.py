"""What may flow into a block, by the ports that it declares."""

from __future__ import annotations

import inspect
import typing
from types import UnionType

from automlrank.blocks.base import Block
from automlrank.blocks.ports import Fields, Vector


def first_input(cls: type[Block]) -> frozenset[type]:
    """The ports that may flow into a block."""
    hints = cls.inputs()
    return members_of(next(iter(hints.values()))) if hints else frozenset()


def tensors_of(cls: type[Block], method: str = "forward") -> list[str]:
    """The names that a method of a block's module takes; none where it has no such method."""
    function = getattr(cls.module, method, None)
    return list(inspect.signature(function).parameters)[1:] if function else []


def members_of(annotation: object) -> frozenset[type]:
    """The classes of a union, or the one class."""
    if isinstance(annotation, UnionType):
        return frozenset(typing.get_args(annotation))
    return frozenset({annotation})  # type: ignore[arg-type]


def accepts(wanted: frozenset[type], port: type) -> bool:
    """Whether a block that takes ``wanted`` may be given ``port``: Fields flatten to a Vector."""
    return port in wanted or (port is Fields and Vector in wanted)
