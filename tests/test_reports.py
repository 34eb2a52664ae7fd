"""Tables in the reports are those that the committed runs and figures give."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REPORTS = sorted((ROOT / "reports").glob("*.md"))


@pytest.fixture(scope="module")
def rendered() -> object:
    """The function of ``benchmarks/tables.py``; benchmarks are not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield runpy.run_module("benchmarks.tables")["rendered"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_has_the_tables_of_its_data(path: Path, rendered) -> None:  # type: ignore[no-untyped-def]
    """If this fails: python -m benchmarks.tables."""
    text = path.read_text(encoding="utf-8")
    assert text == rendered(text)


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_no_table_is_written_by_hand(path: Path) -> None:
    inside = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("<!-- "):
            inside = line.startswith("<!-- table: ")
        assert inside or not line.startswith("|"), line
