"""Count the docstrings that begin with a word of a riddle: ``python docs/docstrings.py``.

The count stands by room and as a share of all; `tests/test_words.py` holds it below 1 %.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "automlrank"
WORDS = frozenset(("What", "Whether", "How", "Of", "Where", "Those", "By", "That", "Who"))


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of the docstrings of a file: of its definitions and of their fields."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        for before, statement in zip([node, *body], body, strict=False):
            first = before is node and isinstance(node, owners)
            field = isinstance(node, ast.ClassDef) and isinstance(before, ast.AnnAssign)
            if (first or field) and (text := literal(statement)):
                yield statement.lineno, text


def literal(statement: ast.stmt) -> str:
    """The text of a statement that is nothing but a text."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    text = value.value if isinstance(value, ast.Constant) else None
    return text if isinstance(text, str) else ""


def riddles() -> tuple[list[str], int]:
    """``file:line: text`` of those that begin with one of the words; the number of all."""
    found, n = [], 0
    for path in sorted(PACKAGE.rglob("*.py")):
        for line, text in docstrings(path):
            n += 1
            if text.split() and text.split()[0].strip(".,:;`") in WORDS:
                first = text.strip().splitlines()[0]
                found.append(f"{path.relative_to(PACKAGE)}:{line}: {first}")
    return found, n


if __name__ == "__main__":
    found, n = riddles()
    for room, count in Counter(x.partition("/")[0].partition(":")[0] for x in found).most_common():
        print(f"{count:5} {room}")
    print(f"{len(found):5} of {n} docstrings, {len(found) / n:.1%}")
