"""Blocks of a package made in a temporary folder: found, held to the laws, printed; broken ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = '''
"""A factorization block of order two on compressed fields."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.ports import Fields, Vector


def products(fields: Tensor) -> Tensor:
    return torch.bmm(fields, fields.mT).flatten(1)


class CompressedPairs(nn.Module):
    def __init__(self, fields: int, kept: int) -> None:
        super().__init__()
        self.compress = Dense(fields, kept, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return products(self.compress(x.mT).mT)


@block("{name}", family="interaction")
class Compressed(Block):
    """``vec(Y Y^T)`` with ``Y = W X``: fields ``[batch, n, dim]`` to ``[batch, kept^2]``."""

    paper = "Zhang et al., Wukong, 2024, https://arxiv.org/abs/2403.02545"
    module = CompressedPairs

    kept: int = knob(3, legal=ints(1, 8), search=one_of(2, 3), help="compressed fields")

    def out(self, x: Fields) -> Vector:
        return Vector({width})

    def arguments(self, x: Fields) -> dict[str, object]:
        return {{"fields": x.n, "kept": self.kept}}
'''
LAWS = """
from automlrank import BLOCKS
from automlrank.testing import BlockConformance


class TestCompressed(BlockConformance):
    blocks = (BLOCKS["compressed"],)
"""
PRINTED = """
import compressed_pairs.block as theirs  # before ours: the registry is read only later
from automlrank import BLOCKS, Architecture, Schema
from automlrank.codegen.model_source import model_source
from automlrank.model.wiring import wire
from automlrank.schema import CategoricalFeature, Task

assert BLOCKS["compressed"] is theirs.Compressed
features = tuple(CategoricalFeature(name) for name in "abc")
schema = Schema((Task("click"),), features).fitted({"a": 5, "b": 4, "c": 3})
architecture = Architecture.read({"architecture": "own", "interaction": "compressed"})
text = model_source(wire(architecture, schema), architecture, schema)
open("model.py", "w").write(text)
"""


def package(folder: Path, name: str = "compressed", width: str = "self.kept**2") -> None:
    """A package as pip leaves it: a module, and metadata with an entry point."""
    home, metadata = folder / "compressed_pairs", folder / "compressed_pairs-1.0.dist-info"
    home.mkdir(parents=True)
    metadata.mkdir()
    (home / "__init__.py").write_text("")
    (home / "block.py").write_text(BLOCK.format(name=name, width=width))
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: compressed-pairs\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(
        "[automlrank.blocks]\ncompressed = compressed_pairs.block:Compressed\n"
    )


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with the package installed."""
    paths = os.pathsep.join([str(folder), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


def held_to_the_laws(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "test_compressed.py").write_text(LAWS)
    return run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_compressed.py")


def test_a_block_of_another_package_is_held_to_the_laws(tmp_path: Path) -> None:
    package(tmp_path)
    done = held_to_the_laws(tmp_path)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_a_broken_block_is_found(tmp_path: Path) -> None:
    """It declares one number more than its module gives."""
    package(tmp_path, width="self.kept**2 + 1")
    done = held_to_the_laws(tmp_path)
    assert done.returncode == 1, done.stdout
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert failed
    assert all("test_declared_port_is_the_real_shape" in line for line in failed)


def test_its_source_is_printed(tmp_path: Path) -> None:
    """Search, checks and export find it by its name, in an interpreter that imported it first."""
    package(tmp_path)
    done = run(tmp_path, "-c", PRINTED)
    assert done.returncode == 0, done.stderr
    printed = (tmp_path / "model.py").read_text()
    assert "class CompressedPairs(nn.Module):" in printed
    assert "def products(fields: Tensor)" in printed
    assert "compressed_pairs" not in printed


@pytest.mark.parametrize(
    ("name", "entry", "said"),
    [
        ("compressed", "compressed_pairs.lost", 'ModuleNotFoundError: "No module named'),
        ("compressed", "compressed_pairs.block:Lost", "AttributeError"),
        ("fm", "compressed_pairs.block", "a block named 'fm' is already registered"),
    ],
    ids=["no-module", "no-class", "name-taken"],
)
def test_a_broken_entry_point_is_named(tmp_path: Path, name: str, entry: str, said: str) -> None:
    """Each time that blocks are read, and by the command line as wrong use."""
    package(tmp_path, name=name)
    points = tmp_path / "compressed_pairs-1.0.dist-info" / "entry_points.txt"
    points.write_text(f"[automlrank.blocks]\ncompressed = {entry}\n")
    done = run(tmp_path, "-m", "automlrank", "blocks")
    assert done.returncode == 2, done.stderr
    assert "the entry point 'compressed' of compressed-pairs" in done.stderr
    assert said in done.stderr
    twice = "import contextlib\nfrom automlrank.blocks import BLOCKS\n" + (
        "with contextlib.suppress(Exception):\n    len(BLOCKS)\nlen(BLOCKS)"
    )
    again = run(tmp_path, "-c", twice)
    assert again.returncode == 1
    assert said in again.stderr
