"""Print the plan of a model as ``model.py``, a module that needs nothing but torch."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from automlrank.architecture import Architecture
from automlrank.blocks.parts.shapes import add, join
from automlrank.blocks.stages import STAGES
from automlrank.codegen.printing import Constants, in_docstring, laid_out, wrapped
from automlrank.codegen.source import Closure, Import, import_lines
from automlrank.model.plan import ModuleSpec, Plan, Step
from automlrank.schema import Schema, VectorFeature
from automlrank.schema.score import score_text

COMMENTS = {stage.steps: f"# {stage.comment}" for stage in STAGES.values() if stage.comment}
"""Comment of a stage by the beginning of its steps' names."""
SIDE_KEYS = ("ids", "numbers")
SEQUENCE_KEYS = {
    "age": "bucket of the time gap of each behaviour to the row",
    "session": "number of the session of each behaviour, 1 for the oldest",
}
CONTENT = {
    "multi": "padded at the end",
    "vector": "NaN where null",
    "history": "oldest first, padded at the end",
    **SEQUENCE_KEYS,
}


def model_source(plan: Plan, architecture: Architecture, schema: Schema) -> str:
    """Return the text of ``model.py``; its parameters have the names of our ``RankingModel``."""
    steps, losses = plan.live_steps, plan.loss_steps
    closure, constants = Closure(), Constants()
    closure.imports |= {Import("torch", "nn"), Import("torch", "Tensor")}
    closure.imports.add(Import("collections.abc", "Mapping"))
    for step in (*steps, *losses):
        if not isinstance(step.call, str) and not _is_alias(step):
            closure.reference(step.call)
    init = [_init_line(plan, name, closure, constants) for name in _live_modules(plan)]
    forward = list(_forward_lines(plan, constants))
    ranking = list(_score_lines(schema, constants))
    parts = [
        _docstring(architecture, schema, plan),
        import_lines(closure.imports),
        "\n".join([*constants.lines.values(), *closure.constants.values()]),
    ]
    head = "\n\n".join(part for part in parts if part)
    ours = "\n".join([_class_source(init, forward, has_losses=bool(losses)), *ranking])
    return "\n\n\n".join([head, *closure.definitions.values(), ours]) + "\n"


def _live_modules(plan: Plan) -> list[str]:
    """Return the modules that run, and those whose weights are in the state, in order."""
    calls = (step.call for step in plan.live_steps)
    called = {call.partition(".")[0] for call in calls if isinstance(call, str)}
    return [name for name, spec in plan.modules.items() if name in called or _has_state(spec)]


def _has_state(spec: ModuleSpec) -> bool:
    with torch.device("meta"):
        return bool(spec.build().state_dict())


def _init_line(plan: Plan, name: str, closure: Closure, constants: Constants) -> str:
    """Return the line that makes a module in the constructor."""
    spec = plan.modules[name]
    arguments = [
        f"{key}={constants.text(value, f'{name}_{key}')}" for key, value in spec.arguments.items()
    ]
    return laid_out(f"self.{name} = {closure.reference(spec.cls)}(", arguments, ")", 8)


def _is_alias(step: Step) -> bool:
    """Return True for a sum or a join of one part, which is that part."""
    return step.call in (add, join) and len(step.inputs) == 1


def _forward_lines(plan: Plan, constants: Constants) -> Iterator[str]:
    """Yield a line a step, a comment where a stage begins, the auxiliary losses and the return."""
    names: dict[str, str] = {}
    stages = list(COMMENTS.items())
    for step in plan.live_steps:
        stage = next((s for s in stages if step.output.startswith(s[0])), None)
        if stage:
            del stages[: stages.index(stage) + 1]
            yield f"\n        {stage[1]}"
        if _is_alias(step):
            names[step.output] = _value(step.inputs[0], names, constants)
        else:
            yield _step_line(step, names, constants, 8)
    if plan.losses:
        yield "\n        if losses is not None:"
        for step in plan.loss_steps:
            yield _step_line(step, names, constants, 12)
        yield laid_out("losses += [", [names[loss] for loss in plan.losses], "]", 12)
    yield f"        return {names['logits']}"


def _step_line(step: Step, names: dict[str, str], constants: Constants, indent: int) -> str:
    """Return the line that calls a step; ``names`` gets the name of its output."""
    inputs = [_value(name, names, constants) for name in step.inputs]
    names[step.output] = step.output
    call = f"self.{step.call}" if isinstance(step.call, str) else step.call.__name__
    arguments = [*inputs, *map(str, step.constants)]
    return laid_out(f"{step.output} = {call}(", arguments, ")", indent)


def _value(name: str, names: dict[str, str], constants: Constants) -> str:
    """Return a local variable, or the look-up of a tensor of the batch."""
    return names[name] if name in names else f"batch[{constants.text(name, 'COLUMN')}]"


def _class_source(init: list[str], forward: list[str], *, has_losses: bool) -> str:
    batch = "batch: Mapping[str, Tensor]"
    given = f"{batch}, losses: list[Tensor] | None = None" if has_losses else batch
    also = "; auxiliary losses are added to the list ``losses``" if has_losses else ""
    lines = [
        "class RankingModel(nn.Module):",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *init,
        "",
        f"    def forward(self, {given}) -> Tensor:",
        f'        """Return logits ``[rows, tasks]``{also}."""',
        *forward,
    ]
    return "\n".join(lines)


def _score_lines(schema: Schema, constants: Constants) -> Iterator[str]:
    """Yield the lines of the method that gives the fused score, if the schema has one."""
    if not schema.score:
        return
    names = [task.name for task in schema.tasks]
    places = tuple(names.index(name) for name, _ in schema.score)
    tasks = constants.text(places, "score_tasks")
    exponents = constants.text(tuple(exponent for _, exponent in schema.score), "score_exponents")
    yield "\n    def score(self, batch: Mapping[str, Tensor]) -> Tensor:"
    yield '        """Return the log of the fused score ``[rows]``, which ranks candidates."""'
    yield f"        logs = nn.functional.logsigmoid(self(batch)[:, {tasks}])"
    yield f"        return logs @ logs.new_tensor({exponents})"


# ---- docstring ----------------------------------------------------------------------------


def _docstring(architecture: Architecture, schema: Schema, plan: Plan) -> str:
    tasks = ", ".join(in_docstring(task.name) for task in schema.tasks)
    read = set(plan.batch_keys)
    rows = [_layout(key, schema) for key in _batch_keys(schema) if key in read]
    width = max(len(key) for key, _, _ in rows)
    table = "\n".join(_table_row(*row, width=width) for row in rows)
    title = wrapped(f"A ranking model: {in_docstring(architecture.name)}.")
    summary = wrapped(architecture.summary, "    ", "        ")
    batch = wrapped(f"Each row gets a logit for each task: {tasks}. A batch is a dict of tensors:")
    ids = wrapped(
        "Ids are local to their column: 0 padding, 1 null, 2 unknown, 3 and up the values. "
        "Numbers are scaled, NaN is null. When a request is scored, the user's side may have "
        "one row."
    )
    if schema.score:
        product = score_text(tuple((in_docstring(name), a) for name, a in schema.score))
        ids += "\n\n" + wrapped(f"Candidates are ranked by ``score``, the log of {product}.")
    return f'"""{title}\n\n{summary}\n\n{batch}\n\n{table}\n\n{ids}\n"""'


def _batch_keys(schema: Schema) -> list[str]:
    """Return the keys of a batch in the order of the model's fields."""
    columns = [f for role in ("multi", "vector", "history") for f in schema.of_role(role)]
    sides = [f"{key}:{side}" for side in ("request", "item") for key in SIDE_KEYS]
    sides += ["statistics:request", "statistics:item"]
    times = [f"{key}:{sequence}" for sequence in schema.sequences for key in SEQUENCE_KEYS]
    return [*sides, *(f"{f.role}:{f.name}" for f in columns), *times]


def _layout(key: str, schema: Schema) -> tuple[str, str, str]:
    """Return the key of a tensor, its shape and type, and its columns."""
    kind, _, name = key.partition(":")
    if kind == "statistics":
        return key, *_statistics_layout(key, schema)
    if kind in SIDE_KEYS:
        columns = schema.of_role(kind, request=name == "request")
        rows = "rows or 1" if name == "request" else "rows"
        names = ", ".join(in_docstring(column.name) for column in columns) or "none"
        dtype = "int32" if kind == "ids" else "float32"
        return key, f"[{rows}, {len(columns)}] {dtype}", names
    column = schema.sequences[name][0] if kind in SEQUENCE_KEYS else schema.feature(name)
    rows = "rows" if column.side == "item" else "rows or 1"
    tensor = f"{column.size}] float32" if isinstance(column, VectorFeature) else "length] int32"
    return f"{kind}:{in_docstring(name)}", f"[{rows}, {tensor}", CONTENT[kind]


def _statistics_layout(key: str, schema: Schema) -> tuple[str, str]:
    """Return the shape and type of the statistics of a side, and their columns."""
    request, n = key.endswith(":request"), schema.statistic_sizes[key]
    columns = schema.statistic_columns.items()
    names = [" x ".join(of) for of, is_request in columns if is_request == request]
    content = f"target rates and count of {', '.join(map(in_docstring, names))}"
    return f"[{'rows or 1' if request else 'rows'}, {n}] float32", content


def _table_row(key: str, shape: str, columns: str, width: int) -> str:
    return wrapped(f"{key:<{width}}  {shape:<25}  {columns}", "    ", "        ")
