"""Wire the parts of an architecture into a plan: stacks, parallel branches, blocks."""

from __future__ import annotations

from automlrank.architecture import NONE, ParallelPart, Part, ScopedPart, StackPart
from automlrank.blocks.accepted_ports import accepts, first_input, tensors_of
from automlrank.blocks.base import Block
from automlrank.blocks.ports import Columns, History, Logit, Tasks
from automlrank.errors import SpaceError
from automlrank.model.branches import Branches
from automlrank.model.inputs import Inputs
from automlrank.model.plan import ModuleSpec
from automlrank.model.plan_builder import PlanBuilder, Value


class PartWiring:
    """Wires the parts of a model; logits leave to ``logits``, the rest is returned."""

    def __init__(self, steps: PlanBuilder) -> None:
        self.steps = steps
        self.logits: list[Value] = []

    def part(
        self,
        part: Part,
        value: Value | None,
        name: str,
        inputs: Inputs,
        branches: Branches | None = None,
    ) -> Value | None:
        """Return the value that a part gives, None if it gives nothing but logits.

        ``branches`` are those that may begin here: None but in the stage interaction.
        """
        match part:
            case StackPart(members):
                for i, member in enumerate(members):
                    value = self.part(member, value, f"{name}_{i}", inputs, branches)
                return value
            case ParallelPart():
                return self._parallel(part, value, name, inputs, branches)
            case ScopedPart():
                if branches is None or value != branches.start:
                    raise SpaceError(
                        f"{name}: fields and embedding may only be given where the stage begins."
                    )
                own = branches.inputs(part, name)
                return self.part(part.body, branches.flow(part, own), name, own)
            case Block():
                return self._block(part, value, name, inputs)

    def _parallel(
        self,
        part: ParallelPart,
        value: Value | None,
        name: str,
        inputs: Inputs,
        branches: Branches | None,
    ) -> Value | None:
        outs = [
            self.part(branch, value, f"{name}_{i}", inputs, branches)
            for i, branch in enumerate(part.branches)
        ]
        vectors = [self.steps.flat(out) for out in outs if out is not None]
        if part.merge is None:
            return None
        if any(isinstance(vector.port, Tasks) for vector in vectors):
            raise SpaceError(f"{name}: a task structure cannot stand beside others.")
        return self._call(part.merge, vectors, f"{name}_{part.merge.name}", inputs)

    def _block(self, block: Block, value: Value | None, name: str, inputs: Inputs) -> Value | None:
        if block == NONE:
            return value
        wanted = first_input(type(block))
        if Columns in wanted:
            flow = Value("", inputs.port("columns"))
        else:
            assert value is not None
            if not accepts(wanted, type(value.port)):
                raise SpaceError(f"{name}: {block.name} does not take {type(value.port).__name__}.")
            flow = value if type(value.port) in wanted else self.steps.flat(value)
        out = self._call(block, [flow], f"{name}_{block.name}", inputs)
        if isinstance(out.port, Logit):
            self.logits.append(out)
            return None
        return out

    def _call(self, block: Block, flows: list[Value], name: str, inputs: Inputs) -> Value:
        """Return the output of a block's module, which takes its flow, then root inputs by name."""
        ports = {key: inputs.port(key) for key in list(type(block).inputs())[1:]}
        given = [flow.port for flow in flows]
        spec = ModuleSpec(type(block).module, block.arguments(*given, **ports))
        wanted = tensors_of(type(block))
        self.steps.add_training_rules(name, block)
        if isinstance(given[0], History):
            inputs = self._encoder(type(block), name, inputs)
        if isinstance(given[0], Columns | History):  # the flow itself is read by name
            taken = [inputs.value(key) for key in wanted]
        else:
            taken = [*flows, *(inputs.value(key) for key in wanted[1:])]
        return self.steps.module(name, spec, taken, f"{name}_out", block.out(*given, **ports))

    def _encoder(self, cls: type[Block], name: str, inputs: Inputs) -> Inputs:
        """Add the other steps of an encoder: extraction, which it may read, and auxiliary loss."""
        if wanted := tensors_of(cls, "extract"):
            given = [inputs.value(key) for key in wanted]
            extracted = self.steps.method(name, "extract", given, f"{name}_extracted")
            inputs = inputs.with_root("extracted", extracted)
        if wanted := tensors_of(cls, "loss"):
            given = [inputs.value(key) for key in wanted]
            self.steps.add_loss(self.steps.method(name, "loss", given, f"{name}_loss"))
        return inputs
