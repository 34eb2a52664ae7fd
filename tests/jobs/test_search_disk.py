"""A disk that takes no more ends a search with a sentence, and nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automlrank.errors import RunError
from automlrank.jobs.search import search

SPACE = """
name: tiny
references: []
embedding: {dim: [2, 4], l2: 0.1}
interaction: {mlp: {width: [4, 8], depth: 1}}
training: {learning_rate: 0.01, batch_size: 256, dropout: 0.0, batch_norm: false, epochs: 1}
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 16 MB large, where one may be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_ends_a_search_that_a_resume_goes_on_with(
    inputs: dict[str, Any], small: Path
) -> None:
    """The study's database or a model's weights find no room; what was cut off is tried again."""
    inputs = {**inputs, "out": small / "run", "candidates": 20}
    search(**inputs, trials=1)
    filler = small / "filler"
    filler.write_bytes(b"0" * (shutil.disk_usage(small).free - 4096))
    with pytest.raises(RunError, match="cannot be written") as raised:
        search(**inputs, trials=3, resume=True)
    assert "--resume" in str(raised.value)
    filler.unlink()
    result = search(**inputs, trials=3, resume=True)
    assert result.results.counts["complete"] == 3
    assert result.results.counts["failed"] == 0
