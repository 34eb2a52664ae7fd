"""One thread: two tests side by side must not fight for the cores."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The largest legal sizes take seconds each; smaller ones hold the same laws."""
    for item in items:
        if any(int(size) >= 2000 for size in re.findall(r"=(\d+)\b", item.name)):
            item.add_marker(pytest.mark.slow)
