"""The memory-mapped store: a table's arrays, written once and shared by every process.

A store is a folder named after its fingerprint: ``manifest.json``, one ``.npy`` per array and
split, and the encoder. It is written beside its place and moved there when it is whole, under a
lock, so that nobody reads half of one. Files have numbers for names: columns' names are data.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from automlrank.data.transform import Array, Encoder, Ragged
from automlrank.errors import DataError

FORMAT = 1  # of the manifest and of what the arrays mean
Arrays = Mapping[str, Array | Ragged]


@dataclass(frozen=True)
class Content:
    """What goes into a store: facts (plain data), the encoder, each split's arrays."""

    facts: Mapping[str, Any]
    encoder: Encoder
    splits: Mapping[str, Arrays]


@dataclass(frozen=True)
class Store:
    """An opened store: ``content`` with its arrays mapped from ``folder``."""

    folder: Path
    content: Content


def default_cache() -> Path:
    """The folder of stores: ``AUTOMLRANK_CACHE``, or one in the home folder."""
    return Path(os.environ.get("AUTOMLRANK_CACHE") or Path.home() / ".cache" / "automlrank")


def open_or_build(folder: Path, build: Callable[[], Content]) -> Store:
    """The store at ``folder``; ``build`` gives its content if there is none, or a damaged one.

    Raises DataError if the place cannot be written.
    """
    if _is_whole(folder):
        return read_store(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_name(folder.name + ".lock")):
            if not _is_whole(folder):
                _replace(folder, build())
    except OSError as error:
        raise DataError(
            f"the encoded data cannot be written to {folder.parent}: {error.strerror or error}.",
            "Name another cache folder, for example in AUTOMLRANK_CACHE.",
        ) from None
    return read_store(folder)


def read_store(folder: Path) -> Store:
    """Open a store's arrays for reading; no array is loaded."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    splits = {
        split: {key: _open(folder, files) for key, files in arrays.items()}
        for split, arrays in manifest["splits"].items()
    }
    return Store(folder, Content(manifest["facts"], Encoder.load(folder), splits))


def _replace(folder: Path, content: Content) -> None:
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed; the lock is ours
    partial.mkdir()
    content.encoder.save(partial)
    numbers = itertools.count()
    splits = {
        split: {key: _write(partial, array, numbers) for key, array in arrays.items()}
        for split, arrays in content.splits.items()
    }
    sizes = {file.name: file.stat().st_size for file in partial.iterdir()}
    manifest = {"format": FORMAT, "facts": content.facts, "splits": splits, "sizes": sizes}
    text = json.dumps(manifest, indent=1, ensure_ascii=False, default=str)  # YAML has dates
    (partial / "manifest.json").write_text(text, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _is_whole(folder: Path) -> bool:
    """Whether the manifest can be read and every file has its size."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return manifest["format"] == FORMAT and all(
            (folder / name).stat().st_size == size for name, size in manifest["sizes"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _write(folder: Path, array: Array | Ragged, numbers: Iterator[int]) -> list[str]:
    """The names of the files: one, or a ragged array's two."""
    parts = list(array) if isinstance(array, Ragged) else [array]
    names = [f"{next(numbers)}.npy" for _ in parts]
    for file, part in zip(names, parts, strict=True):
        np.save(folder / file, part, allow_pickle=False)
    return names


def _open(folder: Path, files: list[str]) -> Array | Ragged:
    arrays = [
        np.asarray(np.load(folder / name, mmap_mode="r", allow_pickle=False)) for name in files
    ]
    return Ragged(*arrays) if len(arrays) == 2 else arrays[0]
