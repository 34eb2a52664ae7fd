"""Tensors come back as they were written, or the file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from automlrank.training.tensors import read_tensors, write_tensors

TENSORS = {
    "weight": torch.arange(64.0).reshape(8, 8),
    "half": torch.ones(3, dtype=torch.bfloat16),
    "count": torch.tensor(7),
    "none": torch.zeros(0),
}


def same(found: dict[str, torch.Tensor]) -> bool:
    return found.keys() == TENSORS.keys() and all(
        torch.equal(found[name], tensor) for name, tensor in TENSORS.items()
    )


def test_tensors_and_facts_come_back_and_the_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.safetensors" for i in range(8)]
    for file in files:
        write_tensors(file, TENSORS, "a b")
    tensors, facts = read_tensors(files[0])
    assert same(tensors)
    assert facts == "a b"
    assert len({file.read_bytes() for file in files}) == 1


@pytest.mark.parametrize("zeros", [1, 4, 100, 250])
def test_zeros_at_the_end_are_found(tmp_path: Path, zeros: int) -> None:
    """After a power cut a file has its length, and zeros where nothing was written."""
    file = tmp_path / "w.safetensors"
    write_tensors(file, {**TENSORS, "z": torch.ones(8)})
    data = file.read_bytes()
    file.write_bytes(data[:-zeros] + bytes(zeros))
    with pytest.raises(SafetensorError, match="not those that were written"):
        read_tensors(file)


def test_a_file_of_another_program_has_no_checksum(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file(TENSORS, file)
    tensors, facts = read_tensors(file)
    assert same(tensors)
    assert facts == ""
