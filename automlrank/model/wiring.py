"""Wire an architecture to a schema, stage by stage, into a plan."""

from __future__ import annotations

import dataclasses
from functools import cached_property

from automlrank.architecture import NONE, Architecture, Part, readers
from automlrank.architecture.requirements import read_columns, unserved_parts
from automlrank.blocks.base import Block
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.logits import Bias, Chain, Correction, Rescale
from automlrank.blocks.parts.shapes import add, expand_as_rows, join, task_of
from automlrank.blocks.ports import Tasks, Vector
from automlrank.blocks.tasks.base import TaskStructure
from automlrank.errors import SpaceError
from automlrank.model.branches import Branches, whole_fields
from automlrank.model.columns import ColumnReader
from automlrank.model.inputs import Inputs
from automlrank.model.part_wiring import PartWiring
from automlrank.model.plan import ModuleSpec, Plan
from automlrank.model.plan_builder import PlanBuilder, Value, identifier, vector_of
from automlrank.model.sequences import interest_of, read_sequence
from automlrank.model.source import Source
from automlrank.schema import HistoryFeature, Schema


def wire(architecture: Architecture, schema: Schema) -> Plan:
    """Return the plan of an architecture for a fitted schema.

    Raises SpaceError if the schema lacks what a block needs, or the parts do not fit.
    """
    if not schema.is_fitted:
        raise SpaceError("the schema's columns have no sizes yet: open a Dataset with it first.")
    if faults := unserved_parts(architecture, schema):
        raise SpaceError(faults)
    return _Wiring(architecture, schema).plan()


class _Wiring:
    """Wires the stages in their order, each step when its value is first asked for."""

    def __init__(self, architecture: Architecture, schema: Schema) -> None:
        self.architecture = architecture
        self.schema = schema
        self.steps = PlanBuilder()
        self.parts = PartWiring(self.steps)
        source = Source(read_columns(architecture, schema), schema, architecture.embedding)
        self.columns = ColumnReader(self.steps, source)
        self.inputs = Inputs(self.columns, self.columns, self._fields)
        self.rates: Value | None = None

    def plan(self) -> Plan:
        """Wire all stages, then the sum of the logits."""
        self.rates = self._rates()
        body = self._interaction()
        logits = self.parts.logits
        shared: tuple[str, ...] = ()
        if body is not None:
            tasks = self._tasks(self.steps.flat(body))
            shared = self._shared(tasks)
            logits = [self._heads(tasks), *logits]
        if all(logit.request for logit in logits):  # nothing of the item is read
            rows = [logits[0], Value("ids:item")]
            logits = [self.steps.step(expand_as_rows, rows, "first_logits"), *logits[1:]]
        self._total(logits, with_bias=body is None)
        return self.steps.done(shared)

    def _part(self, part: Part, value: Value | None, name: str) -> Value | None:
        return self.parts.part(part, value, name, self.inputs)

    # ---- fields ---------------------------------------------------------------------------

    def _fields(self) -> Value:
        return whole_fields(self.columns, self._extras)

    def _extras(self) -> list[Value]:
        """Return the fields behind the columns': of statistics, then of histories."""
        return [self.rates, *self._interests] if self.rates is not None else self._interests

    def _rates(self) -> Value | None:
        """Return the fields of the statistics; None if there are none, or they give logits."""
        if self.architecture.statistics == NONE:
            return None
        return self._part(
            self.architecture.statistics, self.columns.statistics(), "statistics_stage"
        )

    @cached_property
    def _interests(self) -> list[Value]:
        """Fields of every sequence; wired where fields are first read as a whole."""
        if self.architecture.history == NONE:
            return []
        return [
            self._interest(f"history_{identifier(name, i)}", columns)
            for i, (name, columns) in enumerate(self.schema.sequences.items())
        ]

    def _interest(self, name: str, columns: tuple[HistoryFeature, ...]) -> Value:
        sequence = read_sequence(self.columns, name, columns)
        encoded = self.parts.part(
            self.architecture.history,
            Value("", sequence.port),
            f"{name}_encoder",
            dataclasses.replace(self.inputs, sequence=sequence),
        )
        assert encoded is not None
        return interest_of(self.steps, name, encoded, sequence, self.columns.source.dim)

    # ---- stages ---------------------------------------------------------------------------

    def _interaction(self) -> Value | None:
        """Return the vector or fields that the interaction gives; None if only logits."""
        interaction, gate = self.architecture.interaction, self.architecture.gate
        start = None
        if gate != NONE:
            start = self._part(gate, self.inputs.value("fields"), "gate")
        elif any(isinstance(part, Block) for part in readers(interaction)):
            start = self.inputs.value("fields")
        branches = Branches(self.columns, self._extras, start, gated=gate != NONE)
        return self.parts.part(interaction, start, "interaction", self.inputs, branches)

    def _tasks(self, body: Value) -> Value:
        """Return the vectors of all tasks, or the one that they share."""
        shared = self._part(self.architecture.scenario, body, "scenario_stage")
        tasks = self._part(self.architecture.tasks, shared, "tasks_stage")
        assert tasks is not None
        return tasks

    def _shared(self, tasks: Value) -> tuple[str, ...]:
        """Return the parameters of the last layer that all tasks share, if the balance reads it."""
        if not self.architecture.balance.reads_gradients:
            return ()
        structure = self.architecture.tasks
        if isinstance(structure, TaskStructure) and (named := structure.last_layer()):
            return tuple(f"tasks_stage_{structure.name}.{name}" for name in named)
        return self.steps.last_matrix(tasks)

    def _heads(self, tasks: Value) -> Value:
        """Return the logits of all tasks: a tower and a linear head for each."""
        logits = [
            self._head(tasks, i, f"task_{identifier(task.name, i)}")
            for i, task in enumerate(self.schema.tasks)
        ]
        return logits[0] if len(logits) == 1 else self.steps.step(join, logits, "task_logits")

    def _head(self, tasks: Value, i: int, name: str) -> Value:
        value: Value | None = tasks
        if isinstance(tasks.port, Tasks):
            port = Vector(tasks.port.dim)
            value = self.steps.step(task_of, [tasks], f"{name}_vector", port, (i,))
        value = self._part(self.architecture.tower, value, f"{name}_tower")
        assert value is not None
        spec = ModuleSpec(Dense, {"in_features": vector_of(value).dim, "out_features": 1})
        return self.steps.module(f"{name}_head", spec, [value], f"{name}_logit")

    # ---- logits ---------------------------------------------------------------------------

    def _total(self, logits: list[Value], *, with_bias: bool) -> None:
        """Add up the logits, then apply the modules that turn the sum into served logits."""
        last = self._last_modules(with_bias=with_bias)
        value = self.steps.step(add, logits, "summed" if last else "logits")
        for name, spec in last.items():
            output = "logits" if name == list(last)[-1] else f"{name}_logits"
            value = self.steps.module(name, spec, [value], output)

    def _last_modules(self, *, with_bias: bool) -> dict[str, ModuleSpec]:
        schema, n = self.schema, len(self.schema.tasks)
        chained = tuple(-1 if i in schema.regression else p for i, p in enumerate(schema.parents))
        last: dict[str, ModuleSpec] = {}
        if with_bias:
            last["bias"] = ModuleSpec(Bias, {"tasks": n})
        if (negatives := self.architecture.training.negatives) < 1:
            last["correction"] = ModuleSpec(Correction, {"tasks": n, "negatives": negatives})
        if schema.regression:
            last["scale"] = ModuleSpec(Rescale, {"tasks": n})
        if max(chained) >= 0:
            on_all_rows = self.architecture.loss.on_all_rows
            last["chain"] = ModuleSpec(Chain, {"parents": chained, "on_all_rows": on_all_rows})
        return last
