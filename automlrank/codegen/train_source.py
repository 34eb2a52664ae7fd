"""``train.py``: the training of an architecture printed as a script with a command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from automlrank.architecture import Architecture
from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import Block
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Labels
from automlrank.codegen.encoder_source import ENCODER_MODULES
from automlrank.codegen.printing import (
    WIDTH,
    Constants,
    Source,
    assigned,
    dictionary,
    in_docstring,
    laid_out,
    literal,
    wrapped,
)
from automlrank.codegen.source import Closure, Import, import_lines
from automlrank.data.transform import Encoder
from automlrank.measurement.metrics import AUC, Metric, metric_of
from automlrank.model.plan import Plan
from automlrank.schema import Schema
from automlrank.training.label_stats import (
    class_shares,
    label_deviations,
)
from automlrank.training.optimizers import OPTIMIZERS
from automlrank.training.trees.features import flat_of

RECIPE = f"{__package__}.recipe_train"
HOMES = {f"automlrank.data.{name}": f"encoder.{name}" for name in ENCODER_MODULES}
SCORES = {"auc": "score", "gauc": "score_gauc", "logloss": "score_logloss"}
ERRORS = {"rmse": "score_errors", "mae": "score_absolute_errors"}
FUSED_SCORES = {"auc": "score_fused", "gauc": "score_fused_gauc"}
STUBS = ("build_model", "build_loss", "build_balance")
ENTRY = 'if __name__ == "__main__":\n    main()\n'


def train_source(
    plan: Plan, architecture: Architecture, schema: Schema, encoder: Encoder, metric: Metric = AUC
) -> str:
    """The text of ``train.py``; it imports the exported ``encoder`` and ``model``."""
    constants = Constants()
    values = dict(_constants(architecture, schema, metric, constants))
    if architecture.training.distillation:
        values |= _of_trees(schema, encoder, constants)
    values |= _of_parameters(plan)
    labels = _labels(architecture, schema)
    instead = _instead(schema, metric, plan)
    instead["make_balance"] = _balance_recipe(architecture.balance, labels)
    if labels.negatives < 1:
        instead["rows_of_epoch"] = "kept_rows_of_epoch"
    if architecture.training.distillation:
        instead["taught_by"] = "taught_by_trees"
    if architecture.training.scenarios == "equal":
        instead["weighted"] = "weighted_by_scenario"
    if architecture.training.schedule == "linear":
        instead["rate_of_step"] = "falling_rate"
    closure = Closure(HOMES, [*values, *STUBS], instead)
    calls: dict[str, tuple[str, Sequence[str]]] = {
        "build_model": ("RankingModel", ()),
        "build_loss": _loss(architecture.loss, labels, closure),
        "build_balance": _constructor(architecture.balance, labels, closure),
    }
    closure.add(RECIPE, "main")
    closure.imports.add(Import("model", "RankingModel"))
    closure.imports.add(Import("torch"))
    used = [name for name in values if _is_read(name, closure)]
    lines = [*constants.lines.values(), *(values[name] for name in used)]
    head = [
        _docstring(architecture, schema),
        import_lines(closure.imports, (*HOMES.values(), "model")),
        "\n".join(lines),
        "\n".join(closure.constants.values()),
    ]
    definitions = [_called(text, calls) for text in closure.definitions.values()]
    return "\n\n\n".join(["\n\n".join(head), *definitions, ENTRY])


def _labels(architecture: Architecture, schema: Schema) -> Labels:
    """What loss and balance are built of; the script measures what is of the training rows."""
    n = len(schema.tasks)
    return Labels(
        parents=schema.parents,
        rates=(0.5,) * n,
        deviations=tuple(1.0 if i in schema.regression else None for i in range(n)),
        weights=tuple(task.weight for task in schema.tasks),
        negatives=architecture.training.negatives,
    )


def _loss(loss: Loss, labels: Labels, closure: Closure) -> tuple[str, Sequence[str]]:
    """Its class and arguments; those that training rows say are calls of what measures them."""
    masked = max(labels.parents) >= 0 and not loss.on_all_rows
    regression = tuple(i for i, d in enumerate(labels.deviations) if d is not None)
    shares = ["labels", *([literal(labels.parents)] if masked else [])]
    if labels.negatives < 1:
        shares.append(f"negatives={literal(labels.negatives)}")
    measured: dict[str, tuple[Callable[..., object], list[str]]] = {
        "rates": (class_shares, shares),
        "deviations": (label_deviations, ["labels", literal(regression)]),
    }
    given = loss.arguments(labels)
    texts = {
        key: Source(f"{closure.reference(function)}({', '.join(arguments)})")
        for key, (function, arguments) in measured.items()
        if key in given
    }
    return closure.reference(loss.module), _keywords(given | texts)


def _constructor(block: Block, labels: Labels, closure: Closure) -> tuple[str, Sequence[str]]:
    return closure.reference(block.module), _keywords(block.arguments(labels))


def _keywords(arguments: Mapping[str, object]) -> list[str]:
    return [f"{key}={literal(value)}" for key, value in arguments.items()]


def _balance_recipe(balance: Balance, labels: Labels) -> str:
    """The recipe's function that makes a balance which learns, or reads gradients, or neither."""
    if balance.reads_gradients:
        return "make_watching_balance"
    learns = len(list(balance.build(labels).parameters())) > 0
    return "make_learned_balance" if learns else "make_balance"


def _called(text: str, calls: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """The text with the constructors in the place of their stubs."""
    lines = []
    for line in text.splitlines():
        for stub, (name, arguments) in calls.items():
            before, found, after = line.partition(f"{stub}()")
            if found:
                indent = len(line) - len(line.lstrip())
                line = laid_out(f"{before.lstrip()}{name}(", arguments, f"){after}", indent)
        lines.append(line)
    return "\n".join(lines)


def _is_read(name: str, closure: Closure) -> bool:
    return any(re.search(rf"\b{name}\b", text) for text in closure.definitions.values())


def _constants(
    architecture: Architecture, schema: Schema, metric: Metric, constants: Constants
) -> Iterator[tuple[str, str]]:
    """Every constant that the recipes name, by its name."""
    names: dict[str, Any] = {
        "TASKS": tuple(task.name for task in schema.tasks),
        "WEIGHT": schema.weight,
        "GROUP": schema.group,
        "REGRESSION": schema.regression,
        "PARENTS": schema.binary_parents,
        "SCENARIO": _scenario(schema),
        **_split_constants(schema),
    }
    for name, value in names.items():
        yield name, _assigned(name, value, constants)
    training = architecture.training
    optimizer = OPTIMIZERS[training.optimizer].__name__
    yield "METRIC", _assigned("METRIC", _label(schema, metric), constants)
    yield "EXPONENTS", _assigned("EXPONENTS", schema.exponents, constants)
    yield "FUSED", f"FUSED = {literal(metric.name)}"
    yield "METRIC_WEIGHTS", dictionary("METRIC_WEIGHTS = ", metric.weights)
    yield "OPTIMIZER", f"OPTIMIZER = torch.optim.{optimizer}"
    for name in (
        "learning_rate",
        "batch_size",
        "epochs",
        "patience",
        "plateau",
        "gradient_clip",
        "negatives",
        "distillation",
        "bf16",
    ):
        yield name.upper(), f"{name.upper()} = {literal(getattr(training, name))}"


def _of_trees(schema: Schema, encoder: Encoder, constants: Constants) -> Iterator[tuple[str, str]]:
    """What trees that teach read, by its name."""
    flat = flat_of(schema, encoder, with_rates=True)
    parts = (
        [constants.text(value, "FLAT_PART") for value in (kind, key, places, other)]
        for kind, key, places, other in flat.parts
    )
    yield "FLAT", _tuples("FLAT", parts)
    owners = (
        [constants.text(value, "COLUMN") for value in (name, schema.owner(name))]
        for name in flat.values
    )
    yield "VALUES", _tuples("VALUES", owners)
    kinds = tuple(task.kind for task in schema.tasks)
    yield "KINDS", _assigned("KINDS", kinds, constants)


def _tuples(name: str, values: Iterable[Sequence[str]]) -> str:
    """``name = (...)`` of tuples of source, each on one line or an item a line."""
    lines = []
    for items in values:
        line = f"    ({', '.join(items)}),"
        long = ["    (", *(f"        {item}," for item in items), "    ),"]
        lines += [line] if len(line) <= WIDTH else long
    return "\n".join([f"{name} = (", *lines, ")"]) if lines else f"{name} = ()"


def _label(schema: Schema, metric: Metric) -> str:
    """What the tasks' scores are called; those of the other kind are named."""
    labels = {task.name: metric_of(metric, task.kind).label for task in schema.tasks}
    main = metric.base.label
    others = [f"{label} of {task}" for task, label in labels.items() if label != main]
    return f"{main} ({', '.join(others)})" if others else main


def _scenario(schema: Schema) -> tuple[str, int] | None:
    """The key of a batch that holds the ids of scenarios, and their column there."""
    for side in ("request", "item"):
        names = [f.name for f in schema.of_role("ids", request=side == "request")]
        if schema.scenario in names:
            return f"ids:{side}", names.index(schema.scenario)
    return None


def _assigned(name: str, value: Any, constants: Constants) -> str:
    """``NAME = value``; what is long has a constant of its own."""
    text = constants.text(value, f"{name}_TEXT")
    if name in constants.lines:
        return constants.lines.pop(name)
    return f"{name} = {text}"


def _of_parameters(plan: Plan) -> dict[str, str]:
    """What holds for parameters by their names, as dictionaries with a comment each."""
    own = {key: block.arguments() for key, block in plan.optimizers.items()}
    tables: dict[str, tuple[str, Mapping[str, object]]] = {
        "TABLE_DECAY": (
            "decoupled L2: over an epoch a resting row shrinks by exp(-value)",
            plan.decays,
        ),
        "COUPLED_DECAY": ("L2 inside the gradient", plan.coupled_decays),
        "FTRL": ("trained by FTRL-proximal with these settings", own),
    }
    shared = f"# the last layer that all tasks share\n{assigned('SHARED', plan.shared)}"
    return {"SHARED": shared} | {
        name: f"# {comment}\n{dictionary(f'{name} = ', values)}"
        for name, (comment, values) in tables.items()
    }


def _split_constants(schema: Schema) -> dict[str, Any]:
    split = schema.split
    plain = (int, float, str)
    values = {"VALID_FROM": split.valid_from, "TEST_FROM": split.test_from}
    return {
        "SPLIT_COLUMN": split.column or (schema.group if split.by == "group" else None),
        "VALID_SHARE": split.valid,
        "TEST_SHARE": split.test,
        **{k: v if v is None or isinstance(v, plain) else str(v) for k, v in values.items()},
        "TRAIN_FILE": split.train_file,
        "TEST_FILE": split.test_file,
    }


def _instead(schema: Schema, metric: Metric, plan: Plan) -> dict[str, str]:
    """The recipe's functions that schema, metric and parameters ask for, by the name they get."""
    split = schema.split
    grouped = plan.coupled_decays or plan.optimizers
    by_values = split.valid_from is not None
    binary = SCORES[metric_of(metric, "binary").name]
    errors = ERRORS[metric_of(metric, "regression").name]
    tasks = binary
    if schema.regression:
        tasks = errors if len(schema.regression) == len(schema.tasks) else "score_mixed"
    mean = "overall_weighted" if metric.weights else "overall"
    return {
        "score": FUSED_SCORES[metric.base.name] if metric.fused else tasks,
        "score_tasks": tasks,
        "score_binary": binary,
        "score_errors": errors,
        "labels_of": "labels_of_chain" if max(schema.binary_parents) >= 0 else "labels_of",
        "make_loss": "make_scaled_loss" if schema.regression else "make_loss",
        "overall": "overall_fused" if metric.fused else mean,
        "is_better": "is_better" if metric.up else "is_less",
        "encoded": "encoded_with_rates" if schema.statistic_columns else "encoded",
        "make_optimizers": "make_grouped_optimizers" if grouped else "make_optimizers",
        "minimised": "minimised_with_auxiliary" if plan.losses else "minimised",
        "load": "load_with_groups" if metric.grouped else "load",
        "read_split": "read_split_files" if split.by == "file" else "read_split",
        "split_rows": {
            "time": "split_rows_from" if by_values else "split_rows",
            "column": "split_rows_by_column",
            "group": "split_rows_by_group",
        }.get(split.by, "split_rows_at_random"),
    }


def _docstring(architecture: Architecture, schema: Schema) -> str:
    summary = wrapped(architecture.summary, "    ", "        ")
    names = [task.name for task in schema.tasks]
    labels = ", ".join(in_docstring(name) for name in names)
    data = wrapped(
        "DATA is a Parquet, Arrow, CSV or TSV file, or a folder of such parts, with the columns of "
        f"encoder.json and the labels ({labels}). encoder/ turns its values into ids and "
        "numbers with the vocabularies of the training rows that the model was found on."
    )
    return (
        f'"""Train the ranking model of model.py.\n\n{summary}\n\n'
        "    python train.py DATA            train, and write model.safetensors\n"
        "    python train.py DATA --score    score weights.safetensors without training\n"
        f'\n{data}\n"""'
    )
