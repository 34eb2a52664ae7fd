"""A small share of every family; ``make fuzz`` runs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .families import FAMILIES
from .judge import judged


@pytest.mark.parametrize("name", FAMILIES)
def test_every_case_ends_in_a_result_or_a_sentence(name: str, tmp_path: Path) -> None:
    """The first seeds; a failure says how to make its case again."""
    for seed in range(FAMILIES[name].quick):
        verdict = judged(FAMILIES[name], seed, tmp_path / "case")
        assert verdict.outcome != "failed", f"python -m tests.fuzz {name} {seed}\n{verdict.reason}"
