"""Architecture + Schema -> a wiring plan, stage by stage."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from automlrank.architecture import (
    NONE,
    Architecture,
    ParallelPart,
    Part,
    ScopedPart,
    StackPart,
    readers,
)
from automlrank.architecture.requirements import read_columns, unserved_parts
from automlrank.blocks.accepted_ports import accepts, first_input, tensors_of
from automlrank.blocks.base import Block
from automlrank.blocks.parts.layers import Dense
from automlrank.blocks.parts.logits import Bias, Chain, Correction, Rescale
from automlrank.blocks.parts.sequences import EmptyHistory
from automlrank.blocks.parts.shapes import add, as_fields, expand_as_rows, join, task_of
from automlrank.blocks.ports import Columns, Fields, History, Logit, Tasks, Vector
from automlrank.errors import SpaceError
from automlrank.model.branches import BranchInputs
from automlrank.model.inputs import Inputs
from automlrank.model.plan import Made, Plan, PlanBuilder, Value, identifier, last_matrix, vector_of
from automlrank.schema import HistoryFeature, Schema


def wire(architecture: Architecture, schema: Schema) -> Plan:
    """The plan of an architecture for a fitted schema."""
    if not schema.is_fitted:
        raise SpaceError("the schema's columns have no sizes yet: open a Dataset with it first.")
    if faults := unserved_parts(architecture, schema):
        raise SpaceError(faults)
    return _Wiring(architecture, schema).plan()


class _Wiring:
    """Builds the plan, step by step, in the order of the stages."""

    def __init__(self, architecture: Architecture, schema: Schema) -> None:
        self.architecture = architecture
        self.schema = schema
        self.steps = PlanBuilder()
        columns = read_columns(architecture, schema)
        self.model = Inputs(
            self.steps, columns, architecture.embedding, layout=schema, extras=self.extras
        )
        self.inputs = self.model
        """Those of the branch that is being wired."""
        self.rates: Value | None = None
        self.start: Value | None = None
        """The fields that flow into the stage interaction; None where nothing reads them."""
        self.interests: list[Value] = []
        self.branches: dict[tuple[str, ...] | None, BranchInputs] = {}
        self.logits: list[Value] = []

    def plan(self) -> Plan:
        """All stages, then the sum of the logits."""
        architecture = self.architecture
        if architecture.statistics != NONE:
            rates = self.inputs.statistics()
            self.rates = self.part(architecture.statistics, rates, "statistics_stage")
        if architecture.gate != NONE:
            self.start = self.part(architecture.gate, self.inputs.value("fields"), "gate")
        elif any(isinstance(part, Block) for part in readers(architecture.interaction)):
            self.start = self.inputs.value("fields")
        body = self.part(architecture.interaction, self.start, "interaction")
        if body is not None:
            self.logits.insert(0, self.heads(self.steps.flat(body)))
        if all(logit.request for logit in self.logits):  # nothing of the item is read
            rows = [self.logits[0], Value("ids:item")]
            self.logits[0] = self.steps.step(expand_as_rows, rows, "first_logits")
        self.totals(with_bias=body is None)
        return self.steps.plan

    def totals(self, with_bias: bool) -> None:
        """The sum of the logits; then what each kind of task needs to be served."""
        schema, n = self.schema, len(self.schema.tasks)
        chained = tuple(-1 if i in schema.regression else p for i, p in enumerate(schema.parents))
        last: dict[str, Made] = {}
        if with_bias:
            last["bias"] = Made(Bias, {"tasks": n})
        if (negatives := self.architecture.training.negatives) < 1:
            last["correction"] = Made(Correction, {"tasks": n, "negatives": negatives})
        if schema.regression:
            last["scale"] = Made(Rescale, {"tasks": n})
        if max(chained) >= 0:
            on_all_rows = self.architecture.loss.on_all_rows
            last["chain"] = Made(Chain, {"parents": chained, "on_all_rows": on_all_rows})
        value = self.steps.step(add, self.logits, "summed" if last else "logits")
        for name, made in last.items():
            output = "logits" if name == list(last)[-1] else f"{name}_logits"
            value = self.steps.module(name, made, [value], output)

    def extras(self) -> list[Value]:
        """The fields behind the columns': the statistics, then what histories' encoders give."""
        rates = [self.rates] if self.rates is not None else []
        if self.architecture.history == NONE:
            return rates
        if not self.interests:
            with self.reads(self.model):
                self.interests = [
                    self.interest(f"history_{identifier(name, i)}", columns)
                    for i, (name, columns) in enumerate(self.schema.sequences.items())
                ]
        return [*rates, *self.interests]

    def interest(self, name: str, columns: tuple[HistoryFeature, ...]) -> Value:
        """One sequence encoded, shaped to fields; a width that does not fit is projected.

        An empty history has a learned vector, whatever the encoder.
        """
        dim = self.inputs.dim
        sequence = self.inputs.sequence(name, columns)
        encoded = self.part(self.architecture.history, sequence, f"{name}_encoder")
        assert encoded is not None
        flat = self.steps.flat(encoded)
        empty = Made(EmptyHistory, {"dim": vector_of(flat).dim})
        given = [flat, self.inputs.value("mask")]
        flat = self.steps.module(f"{name}_empty", empty, given, f"{name}_encoded", flat.port)
        if vector_of(flat).dim % dim:
            width = len(columns) * dim
            made = Made(Dense, {"in_features": vector_of(flat).dim, "out_features": width})
            flat = self.steps.module(
                f"{name}_projection", made, [flat], f"{name}_projected", Vector(width)
            )
        port = Fields(vector_of(flat).dim // dim, dim)
        return self.steps.step(as_fields, [flat], f"{name}_interest", port, (dim,))

    def part(self, part: Part, value: Value | None, name: str) -> Value | None:
        """Wire a part; its logits leave to ``self.logits``, None where nothing else remains."""
        match part:
            case StackPart(members):
                for i, member in enumerate(members):
                    value = self.part(member, value, f"{name}_{i}")
                return value
            case ParallelPart(branches, merge):
                outs = [self.part(b, value, f"{name}_{i}") for i, b in enumerate(branches)]
                vectors = [self.steps.flat(out) for out in outs if out is not None]
                if merge is None:
                    return None
                if any(isinstance(vector.port, Tasks) for vector in vectors):
                    raise SpaceError(f"{name}: a task structure cannot stand beside others.")
                return self.call(merge, vectors, f"{name}_{merge.name}")
            case ScopedPart():
                return self.reading(part, value, name)
            case Block():
                return self.block(part, value, name)

    def reading(self, part: ScopedPart, value: Value | None, name: str) -> Value | None:
        """Wire a branch with what it reads; those that read the same of one table share it."""
        if value != self.start or isinstance(self.inputs, BranchInputs):
            raise SpaceError(f"{name}: fields and embedding are said where the stage begins.")
        inputs = None if part.own else self.branches.get(part.fields)
        if inputs is None:
            prefix = f"{name}_" if part.own else f"interaction_reads_{len(self.branches)}_"
            inputs = BranchInputs(self.model, part, prefix)
        if not part.own:
            self.branches[part.fields] = inputs
        gated = self.start if self.architecture.gate != NONE else None
        flow = inputs.flow(gated) if any(readers(part.body)) else None
        with self.reads(inputs):
            return self.part(part.body, flow, name)

    @contextlib.contextmanager
    def reads(self, inputs: Inputs) -> Iterator[None]:
        """The root inputs are these for a while."""
        before, self.inputs = self.inputs, inputs
        yield
        self.inputs = before

    def block(self, block: Block, value: Value | None, name: str) -> Value | None:
        if block == NONE:
            return value
        wanted = first_input(type(block))
        if Columns in wanted:
            flow = Value("", self.inputs.columns)
        else:
            assert value is not None
            if not accepts(wanted, type(value.port)):
                raise SpaceError(f"{name}: {block.name} does not take {type(value.port).__name__}.")
            flow = value if type(value.port) in wanted else self.steps.flat(value)
        out = self.call(block, [flow], f"{name}_{block.name}")
        if isinstance(out.port, Logit):
            self.logits.append(out)
            return None
        return out

    def call(self, block: Block, flows: list[Value], name: str) -> Value:
        """A block's module as one step: its flow first, then root tensors by name."""
        ports = {key: self.inputs.port(key) for key in list(type(block).inputs())[1:]}
        given = [flow.port for flow in flows]
        made = Made(type(block).module, block.arguments(*given, **ports))
        wanted = tensors_of(type(block))
        self.steps.trained(name, block)
        if isinstance(given[0], History):
            self.encoder(type(block), name)
        is_root = isinstance(given[0], Columns | History)
        inputs = (
            [self.inputs.value(key) for key in wanted]
            if is_root
            else [*flows, *(self.inputs.value(key) for key in wanted[1:])]
        )
        return self.steps.module(name, made, inputs, f"{name}_out", block.out(*given, **ports))

    def encoder(self, cls: type[Block], name: str) -> None:
        """The steps of a history's encoder beside its own: extraction first, auxiliary loss."""
        values = self.inputs.values
        if wanted := tensors_of(cls, "extract"):
            given = [values[key] for key in wanted]
            values["extracted"] = self.steps.method(name, "extract", given, f"{name}_extracted")
        if wanted := tensors_of(cls, "loss"):
            given = [values[key] for key in wanted]
            loss = self.steps.method(name, "loss", given, f"{name}_loss")
            self.steps.plan.losses.append(loss.name)

    def heads(self, body: Value) -> Value:
        """Scenario, tasks, one tower and one linear head per task; gives the tasks' logits."""
        shared = self.part(self.architecture.scenario, body, "scenario_stage")
        tasks = self.part(self.architecture.tasks, shared, "tasks_stage")
        assert tasks is not None
        if self.architecture.balance.reads_gradients:
            self.steps.plan.shared = self.last_shared(tasks)
        logits = []
        for i, task in enumerate(self.schema.tasks):
            name = f"task_{identifier(task.name, i)}"
            value: Value | None = tasks
            if isinstance(tasks.port, Tasks):
                port = Vector(tasks.port.dim)
                value = self.steps.step(task_of, [tasks], f"{name}_vector", port, (i,))
            value = self.part(self.architecture.tower, value, f"{name}_tower")
            assert value is not None
            made = Made(Dense, {"in_features": vector_of(value).dim, "out_features": 1})
            logits.append(self.steps.module(f"{name}_head", made, [value], f"{name}_logit"))
        return logits[0] if len(logits) == 1 else self.steps.step(join, logits, "task_logits")

    def last_shared(self, tasks: Value) -> tuple[str, ...]:
        """The parameters of the last layer below the towers, as the task structure names them."""
        structure = self.architecture.tasks
        if isinstance(structure, Block) and (named := structure.last_layer()):
            return tuple(f"tasks_stage_{structure.name}.{name}" for name in named)
        return last_matrix(self.steps.plan, tasks)
