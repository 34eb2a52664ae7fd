"""Conformance tests for blocks of other packages: the laws that every block keeps.

    BlockConformance  a class of tests; a subclass names the blocks that are held to the laws
    Case              a block with settings and the ports that it is tried with

It needs pytest; nothing else in the package imports it.
"""

import pytest

pytest.register_assert_rewrite("automlrank.testing.conformance")

from automlrank.testing.block_cases import Case as Case  # noqa: E402
from automlrank.testing.conformance import BlockConformance as BlockConformance  # noqa: E402
