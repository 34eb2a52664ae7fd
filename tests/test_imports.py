"""The shape of the package: one direction of imports, public names, what may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import automlrank

PACKAGE = Path(automlrank.__file__).parent
ORDER = [
    "printable",
    "errors",
    "files",
    "documents",
    "options",
    "schema",
    "blocks",
    "data",
    "space",
    "architecture",
    "measurement",
    "model",
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
    "testing",
]
FILES = sorted(PACKAGE.rglob("*.py"))


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
    """Imports inside functions and for types count too; the package's public names do not."""
    modules = {module_of(path): path for path in FILES}
    graph = {name: imported_modules(path) & set(modules) for name, path in modules.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(path: Path) -> set[str]:
    """Modules that a file imports; ``from package import name`` may name a module or its value."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in run_nodes(tree) if path == PACKAGE / "__init__.py" else ast.walk(tree):
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
        ("pytest", {"testing"}),
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


PUBLIC = {
    *("Schema", "Dataset", "Space", "Architecture", "Result", "Record", "BLOCKS"),
    *("search", "train", "inspect", "export", "load_run", "build_model"),
}
EVERY_MODULE = """
import importlib, inspect, pkgutil, sys
import automlrank
assert "torch" not in sys.modules, "torch was imported"
before = dir(automlrank)
for module in pkgutil.walk_packages(automlrank.__path__, "automlrank."):
    if module.name != "automlrank.__main__":
        importlib.import_module(module.name)
assert dir(automlrank) == before
for name in ("search", "train", "inspect", "export", "load_run", "build_model"):
    assert inspect.isfunction(getattr(automlrank, name)), name
"""


def test_public_names_exist() -> None:
    assert set(automlrank.__all__) == PUBLIC
    for name in automlrank.__all__:
        assert getattr(automlrank, name) is not None
    assert automlrank.blocks.BLOCKS["fm"]().name == "fm"
    assert automlrank.blocks.BLOCKS is automlrank.BLOCKS
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        automlrank.nothing  # noqa: B018


def test_dir_holds_the_public_names() -> None:
    """Beside Python's own."""
    assert {name for name in dir(automlrank) if not name.startswith("__")} == PUBLIC
    assert "__version__" in dir(automlrank)


def test_no_module_hides_a_public_name() -> None:
    """In an interpreter that imports every module; the package alone imports no torch."""
    subprocess.run([sys.executable, "-c", EVERY_MODULE], check=True, cwd=PACKAGE.parent)


def test_the_essay_lists_the_rooms() -> None:
    """The package's docstring has a line for each, in the order of imports."""
    rooms = re.findall(r"^    (\w+) {2,}\S", (automlrank.__doc__ or "").partition("rooms")[2], re.M)
    assert rooms == ORDER


def test_the_version_is_written_once() -> None:
    """The package says it, pyproject.toml reads it there."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    attribute = project["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "automlrank.__version__"
