"""Field gate: a learned weight per field, the same for every row."""

from __future__ import annotations

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import logs, one_of
from automlrank.blocks.parts.fields import Regulation
from automlrank.blocks.ports import Fields


@block("field_gate", family="gate")
class FieldGate(Block):
    """A learned weight per field: ``norm(v_i * a_i)`` with ``a = softmax(logits / temperature)``.

    The batch norm takes its statistics over the rows and fields of an embedding axis. Without
    it, fields leave the gate smaller by their number. Shapes: fields ``[batch, n, dim]`` to
    fields of the same shape. EDCN has one such gate for each stream and layer (see ``bridge``);
    this one stands before all interactions.
    """

    paper = "Chen et al., EDCN, CIKM 2021, https://doi.org/10.1145/3459637.3481915"
    module = Regulation

    temperature: float = knob(
        1.0,
        legal=logs(0.01, 100.0),
        search=one_of(0.1, 0.3, 1.0),
        help="temperature of the softmax: small is sharp",
    )
    batch_norm: bool = knob(True, legal=one_of(False, True), help="normalise the weighted fields")

    def out(self, x: Fields) -> Fields:
        return x

    def arguments(self, x: Fields) -> dict[str, object]:
        return {"fields": x.n, "dim": x.dim, **self.settings()}
