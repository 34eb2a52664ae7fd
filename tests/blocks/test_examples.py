"""The examples in the blocks' docstrings run as they are printed."""

from __future__ import annotations

import doctest
import sys

import pytest

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import FAMILIES, Block
from automlrank.testing import Case, block_cases

FINDER = doctest.DocTestFinder(recurse=False)


def found(cls: type) -> list[doctest.DocTest]:
    return [test for test in FINDER.find(cls, cls.__name__) if test.examples]


@pytest.mark.parametrize("cls", [cls for cls in BLOCKS.values() if found(cls)])
def test_an_example_prints_what_it_says(cls: type[Block]) -> None:
    for test in found(cls):
        assert doctest.DocTestRunner().run(test).failed == 0


def test_the_example_of_a_case_runs() -> None:
    (test,) = FINDER.find(Case, "Case", module=sys.modules[block_cases.__name__])
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_has_an_example(family: str) -> None:
    assert [cls for cls in BLOCKS.of(family).values() if found(cls)]
