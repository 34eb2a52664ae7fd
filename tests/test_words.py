"""Words of the package: one name is one class, a docstring begins with its subject or verb."""

from __future__ import annotations

import ast
import runpy
from collections import defaultdict
from pathlib import Path

import automlrank

PACKAGE = Path(automlrank.__file__).parent


def test_no_class_name_stands_twice() -> None:
    places = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert {name for name, files in places.items() if len(files) > 1} == set(), dict(places)


def test_under_one_per_cent_of_docstrings_begin_with_a_riddle() -> None:
    """``python docs/docstrings.py`` counts them by room."""
    found, n = runpy.run_path(str(PACKAGE.parent / "docs" / "docstrings.py"))["riddles"]()
    assert len(found) < n / 100, "\n".join(found)
