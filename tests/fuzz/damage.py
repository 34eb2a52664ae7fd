"""Files that were cut, emptied, zeroed, swapped, edited, or are something else."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from automlrank.documents import dump

from .draws import WORDS, between, pick
from .judge import Rng
from .mutate import changed_bytes, changed_data, cut_bytes

DAMAGES = ("flip", "cut", "empty", "zeros", "tail", "edit", "edit", "edit", "foreign", "swap")
DAMAGES = (*DAMAGES, "gone", "folder", "link")
FOREIGN = (
    *(b"null", b"[]", b"{}", b"5", b'"x"', b"{", b"[1]", b'{"format": 99}', b"\n", b"\xff\xfe"),
    *(b"PAR1", b"PAR1PAR1", b"ARROW1\0\0", b"\x1f\x8b\x08\0", b"PK\x03\x04", b"%PDF-1.4", b"\0"),
    *(b"ARROW1\0\0\0\0ARROW1", b"PAR1\x15\0PAR1", b"a,b\n1,2\n3,4\n", b"\xff\xfea\0,\0b\0\n\0"),
    *(b"\xff\xff\xff\xff", b"\r", b'"', b'a,b\n"', b"a\n" * 3, b"a,a\n1,2\n", b",\n,\n"),
)


def damaged(rng: Rng, file: Path, damage: str, others: Sequence[Path] = ()) -> None:
    """Damage a file in place; ``swap`` puts another's content there."""
    data = file.read_bytes()
    match damage:
        case "flip":
            file.write_bytes(changed_bytes(rng, data, between(rng, 1, 3)))
        case "cut":
            file.write_bytes(cut_bytes(rng, data))
        case "empty":
            file.write_bytes(b"")
        case "zeros" | "tail":
            at = between(rng, 0, len(data)) if damage == "tail" else 0
            file.write_bytes(data[:at] + bytes(len(data) - at))
        case "edit":
            file.write_bytes(_edited(rng, file.suffix, data))
        case "foreign":
            file.write_bytes(pick(rng, FOREIGN))
        case "swap":
            file.write_bytes(pick(rng, others).read_bytes())
        case _:
            _replace(file, damage)


def _replace(file: Path, damage: str) -> None:
    """Remove the file, and put a folder or a link to itself in its place."""
    file.unlink()
    if damage == "folder":
        file.mkdir()
    elif damage == "link":
        file.symlink_to(file)


def _edited(rng: Rng, suffix: str, data: bytes) -> bytes:
    """Return the bytes with some of their values changed."""
    editors = {".json": _json, ".yaml": _yaml, ".parquet": _parquet, ".npy": _array}
    return editors[suffix](rng, data) if suffix in editors else changed_bytes(rng, data, 2)


def _json(rng: Rng, data: bytes) -> bytes:
    held = json.loads(data)
    changed = changed_data(rng, held, keys_in(held), between(rng, 1, 3))
    return json.dumps(changed, default=str).encode()


def _yaml(rng: Rng, data: bytes) -> bytes:
    held = yaml.safe_load(data)
    return dump(changed_data(rng, held, keys_in(held), between(rng, 1, 3))).encode()


def _parquet(rng: Rng, data: bytes) -> bytes:
    """Leave out columns and rows."""
    frame = pl.read_parquet(io.BytesIO(data))
    kept = frame.select(pl.nth(range(between(rng, 0, frame.width))))
    written = io.BytesIO()
    kept.head(between(rng, 0, kept.height)).write_parquet(written)
    return written.getvalue()


def _array(rng: Rng, data: bytes) -> bytes:
    """Take a row, add one, or change the type or the shape."""
    array = np.load(io.BytesIO(data), allow_pickle=False)
    others = (array[:-1], array + 1, array.astype(np.float64), array[..., None])
    written = io.BytesIO()
    np.save(written, pick(rng, others))
    return written.getvalue()


def keys_in(data: Any) -> list[str]:
    """Return every key inside, and some words."""
    found: dict[str, None] = dict.fromkeys(WORDS)
    stack = [data]
    while stack:
        held = stack.pop()
        if isinstance(held, dict):
            found |= dict.fromkeys(map(str, held))
            stack += held.values()
        elif isinstance(held, list):
            stack += held
    return list(found)
