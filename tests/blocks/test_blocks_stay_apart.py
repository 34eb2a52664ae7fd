"""No code asks which block it has: what differs is said by ports, hooks and settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import automlrank
from automlrank.blocks import BLOCKS

PACKAGE = Path(automlrank.__file__).parent
OWN = {cls.__name__: cls.__module__ for cls in BLOCKS.values()}
"""The home of each block by the name of its class."""
OWN |= {
    cls.module.__name__: cls.module.__module__
    for cls in BLOCKS.values()
    if hasattr(cls, "module") and not cls.module.__module__.startswith("torch")
}


def asked_classes(tree: ast.AST) -> Iterator[str]:
    """The names of the classes in calls of isinstance and issubclass, and in class patterns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "isinstance",
            "issubclass",
        ):
            for name in ast.walk(node.args[1]):
                yield getattr(name, "id", getattr(name, "attr", ""))
        if isinstance(node, ast.MatchClass):
            yield getattr(node.cls, "id", getattr(node.cls, "attr", ""))


def test_nothing_asks_which_block_it_has() -> None:
    """Outside a block's own file; bases of families may be asked for."""
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(("automlrank", *path.relative_to(PACKAGE).with_suffix("").parts))
        for name in asked_classes(ast.parse(path.read_text(encoding="utf-8"))):
            assert OWN.get(name, module) == module, f"{path} asks for {name}"
