"""Optimizers of a model's parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from automlrank.training.recipe import Recipe

Maker = Callable[..., torch.optim.Optimizer]
OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adagrad": torch.optim.Adagrad,
}


def make_optimizers(
    model: nn.Module, recipe: Recipe, makers: Mapping[str, Maker]
) -> list[torch.optim.Optimizer]:
    """Return the fused optimizer of most parameters, then those of single parameters.

    ``makers`` are the classes of the latter, by the name in ``recipe.optimizers``.
    """
    groups = parameter_groups(model, recipe.coupled_decays, recipe.optimizers)
    common = OPTIMIZERS[recipe.optimizer](groups, lr=recipe.learning_rate, fused=True)  # type: ignore[call-arg]
    own = [
        own_optimizer(model.get_parameter(name), makers, **settings)
        for name, settings in recipe.optimizers.items()
    ]
    return [common, *own]


def own_optimizer(
    parameter: nn.Parameter, makers: Mapping[str, Maker], name: str, **settings: float
) -> torch.optim.Optimizer:
    """Return the optimizer of one parameter."""
    return makers[name]([parameter], **settings)


def parameter_groups(
    model: nn.Module, coupled: Mapping[str, float], apart: Collection[str]
) -> list[dict[str, Any]]:
    """Return the parameters that no other optimizer trains, by their L2 inside the gradient."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name not in apart:
            groups.setdefault(coupled.get(name, 0.0), []).append(parameter)
    return [{"params": members, "weight_decay": l2} for l2, members in groups.items()]


def parameters_of(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """Return the parameters that an optimizer trains."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def update(optimizers: Sequence[torch.optim.Optimizer], rows: int) -> None:
    """Make one step of each; optimizers of single parameters get the number of batch rows."""
    for own in optimizers[1:]:
        own.param_groups[0]["rows"] = rows
    for optimizer in optimizers:
        optimizer.step()


def zero_shares(recipe: Recipe, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, float]:
    """Return the share of exact zeros in each parameter whose optimizer reports one."""
    own = zip(recipe.optimizers, optimizers[1:], strict=True)
    reports = {name: optimizer.report() for name, optimizer in own if hasattr(optimizer, "report")}
    return {name: told["zero_share"] for name, told in reports.items() if "zero_share" in told}
