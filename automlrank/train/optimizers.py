"""Optimizers by name, and the decoupled L2 of tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adagrad": torch.optim.Adagrad,
}


def make_optimizer(model: nn.Module, name: str, learning_rate: float) -> torch.optim.Optimizer:
    """One fused optimizer of all parameters."""
    return OPTIMIZERS[name](model.parameters(), lr=learning_rate, fused=True)  # type: ignore[call-arg]


@torch.no_grad()
def decay(model: nn.Module, l2: Mapping[str, float], share: float) -> None:
    """Shrink parameters by ``exp(-l2 * share)``: decoupled L2 for ``share`` of an epoch.

    ``l2`` is by the parameter's name, per epoch, so that the same value means the same whatever
    the batch size; the caller scales ``share`` by the learning rate over its start.
    """
    for name, strength in l2.items():
        model.get_parameter(name).mul_(math.exp(-strength * share))
