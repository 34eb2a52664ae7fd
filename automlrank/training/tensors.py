"""Tensors in safetensors files: written whole or not at all, and checked when they are read."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from automlrank.data.checksum import checksum_of_bytes

FACTS = "facts"  # the one key of a file's metadata: the order of several differs between writes
SYSTEM_ERROR = re.compile(r"code: (\d+)")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: str = "") -> None:
    """Write a file with its checksum, whole or not at all; raises OSError with its name."""
    partial = path.with_suffix(".partial")
    whole = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    try:
        save_file(whole, partial, {FACTS: f"{_checksum(whole, facts)} {facts}"})
        os.replace(partial, path)
    except SafetensorError as error:  # it has the system's number in its text
        found = SYSTEM_ERROR.search(str(error))
        number = int(found[1]) if found else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """Return the tensors and facts of a file; raises SafetensorError if it is damaged.

    A file that another program wrote has no checksum, and no facts.
    """
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    checksum, _, facts = metadata.get(FACTS, "").partition(" ")
    if FACTS in metadata and checksum != _checksum(tensors, facts):
        raise SafetensorError("its values are not those that were written")
    return tensors, facts


def _checksum(tensors: Mapping[str, Tensor], facts: str) -> str:
    found = zlib.crc32(facts.encode())
    for name, tensor in sorted(tensors.items()):
        found = zlib.crc32(name.encode(), found)
        found = checksum_of_bytes(_bytes(tensor), found)
    return str(found)


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.reshape(-1).view(torch.uint8).numpy().data
