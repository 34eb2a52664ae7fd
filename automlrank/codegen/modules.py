"""Modules of this package that an export contains, printed with imports of its own packages."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from automlrank.codegen.source import TYPE_IGNORE, Import, import_block

ENCODER = (
    "checksum",
    "exact",
    "values",
    "times",
    "forms",
    "columns",
    "sums",
    "rates",
    "transform",
    "unknown",
)
FILES = (
    "align",
    "damage",
    "delimited",
    "delta",
    "dialect",
    "folders",
    "formats",
    "keys",
    "names",
    "pieces",
    "text_block",
    "text_file",
    "union",
)
TRAINING = (
    "course",
    "device_batches",
    "label_stats",
    "memory",
    "negatives",
    "optimizers",
    "progress",
    "rates",
    "recipe",
    "rows",
    "scenarios",
    "scoring",
    "step",
    "tables",
    "tensors",
)
MEASUREMENT = ("fusion", "metric_language", "metrics")
HOMES = {
    **{f"automlrank.data.{name}": f"encoder.{name}" for name in ENCODER},
    **{f"automlrank.data.{name}": f"files.{name}" for name in FILES},
    "automlrank.errors": "files.errors",
    "automlrank.printable": "files.printable",
    "automlrank.data.batches": "training.batches",
    **{f"automlrank.training.{name}": f"training.{name}" for name in TRAINING},
    **{f"automlrank.measurement.{name}": f"measurement.{name}" for name in MEASUREMENT},
    **{
        f"{__package__}.script.{name}": f"training.{name}"
        for name in ("config", "reading", "table", "teacher")
    },
    "automlrank.schema.columns": "training.reading",  # which defines Split
}
"""Exported name of each module that may be printed, by ours."""
PACKAGES = {
    "encoder": '''"""Columns to ids and numbers: ``Encoder.load(folder).encode(frame)``."""

from encoder.transform import Encoder
from encoder.values import EncodingError, Ragged

__all__ = ["Encoder", "EncodingError", "Ragged"]
''',
    "files": '"""Files of a table: Parquet, Arrow, text, folders of them, Delta tables."""\n',
    "measurement": '"""Metrics of ranking and of regression."""\n',
    "training": '"""The training loop, one module a concern."""\n',
}


def module_sources(names: Iterable[str], made: Collection[str] = ()) -> dict[str, str]:
    """Return the text of modules of ours and of all that they import, by file in the export.

    Files that are ``made`` otherwise are left out.
    """
    texts: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if (path := path_of(name)) not in texts and path not in made:
            texts[path], imported = printed(name)
            waiting += imported
    return dict(sorted(texts.items()))


def path_of(name: str) -> str:
    """Return the file of a module of ours in an export."""
    return f"{HOMES[name].replace('.', '/')}.py"


def printed(name: str, more: Iterable[Import] = ()) -> tuple[str, list[str]]:
    """Return a module's text with its imports renamed, and the modules of ours that it imports.

    Imports inside a function are renamed and not followed: a setting may do without them. ``more``
    are further imports, from the export's own modules.
    """
    source = Path(str(importlib.import_module(name).__file__)).read_text(encoding="utf-8")
    ours = our_imports(ast.parse(source))
    lines = source.splitlines()
    for node in reversed(ours):
        del lines[node.lineno - 1 : node.end_lineno]
    if ours:
        found = [Import(str(n.module), alias.name) for n in ours for alias in n.names]
        lines[ours[0].lineno - 1 : ours[0].lineno - 1] = import_block(
            [*rehomed(found), *more]
        ).splitlines()
    text = TYPE_IGNORE.sub("", "\n".join(lines) + "\n")
    return rename_inner_imports(text, HOMES), [str(node.module) for node in ours]


def our_imports(module: ast.Module) -> list[ast.ImportFrom]:
    """Return the imports from this package."""
    package = f"{__name__.partition('.')[0]}."
    found = [node for node in module.body if isinstance(node, ast.ImportFrom)]
    return [node for node in found if str(node.module).startswith(package)]


def rehomed(imports: Iterable[Import]) -> list[Import]:
    """Return imports from modules of ours as imports from the export's."""
    return [Import(HOMES[i.module], i.name) for i in imports]


def rename_inner_imports(text: str, homes: Mapping[str, str]) -> str:
    """Rename the modules that functions import from."""
    for ours, theirs in homes.items():
        text = text.replace(f"    from {ours} import ", f"    from {theirs} import ")
    return text
