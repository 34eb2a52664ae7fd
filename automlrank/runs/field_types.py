"""Types of the fields of a dataclass, checked where its values come from a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from automlrank.errors import shown

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def check_fields(value: DataclassInstance) -> None:
    """Raise TypeError for the first field, however deep, whose value is not of its type."""
    hints = _hints(type(value))
    for item in dataclasses.fields(value):
        _check(getattr(value, item.name), hints[item.name], item.name)


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return get_type_hints(cls)


def _check(value: object, hint: Any, name: str) -> None:
    if not _fits(value, hint, name):
        wanted = getattr(hint, "__name__", str(hint)) if not get_args(hint) else str(hint)
        raise TypeError(f"{name} must be {wanted}, but got {shown(value)}")


def _fits(value: object, hint: Any, name: str) -> bool:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, each, name) for each in args)
    if origin is Callable:
        return callable(value)
    if origin is not None:
        return _contains(value, origin, args, name)
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    if not isinstance(value, hint or NoneType):
        return False
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        check_fields(value)
    return True


def _contains(value: object, origin: Any, args: tuple[Any, ...], name: str) -> bool:
    """Return True for a mapping, a tuple or another sequence with members of these types."""
    if issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return False
        for key, item in value.items():
            _check(key, args[0], name)
            _check(item, args[1], f"{name}.{key}")
        return True
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    types = args if origin is tuple and Ellipsis not in args else (args[0],) * len(value)
    return len(types) == len(value) and all(
        _fits(item, each, name) for item, each in zip(value, types, strict=True)
    )
