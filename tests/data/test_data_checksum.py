"""Checksums: every byte of a small file counts, and every long run of a large one."""

from __future__ import annotations

from pathlib import Path

import pytest

from automlrank.data import checksum
from automlrank.data.checksum import checksums_of, damaged_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in (("small", 300), ("empty", 0), ("large", 5000)):
        (tmp_path / name).write_bytes(bytes(i % 251 + 1 for i in range(size)))
    return tmp_path


def test_files_as_they_were_written_are_whole(folder: Path) -> None:
    assert damaged_files(folder, checksums_of(folder)) == []


@pytest.mark.parametrize("at", [0, 150, 299])
def test_one_byte_of_a_small_file_is_found(folder: Path, at: int) -> None:
    known, file = checksums_of(folder), folder / "small"
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    assert damaged_files(folder, known) == ["small"]


@pytest.mark.parametrize("start", range(0, 4300, 390))
def test_a_run_of_zeros_in_a_large_file_is_found(
    folder: Path, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large: more than the blocks that are read; the run is longer than what lies between them."""
    monkeypatch.setattr(checksum, "BLOCKS", 8)
    monkeypatch.setattr(checksum, "BLOCK", 100)
    known, file = checksums_of(folder), folder / "large"
    data = file.read_bytes()
    file.write_bytes(data[:start] + bytes(700) + data[start + 700 :])
    assert damaged_files(folder, known) == ["large"]


def test_a_file_that_is_gone_or_cut_is_found(folder: Path) -> None:
    known = checksums_of(folder)
    (folder / "small").unlink()
    (folder / "large").write_bytes(b"")
    assert sorted(damaged_files(folder, known)) == ["large", "small"]
