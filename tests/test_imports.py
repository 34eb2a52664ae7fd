"""The shape of the package: one direction of imports, public names, what may import what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
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


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Imports inside functions count too; those for the type checker alone do not."""
    modules = {module_of(path): path for path in FILES}
    graph = {name: imported_modules(path) & set(modules) for name, path in modules.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(path: Path) -> set[str]:
    """Modules that a file imports; ``from package import name`` may name a module or its value."""
    found: set[str] = set()
    for node in run_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            files = {name for name in names if is_module(name)}
            found |= files if files == names else {*files, node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node of a syntax tree but those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from run_nodes(child)


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        *(
            ("optuna", {"study", "workers"}),
            ("typer", {"cli"}),
            ("plotly", {"report"}),
        ),
        ("lightgbm", {"training"}),
    ],
)
def test_a_library_stays_at_home(library: str, homes: set[str]) -> None:
    """Only the study and the supervisor of its workers import Optuna; only the CLI typer."""
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
