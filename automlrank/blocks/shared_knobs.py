"""Knobs that several blocks share: ``activation: str = activation_knob()``.

A ``batch_norm`` or ``dropout`` that is left at None takes the training's value.
"""

from __future__ import annotations

from typing import Any

from automlrank.blocks.base import knob
from automlrank.blocks.domains import floats, ints, one_of
from automlrank.blocks.parts.layers import ACTIVATIONS


def width_knob(most: int = 4096) -> Any:
    """Width of a tower's or an expert's layers."""
    return knob(64, legal=ints(4, most), search=one_of(32, 64, 128), help="hidden units")


def depth_knob(default: int, help: str) -> Any:
    """Number of layers."""
    return knob(default, legal=ints(1, 8), search=one_of(1, 2), help=help)


def experts_knob() -> Any:
    """Number of experts that tasks mix."""
    return knob(4, legal=ints(2, 64), search=one_of(2, 4, 8), help="experts")


def activation_knob(default: str = "relu", help: str = "after each layer") -> Any:
    """Function between layers."""
    return knob(default, legal=one_of(*ACTIVATIONS), help=help)


def batch_norm_knob(help: str = "normalise before the activation") -> Any:
    """Batch norm on or off."""
    return knob(None, legal=one_of(False, True), inherit="batch_norm", help=help)


def dropout_knob(help: str = "share of units dropped in training") -> Any:
    """Share of units that a step leaves out."""
    return knob(None, legal=floats(0.0, 0.9), inherit="dropout", help=help)


def gate_width_knob() -> Any:
    """Hidden units of a gate over experts, ReLU; 0 leaves it linear, as published."""
    return knob(
        0,
        legal=ints(0, 1024),
        search=one_of(0, 32),
        help="hidden units of a gate; 0: it is linear",
    )


def context_gate_knob(help: str = "hidden units of a gate") -> Any:
    """Hidden units of a gate that the context or the scenario steers."""
    return knob(32, legal=ints(4, 1024), search=one_of(16, 32, 64), help=help)
