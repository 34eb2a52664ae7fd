"""Print ``train.py``, the packages that it imports, and the settings that it reads."""

from __future__ import annotations

import ast
import importlib
import inspect

from automlrank.architecture import Architecture
from automlrank.codegen.modules import HOMES, PACKAGES, module_sources, path_of, printed
from automlrank.codegen.objective_source import objective_source
from automlrank.codegen.printing import in_docstring, wrapped
from automlrank.codegen.settings_file import config_text
from automlrank.codegen.source import Closure, Import, import_lines
from automlrank.data.checksum import Known
from automlrank.data.transform import Encoder
from automlrank.measurement.metrics import Metric
from automlrank.model.plan import Plan
from automlrank.schema import Schema
from automlrank.training.trainer import make_recipe

SCRIPT = f"{__package__}.script"
OURS = {home: ours for ours, home in HOMES.items()}
MADE_HERE = (
    Import("model", "RankingModel"),
    *(Import("objective", name) for name in ("OPTIMIZERS", "make_balance", "make_loss")),
)
ENTRY = """

PARTS = Parts(RankingModel, make_loss, make_balance, OPTIMIZERS)
FILES = {files}


if __name__ == "__main__":
    main(PARTS, FILES)
"""
READING = ("TableError", "of_table", "read_split", "read_table", "with_column", "complete_column")
GATHERED = {
    f"{SCRIPT}.reading": READING,
    f"{SCRIPT}.table": ("load_table",),
    f"{SCRIPT}.teacher": ("soft_labels",),
    "automlrank.errors": ("DataError", "Fault"),
}
"""What is printed of modules, with all definitions that it needs."""
HEADS = {
    "automlrank.errors": "Errors of reading a table."
}  # that of ours says more than is printed


def training_sources(
    plan: Plan,
    architecture: Architecture,
    schema: Schema,
    encoder: Encoder,
    metric: Metric,
    files: Known,
) -> dict[str, str]:
    """Return the text of each file that trains the exported model, by its name in the folder.

    ``files`` are the encoder's, with their checksums.
    """
    script, used = printed(f"{SCRIPT}.train", MADE_HERE)
    known = "".join(f'    "{name}": {tuple(of)},\n' for name, of in sorted(files.items()))
    entry = ENTRY.format(files=f"{{\n{known}}}")
    texts = {
        "train.py": _docstring(architecture, schema) + _without_docstring(script) + entry,
        "objective.py": objective_source(architecture, plan, schema),
        "config.yaml": config_text(architecture, plan, schema, encoder, metric),
    }
    optional = make_recipe(architecture, plan).modules()
    used += [OURS[f"training.{name}"] for name in optional]
    for module in GATHERED:
        if module != f"{SCRIPT}.teacher" or "teacher" in optional:
            texts[path_of(module)], read = gathered(module)
            used += read
    packages = {f"{name}/__init__.py": text for name, text in PACKAGES.items()}
    whole = module_sources(used, texts)
    return packages | whole | texts


def gathered(module: str) -> tuple[str, list[str]]:
    """Return a module with what is printed of it and all definitions that this needs.

    Also the modules of ours that it imports.
    """
    closure = Closure({ours: home for ours, home in HOMES.items() if home != HOMES[module]})
    for name in GATHERED[module]:
        closure.add(module, name)
    docstring = HEADS.get(module) or inspect.getdoc(importlib.import_module(module))
    head = [f'"""{docstring}"""', import_lines(closure.imports, HOMES.values())]
    if closure.constants:
        head.append("\n".join(closure.constants.values()))
    text = "\n\n\n".join(["\n\n".join(head), *closure.definitions.values()]) + "\n"
    return text, sorted(closure.modules)


def _without_docstring(text: str) -> str:
    """Return a module's text behind its docstring."""
    first = ast.parse(text).body[0]
    return "\n".join(text.splitlines()[first.end_lineno :]) + "\n"


def _docstring(architecture: Architecture, schema: Schema) -> str:
    summary = wrapped(architecture.summary, "    ", "        ")
    labels = ", ".join(in_docstring(task.name) for task in schema.tasks)
    data = wrapped(
        "DATA is a Parquet, Arrow or text file, a folder of such parts or a Delta table, with the "
        f"columns of encoder.json and the labels ({labels}). Its rows are encoded with the "
        "vocabularies of the training rows that the model was found on. Settings: config.yaml."
    )
    return (
        f'"""Train the ranking model of model.py.\n\n{summary}\n\n'
        "    python train.py DATA            train, and write model.safetensors\n"
        "    python train.py DATA --score    score weights.safetensors without training\n"
        f'\n{data}\n"""\n'
    )
