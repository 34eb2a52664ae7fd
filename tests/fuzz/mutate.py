"""Change plain data, text and bytes at random."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from .draws import ODD_DATA, below, between, chance, pick
from .judge import Rng

Place = tuple[Any, Any]  # a container and a key of it


def changed_data(rng: Rng, data: Any, words: Sequence[str], times: int) -> Any:
    """Return a copy with some values replaced, moved, renamed, repeated or left out."""
    whole = {"": copy.deepcopy(data)}
    for _ in range(times):
        places = list(_places(whole))
        container, key = pick(rng, places)
        _change(rng, container, key, places, words)
    return whole.get("")


def _places(container: Any) -> list[Place]:
    keys = container if isinstance(container, dict) else range(len(container))
    found: list[Place] = []
    for key in keys:
        found.append((container, key))
        if isinstance(container[key], dict | list):
            found += _places(container[key])
    return found


def _change(
    rng: Rng, container: Any, key: Any, places: Sequence[Place], words: Sequence[str]
) -> None:
    other, place = pick(rng, places)
    match below(rng, 7):
        case 0:
            container[key] = copy.deepcopy(pick(rng, ODD_DATA))
        case 1:
            container[key] = copy.deepcopy(other[place])
        case 2 if len(container) > 1:
            del container[key]
        case 3 if isinstance(container, dict):
            value = container.pop(key)
            container[pick(rng, words)] = value
        case 4:
            container[key] = [copy.deepcopy(container[key])] * between(rng, 1, 3)
        case 5:
            container[key] = {pick(rng, words): container[key]}
        case _:
            container[key] = pick(rng, words)


def changed_bytes(rng: Rng, data: bytes, times: int) -> bytes:
    """Return the bytes with some flipped, cut, repeated, zeroed or put in."""
    held = bytearray(data)
    for _ in range(times):
        if not held:
            break
        at, length = below(rng, len(held)), between(rng, 1, 16)
        match below(rng, 6):
            case 0:
                held[at] ^= 1 << below(rng, 8)
            case 1:
                del held[at : at + length]
            case 2:
                held[at:at] = held[at : at + length]
            case 3:
                held[at : at + length] = bytes(min(length, len(held) - at))
            case 4:
                held[at:at] = rng.bytes(length)
            case _:
                held[at] = below(rng, 256)
    return bytes(held)


def cut_bytes(rng: Rng, data: bytes) -> bytes:
    """Return the beginning of the bytes; often nothing, or all but the last few."""
    ends = (0, 1, len(data) // 2, max(0, len(data) - 1), max(0, len(data) - between(rng, 1, 12)))
    return data[: pick(rng, ends) if chance(rng, 0.5) else below(rng, len(data) + 1)]
