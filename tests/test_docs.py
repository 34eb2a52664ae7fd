"""Tables in the docs are those that the declarations and files give today."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from automlrank.space.shipped import shipped

DOCS = Path(__file__).parent.parent / "docs"
PAGES = runpy.run_path(str(DOCS / "tables.py"))


@pytest.mark.parametrize("name", ["blocks", "zoo", "options"])
def test_a_generated_page_is_current(name: str) -> None:
    """Where this fails: python docs/tables.py."""
    assert (DOCS / f"{name}.md").read_text(encoding="utf-8") == PAGES[f"{name}_page"]()


@pytest.mark.parametrize("path", [p for p in shipped().values() if p.parent.name == "zoo"], ids=str)
def test_a_zoo_file_names_its_paper_its_settings_and_its_departures(path: Path) -> None:
    title, paper, published, departures = PAGES["header"](path)
    assert title
    assert "https://" in paper
    assert published
    assert departures
