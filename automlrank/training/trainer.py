"""The trainer of an architecture: its recipe, its losses, its optimizers."""

from __future__ import annotations

import dataclasses

from automlrank.architecture import Architecture
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Labels
from automlrank.data.values import Array
from automlrank.model.network import RankingModel
from automlrank.model.plan import Plan
from automlrank.schema import Schema
from automlrank.training.label_stats import class_shares, fit_to_labels, label_deviations
from automlrank.training.recipe import Recipe
from automlrank.training.step import Trainer

SETTINGS = {field.name for field in dataclasses.fields(Recipe)}


def make_trainer(
    model: RankingModel,
    architecture: Architecture,
    schema: Schema,
    labels: Array,
    device: str,
) -> Trainer:
    """Return the trainer of a model; ``labels`` are those of the training rows, [rows, tasks]."""
    fit_to_labels(model, labels, schema.regression)
    known = labels_of(schema, architecture.loss, labels, architecture.training.negatives)
    return Trainer(
        model,
        architecture.loss.build(known),
        architecture.balance.build(known),
        make_recipe(architecture, model.plan),
        labels,
        makers={block.name: block.module for block in model.plan.optimizers.values()},
        device=device,
    )


def make_recipe(architecture: Architecture, plan: Plan) -> Recipe:
    """Return the settings of an architecture's training.

    A knob of ``training`` goes into the recipe's field of its name.
    """
    knobs = architecture.training.settings()
    return Recipe(
        **{name: value for name, value in knobs.items() if name in SETTINGS},  # type: ignore[arg-type]
        decays=plan.decays,
        coupled_decays=plan.coupled_decays,
        optimizers={
            name: {"name": block.name, **block.arguments()}
            for name, block in plan.optimizers.items()
        },
        shared=plan.shared,
        balance_moves=architecture.balance.moves,
        auxiliary_losses=bool(plan.losses),
    )


def labels_of(schema: Schema, loss: Loss, labels: Array, negatives: float = 1.0) -> Labels:
    """Return the facts that a loss and a balance are built from, of the training rows' labels."""
    return Labels(
        parents=schema.parents,
        rates=class_shares(labels, () if loss.on_all_rows else schema.parents, negatives),
        deviations=label_deviations(labels, schema.regression),
        weights=tuple(task.weight for task in schema.tasks),
        negatives=negatives,
    )
