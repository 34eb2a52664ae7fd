"""Collect the source of classes and functions, with all their dependencies, into one module.

Dependencies are the names that a definition reads, if its file defines them or imports them from
this package. All other names become imports of the printed module.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from automlrank.codegen.printing import WIDTH

PACKAGE = __name__.partition(".")[0]
Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
TYPE_IGNORE = re.compile(r"  # type: ignore\[[^\]]*\]")


@dataclass(frozen=True)
class Import:
    """``import module as alias``, or ``from module import name as alias``."""

    module: str
    name: str | None = None
    alias: str | None = None


class Closure:
    """Definitions by name, dependencies first, and the imports that they need.

    ``homes`` are modules of this package that the printed module imports under another name.
    """

    def __init__(self, homes: Mapping[str, str] | None = None) -> None:
        self.homes = homes or {}
        self.imports: set[Import] = set()
        self.modules: set[str] = set()
        """Modules of this package that are imported from ``homes``."""
        self.constants: dict[str, str] = {}
        """Constants that need no definition: they may stand on top."""
        self.definitions: dict[str, str] = {}
        self._origin: dict[str, str] = {}

    def reference(self, thing: Callable[..., object]) -> str:
        """Return the name of a class or function in printed code; add its source if it is ours."""
        module, name = thing.__module__, thing.__name__
        if module.startswith("torch.nn."):
            self.imports.add(Import("torch", "nn"))
            return f"nn.{name}"
        self.add(module, name)
        return name

    def add(self, module: str, name: str) -> None:
        """Add a definition of one of this package's modules, with its closure."""
        file = _File.of(module)
        if name in file.imports:
            self._add_import(name, file.imports[name])
        elif name in file.definitions and self._is_new(module, name):
            self._add_definition(file, name)

    def _is_new(self, module: str, name: str) -> bool:
        before = self._origin.get(name)
        assert before in (None, module), f"{name} is defined in {before} and in {module}"
        self._origin[name] = module
        return before is None

    def _add_import(self, name: str, found: Import) -> None:
        if found.module in self.homes:
            self.modules.add(found.module)
            self.imports.add(Import(self.homes[found.module], found.name, found.alias))
        elif found.module.partition(".")[0] == PACKAGE:
            assert found.name == name, f"{name} is imported under another name"
            self.add(found.module, name)
        else:
            self.imports.add(found)

    def _add_definition(self, file: _File, name: str) -> None:
        node = file.definitions[name]
        reads = [free for free in free_names(node) if free != name]
        for free in reads:
            self.add(file.module, free)
        is_constant = isinstance(node, ast.Assign | ast.AnnAssign)
        on_top = is_constant and not any(free in self.definitions for free in reads)
        (self.constants if on_top else self.definitions)[name] = file.text(node)


class _File:
    """One module's source, its definitions and imports by name."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module.__name__
        with open(str(module.__file__), encoding="utf-8") as opened:
            source = opened.read()
        self.lines = source.splitlines()
        self.definitions: dict[str, Definition] = {}
        self.imports: dict[str, Import] = {}
        for node in ast.parse(source).body:
            self._read(node)

    @staticmethod
    @cache
    def of(module: str) -> _File:
        return _File(importlib.import_module(module))

    def text(self, node: Definition) -> str:
        """Return the definition's lines, decorators included."""
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        return TYPE_IGNORE.sub("", "\n".join(self.lines[first - 1 : node.end_lineno]))

    def _read(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                self.definitions[name] = node
            case ast.AnnAssign(target=ast.Name(id=name)):
                self.definitions[name] = node
            case ast.Assign(targets=[target]):
                names = (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
                self.definitions |= dict.fromkeys(names, node)
            case ast.Import(names=aliases):
                for alias in aliases:
                    self.imports[alias.asname or alias.name] = Import(
                        alias.name, None, alias.asname
                    )
            case ast.ImportFrom(module=str(module), names=aliases):
                for alias in aliases:
                    self.imports[alias.asname or alias.name] = Import(
                        module, alias.name, alias.asname
                    )


def free_names(node: ast.AST) -> list[str]:
    """Return the names that a definition reads and does not bind itself, in their order."""
    if isinstance(node, ast.ClassDef):
        inner = (*node.decorator_list, *node.bases, *node.body)
        return list(dict.fromkeys(name for part in inner for name in free_names(part)))
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    bound: set[str] = set()
    if isinstance(node, ast.FunctionDef):
        bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        bound |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    read = [n for n in names if isinstance(n.ctx, ast.Load) and n.id not in bound]
    read.sort(key=lambda n: (n.lineno, n.col_offset))
    return list(dict.fromkeys(n.id for n in read))


def import_lines(imports: Iterable[Import], local: Iterable[str] = ()) -> str:
    """Return sorted imports: standard library, packages, then the ``local`` modules."""
    local = frozenset(local)
    standard = [i for i in imports if i.module.partition(".")[0] in sys.stdlib_module_names]
    own = [i for i in imports if i.module in local]
    others = [i for i in imports if i not in standard and i not in own]
    parts = [import_block(part) for part in (standard, others, own)]
    return "\n\n".join(["from __future__ import annotations", *filter(None, parts)])


def import_block(imports: Iterable[Import]) -> str:
    """Return imports by module, ``import`` before ``from``; a module's names in one statement."""
    plain = sorted((i.module, f"import {i.module}{_as(i)}") for i in imports if i.name is None)
    named: dict[tuple[str, str], list[str]] = {}
    for item in imports:
        if item.name:
            whole = f"{item.name}{_as(item)}"
            key = (item.module, whole if item.alias else "")
            named.setdefault(key, []).append(whole)
    lines = [line for _, line in plain]
    for (module, _), names in sorted(named.items()):
        ordered = sorted(names, key=_member_order)
        line = f"from {module} import {', '.join(ordered)}"
        if len(line) > WIDTH:
            line = "\n".join([f"from {module} import (", *(f"    {n}," for n in ordered), ")"])
        lines.append(line)
    return "\n".join(lines)


def _as(item: Import) -> str:
    return f" as {item.alias}" if item.alias else ""


def _member_order(name: str) -> tuple[int, str]:
    """Constants, classes, then the rest."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1 if name[0].isupper() else 2), name
