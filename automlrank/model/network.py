"""The network of a plan: a torch module that runs its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.architecture import Architecture
from automlrank.model.plan import Plan, Step
from automlrank.model.wiring import wire
from automlrank.schema import Schema

Batch = Mapping[str, Tensor]


class RankingModel(nn.Module):
    """Network that runs a plan: a batch in, logits ``[batch, tasks]`` out."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        for name, spec in plan.modules.items():
            self.add_module(name, spec.build())

    def forward(self, batch: Batch, losses: list[Tensor] | None = None) -> Tensor:
        """Return the logits; append the auxiliary losses to ``losses``, if given."""
        values: dict[str, Any] = dict(batch)
        self.run(self.plan.live_steps, values)
        if losses is not None:
            self.run(self.plan.loss_steps, values)
            losses.extend(values[name] for name in self.plan.losses)
        logits: Tensor = values["logits"]
        return logits

    def run(self, steps: Sequence[Step], values: dict[str, Any]) -> None:
        """Add the outputs of the steps to the values by name."""
        for step in steps:
            call = attrgetter(step.call)(self) if isinstance(step.call, str) else step.call
            values[step.output] = call(*(values[name] for name in step.inputs), *step.constants)


def build(plan: Plan, seed: int | None = None) -> RankingModel:
    """Return a model with fresh weights: the same seed gives the same ones."""
    if seed is None:
        return RankingModel(plan)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RankingModel(plan)


def build_model(
    architecture: Architecture, schema: Schema, seed: int | None = None
) -> RankingModel:
    """Return the model of an architecture for a fitted schema; the same seed, the same weights.

    Raises SpaceError if the schema lacks what a block needs, or the parts do not fit.
    """
    return build(wire(architecture, schema), seed)
