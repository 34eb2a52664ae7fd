"""One ``nn.Module`` that runs a wiring plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.architecture import Architecture
from automlrank.model.plan import Plan, Step, live_steps, loss_steps
from automlrank.model.wiring import wire
from automlrank.schema import Schema

Batch = Mapping[str, Tensor]


class RankingModel(nn.Module):
    """Runs a plan: a batch in, logits ``[batch, tasks]`` out.

    Auxiliary losses, numbers, are appended to ``losses`` where such a list is given.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.steps, self.loss_steps = live_steps(plan), loss_steps(plan)
        for name, made in plan.modules.items():
            self.add_module(name, made.cls(**made.arguments))

    def forward(self, batch: Batch, losses: list[Tensor] | None = None) -> Tensor:
        values: dict[str, Any] = dict(batch)
        self.run(self.steps, values)
        if losses is not None:
            self.run(self.loss_steps, values)
            losses.extend(values[name] for name in self.plan.losses)
        logits: Tensor = values["logits"]
        return logits

    def run(self, steps: Sequence[Step], values: dict[str, Any]) -> None:
        """Add what the steps give to the values by name."""
        for step in steps:
            call = attrgetter(step.call)(self) if isinstance(step.call, str) else step.call
            values[step.output] = call(*(values[name] for name in step.inputs), *step.constants)


def build_model(
    architecture: Architecture, schema: Schema, seed: int | None = None
) -> RankingModel:
    """A model with fresh weights: the same seed gives the same ones.

    Raises SpaceError where the schema lacks what a block needs, or the parts do not fit.
    """
    plan = wire(architecture, schema)
    if seed is None:
        return RankingModel(plan)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RankingModel(plan)
