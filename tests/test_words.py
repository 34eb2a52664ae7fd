"""Words of the package: one name is one class, a docstring begins with its subject or verb."""

from __future__ import annotations

import ast
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
