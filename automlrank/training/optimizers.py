"""Optimizers of a model's parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from automlrank.blocks.training import Training
from automlrank.model.plan import Plan

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adagrad": torch.optim.Adagrad,
}


def make_optimizers(
    model: nn.Module, plan: Plan, settings: Training
) -> list[torch.optim.Optimizer]:
    """The fused optimizer of most parameters, then those that blocks have for their own."""
    groups = parameter_groups(model, plan.coupled_decays, plan.optimizers)
    common = OPTIMIZERS[settings.optimizer](groups, lr=settings.learning_rate, fused=True)  # type: ignore[call-arg]
    own = [
        block.module([model.get_parameter(name)], **block.arguments())
        for name, block in plan.optimizers.items()
    ]
    return [common, *own]


def parameter_groups(
    model: nn.Module, coupled: Mapping[str, float], apart: Collection[str]
) -> list[dict[str, Any]]:
    """The parameters that no other optimizer trains, by their L2 inside the gradient."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name not in apart:
            groups.setdefault(coupled.get(name, 0.0), []).append(parameter)
    return [{"params": members, "weight_decay": l2} for l2, members in groups.items()]


def parameters_of(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """What an optimizer trains."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def learning_rate(settings: Training, done: float, drops: int) -> float:
    """The rate of a step: after ``drops`` epochs without a gain, ``done`` of all epochs behind it.

    ``rate * plateau ** drops``, or by the linear schedule ``rate * (1 - done)``.
    """
    if settings.schedule == "linear":
        return settings.learning_rate * (1 - done)
    return settings.learning_rate * settings.plateau**drops


def share_done(epoch: int, step: int, batch_size: int, epoch_rows: int, epochs: int) -> float:
    """The share of the rows of all ``epochs`` that lies before a step of an epoch."""
    return (epoch * epoch_rows + step * batch_size) / (epochs * epoch_rows)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Learn at this rate from now on."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def update(optimizers: Sequence[torch.optim.Optimizer], rows: int) -> None:
    """One step of each; those that blocks have for their own are told the batch's rows."""
    for own in optimizers[1:]:
        own.param_groups[0]["rows"] = rows
    for optimizer in optimizers:
        optimizer.step()
