"""The memory-mapped store: a table's arrays, written once and shared by every process.

A store is a folder named after its fingerprint: ``manifest.json``, one ``.npy`` per array and
split, and the encoder. It is written chunk by chunk to a temporary folder and renamed when
complete, under a lock, so that no process reads a partial store. The manifest has a checksum of
each file: one that a power cut left full of zeros is not read, and the table is encoded again.
Files are named by numbers, because names of columns may not be valid file names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import polars as pl

from automlrank.data.array_file import ArrayFile, mapped
from automlrank.data.checksum import checksums_of, damaged_files
from automlrank.data.transform import Encoder
from automlrank.data.values import Array, Ragged
from automlrank.documents import read_json
from automlrank.errors import DataError, DocumentError
from automlrank.files import disk_error, remove, write_text

SAMPLE_FILE = "rows.parquet"
FORMAT = 5  # of the manifest and of what the arrays mean
CHECKSUM = "checksum"  # the manifest's key of that of all others
SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
Arrays = Mapping[str, Array | Ragged]


@dataclass(frozen=True)
class Store:
    """An opened store: its manifest (``facts``), its encoder, memory-mapped arrays per split."""

    folder: Path
    facts: Mapping[str, Any]
    encoder: Encoder
    splits: Mapping[str, Arrays]
    notes: tuple[str, ...] = ()
    """Sentences on a damaged store that this one replaces."""


class DamagedStore(Exception):
    """A store is not there as it was written."""


def open_or_build(folder: Path, build: Callable[[StoreWriter], None]) -> Store:
    """The store at ``folder``; ``build`` writes it if there is none, or a damaged one.

    Raises DataError if the place cannot be written; what ``build`` raises leaves nothing behind.
    """
    with contextlib.suppress(DamagedStore):
        return read_store(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_name(folder.name + ".lock")):
            return _read_or_build(folder, build)
    except OSError as error:
        file = f", {error.filename}" if error.filename else ""
        raise DataError(
            f"the encoded data cannot be written to {folder.parent}: {disk_error(error)}{file}.",
            "Free some space, or name another cache folder in AUTOMLRANK_CACHE.",
        ) from None


def _read_or_build(folder: Path, build: Callable[[StoreWriter], None]) -> Store:
    """Return the store that another process has written meanwhile, or build it."""
    try:
        return read_store(folder)
    except DamagedStore as damage:
        notes = (f"{damage}: the table is encoded again.",) if folder.exists() else ()
    with _new_store(folder) as writer:
        build(writer)
    return dataclasses.replace(read_store(folder), notes=notes)


def read_store(folder: Path) -> Store:
    """Open a store's arrays for reading; no array is loaded. Raises DamagedStore."""
    manifest = _manifest(folder)
    if damaged := damaged_files(folder, manifest["files"]):
        raise DamagedStore(f"{folder / damaged[0]} is missing or damaged")
    splits = {
        split: {key: _open(folder, files) for key, files in arrays.items()}
        for split, arrays in manifest["splits"].items()
    }
    return Store(folder, manifest["facts"], Encoder.load(folder), splits)


def _manifest(folder: Path) -> Mapping[str, Any]:
    """Return the manifest of a store; raises DamagedStore if it is not as it was written."""
    path = folder / "manifest.json"
    try:
        manifest = read_json(path)
    except DocumentError as error:
        raise DamagedStore(str(error).rstrip(".")) from None
    if not isinstance(manifest, dict) or manifest.pop(CHECKSUM, None) != _checksum(manifest):
        raise DamagedStore(f"{path} is damaged")
    if manifest["format"] != FORMAT:
        raise DamagedStore(f"{path} is of another version")
    return manifest


def _checksum(manifest: Mapping[str, Any]) -> int:
    return zlib.crc32(_json(manifest).encode())


def _json(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, ensure_ascii=False, default=str)  # YAML has dates


class StoreWriter:
    """Writes each split's arrays in chunks, then the manifest and the encoder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[tuple[str, str], list[ArrayFile]] = {}
        self.numbers = itertools.count()

    def append(self, split: str, arrays: Arrays) -> None:
        """The next rows of a split; always the same arrays, of the same widths and types."""
        for key, array in arrays.items():
            ragged = isinstance(array, Ragged)
            if (split, key) not in self.files:
                self.files[split, key] = [self.new_file() for _ in range(1 + ragged)]
            files = self.files[split, key]
            if not isinstance(array, Ragged):
                files[0].append(array)
                continue
            values, starts = files
            first = values.rows  # a chunk's starts count from its own first value
            starts.append((array.starts if not starts.rows else array.starts[1:]) + first)
            values.append(array.values)

    def allocate(self, split: str, key: str, shape: tuple[int, ...]) -> Array:
        """A whole float32 array of a split, mapped, to be filled in any order."""
        file = self.new_file()
        self.files[split, key] = [file]
        return file.allocate(np.dtype(np.float32), shape)

    def read(self, split: str, key: str) -> Array:
        """Return the part of an array that was written so far, mapped."""
        return self.files[split, key][0].mapped()

    def write_sample(self, rows: pl.DataFrame) -> None:
        """Sample of raw rows, to inspect the table without reading it again."""
        with as_system_errors():
            rows.write_parquet(self.folder / SAMPLE_FILE, compression="lz4", statistics=False)

    def finish(self, facts: Mapping[str, Any], encoder: Encoder) -> None:
        """Close the arrays and write the manifest."""
        self.close()
        with as_system_errors():
            encoder.save(self.folder)
        splits: dict[str, dict[str, list[str]]] = {}
        for (split, key), files in self.files.items():
            splits.setdefault(split, {})[key] = [file.path.name for file in files]
        written = checksums_of(self.folder)
        manifest = {"format": FORMAT, "facts": facts, "splits": splits, "files": written}
        text = _json({**manifest, CHECKSUM: _checksum(manifest)})
        write_text(self.folder / "manifest.json", text)

    def close(self) -> None:
        """Close every file, whichever cannot be: a full disk fails when the last bytes go out."""
        with contextlib.ExitStack() as stack:
            for files in self.files.values():
                for file in files:
                    stack.callback(file.close)

    def new_file(self) -> ArrayFile:
        return ArrayFile(self.folder / f"{next(self.numbers)}.npy")


@contextmanager
def _new_store(folder: Path) -> Iterator[StoreWriter]:
    """A writer beside ``folder`` whose work takes its place when all went well."""
    partial = folder.with_name(folder.name + ".partial")
    remove(partial)  # of a process that was killed; the lock is ours
    partial.mkdir()
    writer = StoreWriter(partial)
    try:
        yield writer
        remove(folder)
        partial.rename(folder)
    finally:
        try:
            writer.close()
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def as_system_errors() -> Iterator[None]:
    """Polars wraps the system's errors, such as those of a full disk; they have a number in it."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        found = SYSTEM_ERROR.search(str(error))
        if found:
            raise OSError(int(found[1]), os.strerror(int(found[1]))) from None
        raise OSError(str(error).splitlines()[0]) from None


def _open(folder: Path, files: list[str]) -> Array | Ragged:
    arrays = [mapped(folder / name) for name in files]
    return Ragged(*arrays) if len(arrays) == 2 else arrays[0]
