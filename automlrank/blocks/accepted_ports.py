"""Ports and tensors that a block accepts, read from the signatures that it declares."""

from __future__ import annotations

import inspect
import typing
from types import UnionType
from typing import Any

from automlrank.blocks.base import Block
from automlrank.blocks.ports import Fields, Vector


def first_input(cls: type[Block]) -> frozenset[type]:
    """Return the ports that may flow into a block."""
    hints = cls.inputs()
    return members_of(next(iter(hints.values()))) if hints else frozenset()


def tensors_of(cls: type[Block], method: str = "forward") -> list[str]:
    """Return the parameters of a method of the block's module; none if there is no such method."""
    function = getattr(getattr(cls, "module", None), method, None)
    return list(inspect.signature(function).parameters)[1:] if function else []


def members_of(annotation: Any) -> frozenset[type]:
    """Return the classes of a union, or the one class."""
    if isinstance(annotation, UnionType):
        return frozenset(typing.get_args(annotation))
    return frozenset({annotation})


def accepts(wanted: frozenset[type], port: type) -> bool:
    """Return True if a block that takes ``wanted`` may be given ``port``.

    Fields are flattened for a block that takes a vector.
    """
    return port in wanted or (port is Fields and Vector in wanted)
