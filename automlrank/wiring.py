"""Architecture + Schema -> a wiring plan, stage by stage."""

from __future__ import annotations

import inspect

from torch import nn

from automlrank.architecture import NONE, Architecture, Parallel, Part, Stack
from automlrank.blocks.base import Block
from automlrank.blocks.parts import Bias, add, as_fields, join, task_of
from automlrank.blocks.ports import Columns, Fields, History, Logit, Tasks, Vector
from automlrank.errors import Fault, SpaceError
from automlrank.inputs import Inputs, identifier
from automlrank.plan import Made, Plan, PlanBuilder, Value, vector_of
from automlrank.schema import History as HistoryColumn
from automlrank.schema import Schema
from automlrank.space.check import accepts, first_input, lacking


def wire(architecture: Architecture, schema: Schema) -> Plan:
    """The plan of an architecture for a fitted schema."""
    if not schema.is_fitted:
        raise SpaceError("the schema's columns have no sizes yet: open a Dataset with it first.")
    faults = [
        Fault(f"{block.name} cannot be used: {reason}.", path=stage)
        for stage, block in architecture.blocks()
        if (reason := lacking(schema, block.name))
    ]
    if faults:
        raise SpaceError(faults)
    return _Wiring(architecture, schema).plan()


class _Wiring:
    """Builds the plan, step by step, in the order of the stages."""

    def __init__(self, architecture: Architecture, schema: Schema) -> None:
        self.architecture = architecture
        self.schema = schema
        self.steps = PlanBuilder()
        self.inputs = Inputs(self.steps, schema, architecture.embedding)
        self.logits: list[Value] = []

    def plan(self) -> Plan:
        """All stages, then the sum of the logits."""
        architecture = self.architecture
        rates = self.rates()
        start = self.fields(rates) if architecture.embedding else None
        if start and architecture.gate != NONE:
            start = self.part(architecture.gate, start, "gate")
        body = self.part(architecture.interaction, start, "interaction")
        if body is None:
            total = self.steps.step(add, self.logits, "summed")
            bias = Made(Bias, {"tasks": len(self.schema.tasks)})
            self.steps.module("bias", bias, [total], "logits")
        else:
            self.logits.insert(0, self.heads(self.steps.flat(body)))
            self.steps.step(add, self.logits, "logits")
        return self.steps.plan

    def rates(self) -> Value | None:
        """The statistics as fields; None where they give logits, or nothing is made of them."""
        if self.architecture.statistics == NONE:
            return None
        return self.part(self.architecture.statistics, self.inputs.statistics(), "statistics_stage")

    def fields(self, rates: Value | None) -> Value:
        """The embedded columns, then the statistics, then what the histories' encoders give."""
        fields = self.inputs.embed()
        if rates is not None:
            fields = self.inputs.join_fields([fields, rates], "fields_and_rates")
        if self.architecture.history != NONE:
            interests = [
                self.interest(f"history_{identifier(name, i)}", columns)
                for i, (name, columns) in enumerate(self.schema.sequences.items())
            ]
            fields = self.inputs.join_fields([fields, *interests], "fields_and_interests")
        self.inputs.values["fields"] = fields
        return fields

    def interest(self, name: str, columns: tuple[HistoryColumn, ...]) -> Value:
        """One sequence encoded, shaped to fields; a width that does not fit is projected."""
        dim = self.inputs.dim
        sequence = self.inputs.sequence(name, columns)
        encoded = self.part(self.architecture.history, sequence, f"{name}_encoder")
        assert encoded is not None
        flat = self.steps.flat(encoded)
        if vector_of(flat).dim % dim:
            width = len(columns) * dim
            made = Made(nn.Linear, {"in_features": vector_of(flat).dim, "out_features": width})
            flat = self.steps.module(
                f"{name}_projection", made, [flat], f"{name}_projected", Vector(width)
            )
        port = Fields(vector_of(flat).dim // dim, dim)
        return self.steps.step(as_fields, [flat], f"{name}_interest", port, (dim,))

    def part(self, part: Part, value: Value | None, name: str) -> Value | None:
        """Wire a part; its logits leave to ``self.logits``, None where nothing else remains."""
        match part:
            case Stack(members):
                for i, member in enumerate(members):
                    value = self.part(member, value, f"{name}_{i}")
                return value
            case Parallel(branches, merge):
                outs = [self.part(b, value, f"{name}_{i}") for i, b in enumerate(branches)]
                vectors = [self.steps.flat(out) for out in outs if out is not None]
                if merge is None:
                    return None
                return self.call(merge, vectors, f"{name}_{merge.name}")
            case Block():
                return self.block(part, value, name)

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
        wanted = list(inspect.signature(type(block).module.forward).parameters)[1:]  # type: ignore[attr-defined]
        is_root = isinstance(given[0], Columns | History)
        inputs = (
            [self.inputs.value(key) for key in wanted]
            if is_root
            else [*flows, *(self.inputs.value(key) for key in wanted[1:])]
        )
        self.steps.trained(name, block)
        return self.steps.module(name, made, inputs, f"{name}_out", block.out(*given, **ports))

    def heads(self, body: Value) -> Value:
        """Scenario, tasks, one tower and one linear head per task; gives the tasks' logits."""
        shared = self.part(self.architecture.scenario, body, "scenario_stage")
        tasks = self.part(self.architecture.tasks, shared, "tasks_stage")
        assert tasks is not None
        logits = []
        for i, task in enumerate(self.schema.tasks):
            name = f"task_{identifier(task.name, i)}"
            value: Value | None = tasks
            if isinstance(tasks.port, Tasks):
                port = Vector(tasks.port.dim)
                value = self.steps.step(task_of, [tasks], f"{name}_vector", port, (i,))
            value = self.part(self.architecture.tower, value, f"{name}_tower")
            assert value is not None
            made = Made(nn.Linear, {"in_features": vector_of(value).dim, "out_features": 1})
            logits.append(self.steps.module(f"{name}_head", made, [value], f"{name}_logit"))
        return logits[0] if len(logits) == 1 else self.steps.step(join, logits, "task_logits")
