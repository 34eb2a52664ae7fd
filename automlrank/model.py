"""One ``nn.Module`` that runs a wiring plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from automlrank.architecture import Architecture
from automlrank.plan import Plan
from automlrank.schema import Schema
from automlrank.wiring import wire

Batch = Mapping[str, Tensor]


class RankingModel(nn.Module):
    """Runs a plan: a batch in, logits ``[batch, tasks]`` out."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        for name, made in plan.modules.items():
            self.add_module(name, made.cls(**made.arguments))

    def forward(self, batch: Batch) -> Tensor:
        values: dict[str, Any] = dict(batch)
        for step in self.plan.steps:
            call = getattr(self, step.call) if isinstance(step.call, str) else step.call
            values[step.output] = call(*(values[name] for name in step.inputs), *step.constants)
        logits: Tensor = values["logits"]
        return logits


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
