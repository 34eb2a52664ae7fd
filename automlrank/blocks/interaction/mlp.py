"""The multi-layer perceptron: implicit interactions, and the usual tower."""

from __future__ import annotations

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, ints, one_of
from automlrank.blocks.none import NoBlock
from automlrank.blocks.parts import MLP
from automlrank.blocks.ports import Vector


@block("mlp", family=("interaction", "tower"))
class Mlp(Block):
    """``depth`` times ``dropout(act(norm(W x + b)))``, of one width; depth 0 is the identity."""

    paper = "Rosenblatt, The perceptron, Psychological Review 1958"
    module = MLP

    width: int = knob(128, legal=ints(1, 4096), search=one_of(64, 128, 256), help="hidden units")
    depth: int = knob(2, legal=ints(0, 8), search=one_of(1, 2, 3), help="layers")
    activation: str = knob(
        "relu", legal=one_of("relu", "gelu", "silu", "tanh", "sigmoid"), help="after each layer"
    )
    batch_norm: bool | None = knob(
        None,
        legal=one_of(False, True),
        inherit="batch_norm",
        help="normalise before the activation",
    )
    dropout: float | None = knob(
        None, legal=floats(0.0, 0.9), inherit="dropout", help="share of units dropped in training"
    )

    def out(self, x: Vector) -> Vector:
        return Vector(self.width) if self.depth else x

    def arguments(self, x: Vector) -> dict[str, object]:
        return {
            "dim": x.dim,
            "width": self.width,
            "depth": self.depth,
            "activation": self.activation,
            "batch_norm": self.batch_norm,
            "dropout": self.dropout,
        }

    def canonical(self) -> Block:
        return self if self.depth else NoBlock()
