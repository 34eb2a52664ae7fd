"""The learning rate as a function of the training's progress."""

from __future__ import annotations

import torch

from automlrank.training.recipe import Recipe


def learning_rate(recipe: Recipe, done: float, drops: int) -> float:
    """Return a step's rate: ``done`` of all epochs behind it, ``drops`` of them without a gain.

    ``rate * plateau ** drops``, or by the linear schedule ``rate * (1 - done)``.
    """
    if recipe.schedule == "linear":
        return recipe.learning_rate * (1 - done)
    return recipe.learning_rate * recipe.plateau**drops


def share_done(epoch: int, step: int, batch_size: int, epoch_rows: int, epochs: int) -> float:
    """Return the share of the rows of all ``epochs`` that lies before a step of an epoch."""
    return (epoch * epoch_rows + step * batch_size) / (epochs * epoch_rows)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Learn at this rate from now on."""
    for group in optimizer.param_groups:
        group["lr"] = rate
