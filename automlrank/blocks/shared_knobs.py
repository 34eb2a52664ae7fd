"""The knobs that blocks with hidden layers share: ``activation: str = activation_knob()``.

A ``batch_norm`` or ``dropout`` that is left at None takes the training's value.
"""

from __future__ import annotations

from typing import Any

from automlrank.blocks.base import knob
from automlrank.blocks.domains import floats, ints, one_of
from automlrank.blocks.parts.layers import ACTIVATIONS


def activation_knob(default: str = "relu", help: str = "after each layer") -> Any:
    """What stands between layers."""
    return knob(default, legal=one_of(*ACTIVATIONS), help=help)


def batch_norm_knob(help: str = "normalise before the activation") -> Any:
    """Whether units are normalised over the batch."""
    return knob(None, legal=one_of(False, True), inherit="batch_norm", help=help)


def dropout_knob(help: str = "share of units dropped in training") -> Any:
    """The share of units that a step leaves out."""
    return knob(None, legal=floats(0.0, 0.9), inherit="dropout", help=help)


def gate_width_knob() -> Any:
    """The hidden layer of a gate over experts, ReLU; 0 leaves it linear, as published."""
    return knob(
        0,
        legal=ints(0, 1024),
        search=one_of(0, 32),
        help="hidden units of a gate; 0: it is linear",
    )
