"""Print ``objective.py``: the losses, the balance and the optimizers of single parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from automlrank.architecture import Architecture
from automlrank.blocks.base import Block
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Labels
from automlrank.codegen.modules import HOMES
from automlrank.codegen.printing import Code, laid_out, literal
from automlrank.codegen.source import Closure, Import, import_lines
from automlrank.model.plan import Plan
from automlrank.schema import Schema
from automlrank.training.label_stats import class_shares, label_deviations

DOCSTRING = '"""The objective: a loss of each task, and the balance that makes one of them."""'
MAKE_LOSS = '''def make_loss(labels: Array) -> nn.Module:
    """Return the loss of each task; ``labels`` are those of the training rows."""'''
MAKE_BALANCE = '''def make_balance() -> nn.Module:
    """Return the balance of the tasks' losses."""'''


def objective_source(architecture: Architecture, plan: Plan, schema: Schema) -> str:
    """Return the text of ``objective.py``."""
    closure = Closure(HOMES)
    closure.imports |= {Import("torch"), Import("torch", "nn")}
    closure.imports.add(Import(HOMES["automlrank.data.values"], "Array"))
    closure.imports.add(Import("collections.abc", "Callable"))
    labels = example_labels(architecture, schema)
    loss = loss_call(architecture.loss, labels, closure)
    balance = call(architecture.balance, labels, closure)
    own = {block.name: closure.reference(block.module) for block in plan.optimizers.values()}
    items = [f"{literal(name)}: {text}" for name, text in own.items()]
    makers = laid_out("OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {", items, "}")
    head = [DOCSTRING, import_lines(closure.imports, HOMES.values())]
    if closure.constants:
        head.append("\n".join(closure.constants.values()))
    functions = [f"{MAKE_LOSS}\n{loss}", f"{MAKE_BALANCE}\n{balance}", makers]
    return "\n\n\n".join(["\n\n".join(head), *closure.definitions.values(), *functions]) + "\n"


def example_labels(architecture: Architecture, schema: Schema) -> Labels:
    """Return facts of the labels by which constructor arguments are found; values are examples."""
    n = len(schema.tasks)
    return Labels(
        parents=schema.parents,
        rates=(0.5,) * n,
        deviations=tuple(1.0 if i in schema.regression else None for i in range(n)),
        weights=tuple(task.weight for task in schema.tasks),
        negatives=architecture.training.negatives,
    )


def loss_call(loss: Loss, labels: Labels, closure: Closure) -> str:
    """Return the line that builds a loss; facts of the training rows are measured there."""
    masked = max(labels.parents) >= 0 and not loss.on_all_rows
    regression = tuple(i for i, d in enumerate(labels.deviations) if d is not None)
    shares = ["labels", *([literal(labels.parents)] if masked else [])]
    if labels.negatives < 1:
        shares.append(f"negatives={literal(labels.negatives)}")
    measured: dict[str, tuple[Callable[..., object], list[str]]] = {
        "rates": (class_shares, shares),
        "deviations": (label_deviations, ["labels", literal(regression)]),
    }
    texts = {
        key: Code(f"{imported(function, closure)}({', '.join(arguments)})")
        for key, (function, arguments) in measured.items()
        if key in loss.arguments(labels)
    }
    return call(loss, labels, closure, texts)


def imported(function: Callable[..., object], closure: Closure) -> str:
    """Return the name of a function of a printed module, which is imported."""
    closure.imports.add(Import(HOMES[function.__module__], function.__name__))
    return function.__name__


def call(
    block: Block, labels: Labels, closure: Closure, texts: Mapping[str, Code] | None = None
) -> str:
    """Return the line that builds a block's module; ``texts`` replace some arguments."""
    given = {**block.arguments(labels), **(texts or {})}
    arguments = [f"{key}={literal(value)}" for key, value in given.items()]
    return laid_out(f"return {closure.reference(block.module)}(", arguments, ")", 4)
