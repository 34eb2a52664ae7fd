"""The shape of the package: one direction of imports, public names, what may import what."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import automlrank

PACKAGE = Path(automlrank.__file__).parent
ORDER = [
    "errors",
    "files",
    "documents",
    "schema",
    "blocks",
    "data",
    "space",
    "architecture",
    "model",
    "serving",
    "measurement",
    "audit",
    "training",
    "runs",
    "candidates",
    "study",
    "finals",
    "workers",
    "report",
    "codegen",
    "jobs",
    "cli",
]
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE / "search_spaces")


def layer(module: str) -> int:
    return ORDER.index(module.split(".")[1])


def imports(path: Path, *, top: bool = False) -> list[str]:
    """The modules that a file imports, anywhere or at its top only."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top else list(ast.walk(tree))
    found = []
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_those_above_it(path: Path) -> None:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if name in ("__init__", "__main__"):
        return
    for module in imports(path):
        if module.startswith("automlrank."):
            assert layer(module) <= ORDER.index(name), f"{path} imports {module}"


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        *(
            ("optuna", {"study", "workers", "jobs", "runs"}),
            ("typer", {"cli"}),
            ("plotly", {"report"}),
        ),
        ("lightgbm", {"training"}),
    ],
)
def test_a_library_stays_at_home(library: str, homes: set[str]) -> None:
    """Optuna is trials' business (jobs names its Study in signatures), typer the command line's."""
    for path in FILES:
        if any(module.split(".")[0] == library for module in imports(path)):
            assert path.relative_to(PACKAGE).parts[0] in homes, path


def test_metrics_stand_alone() -> None:
    """Export copies them: nothing of ours, no torch. (The encoder's: test_data_transform.)"""
    modules = imports(PACKAGE / "measurement/metrics.py")
    assert not [m for m in modules if m.startswith(("automlrank", "torch"))]


def test_no_forbidden_words() -> None:
    """No eval, exec, pickle, bare squeeze or print in the package."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", None)
                assert name not in ("eval", "exec", "print"), path
                if getattr(node.func, "attr", None) == "squeeze":
                    assert node.args or node.keywords, path
        assert "pickle" not in [m.split(".")[0] for m in imports(path)], path


def test_public_names_exist() -> None:
    for name in automlrank.__all__:
        assert getattr(automlrank, name) is not None
    assert automlrank.blocks.BLOCKS["fm"]().name == "fm"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        automlrank.nothing  # noqa: B018
