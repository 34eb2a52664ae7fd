"""NumPy array files that grow by rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import numpy as np

from automlrank.data.values import Array


class ArrayFile:
    """An ``.npy`` file that grows by rows: numpy leaves room in its header for the last count."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        self.like: Array | None = None
        self.file: IO[bytes] = path.open("wb")

    def append(self, array: Array) -> None:
        if self.like is None:
            self.like = array[:0].copy()
            self.write_header()
        self.file.write(np.ascontiguousarray(array).data)
        self.rows += len(array)

    def write_header(self) -> None:
        assert self.like is not None
        shape = (self.rows, *self.like.shape[1:])
        descr = np.lib.format.dtype_to_descr(self.like.dtype)
        self.file.seek(0)
        np.lib.format.write_array_header_1_0(
            self.file, {"descr": descr, "fortran_order": False, "shape": shape}
        )

    def allocate(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """Return the file as a mapped array of this shape, to be filled in any order.

        Its room on the disk is taken now: without it, writing to a mapped array is a bus error,
        which ends the process.
        """
        self.close()
        array = np.lib.format.open_memmap(self.path, "w+", dtype, shape)
        if hasattr(os, "posix_fallocate"):
            with self.path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, self.path.stat().st_size)
        return array

    def mapped(self) -> Array:
        end = self.file.tell()
        self.write_header()
        self.file.seek(end)
        self.file.flush()
        return mapped(self.path)

    def close(self) -> None:
        if self.file.closed:
            return
        with self.file:
            if self.like is not None:
                self.write_header()


def mapped(path: Path) -> Array:
    """An array of a file, for reading; nothing of it is loaded."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
