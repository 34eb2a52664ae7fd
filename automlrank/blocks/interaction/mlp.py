"""The multi-layer perceptron: implicit interactions, and the standard tower."""

from __future__ import annotations

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import ints, one_of
from automlrank.blocks.none import NoBlock
from automlrank.blocks.parts.layers import INITIALISATIONS, MLP
from automlrank.blocks.ports import Vector
from automlrank.blocks.shared_knobs import activation_knob, batch_norm_knob, dropout_knob


@block("mlp", family=("interaction", "tower"))
class Mlp(Block):
    """``depth`` times ``dropout(act(norm(W x + b)))``, of one width; depth 0 is the identity.

    ``residual`` makes a layer ``x + dropout(act(norm(W x + b)))`` where its input has its width.
    ``initialisation`` draws W: ``xavier`` within ``(6 / (n_in + n_out))^0.5``, ``he`` with standard
    deviation ``(2 / n_in)^0.5``, ``uniform``, torch's own, within ``n_in^-0.5``, biases too.
    """

    paper = "Rosenblatt, The perceptron, Psychological Review 1958"
    module = MLP

    width: int = knob(128, legal=ints(1, 4096), search=one_of(64, 128, 256), help="hidden units")
    depth: int = knob(2, legal=ints(0, 8), search=one_of(1, 2, 3), help="layers")
    activation: str = activation_knob()
    batch_norm: bool | None = batch_norm_knob()
    dropout: float | None = dropout_knob()
    residual: bool = knob(
        False, legal=one_of(False, True), help="add a layer's input if the widths are equal"
    )
    initialisation: str = knob(
        "xavier", legal=one_of(*INITIALISATIONS), help="initial distribution of the weights"
    )

    def out(self, x: Vector) -> Vector:
        return Vector(self.width) if self.depth else x

    def arguments(self, x: Vector) -> dict[str, object]:
        return {"dim": x.dim, **self.settings()}

    def canonical(self) -> Block:
        return self if self.depth else NoBlock()
