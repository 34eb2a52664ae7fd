"""One step of training: forward, loss, backward, clip, update, decay."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from automlrank.architecture import Architecture
from automlrank.blocks.optimizer.ftrl import FtrlProximal
from automlrank.blocks.parts.logits import Rescale
from automlrank.data.values import Array
from automlrank.model.network import RankingModel
from automlrank.schema import Schema
from automlrank.training.label_stats import label_means, labels_of
from automlrank.training.memory import keep_freed_memory
from automlrank.training.negatives import kept_rows
from automlrank.training.optimizers import (
    learning_rate,
    make_optimizers,
    parameters_of,
    set_rate,
    update,
)
from automlrank.training.tables import Tables


class Trainer:
    """One step: forward, loss, backward, clip, update, decay.

    ``labels`` are those of the training rows, ``[rows, tasks]``.
    """

    def __init__(
        self,
        model: RankingModel,
        architecture: Architecture,
        schema: Schema,
        labels: Array,
        device: str,
    ) -> None:
        keep_freed_memory()
        self.model = model
        self.settings = architecture.training
        negatives = self.settings.negatives
        known = labels_of(schema, architecture.loss, labels, negatives)
        self.loss = architecture.loss.build(known).to(device)
        for module in model.modules():
            if isinstance(module, Rescale):
                module.fit(label_means(labels), known.deviations)
        self.balance = architecture.balance.build(known).to(device)
        self.optimizers = make_optimizers(model, model.plan, self.settings)
        if learned := list(self.balance.parameters()):
            self.optimizers[0].add_param_group({"params": learned, "weight_decay": 0.0})
        if architecture.balance.reads_gradients:
            self.balance.watch([model.get_parameter(name) for name in model.plan.shared])
        self.weights = Weights(architecture.balance.moves)
        self.clipped = parameters_of(self.optimizers[0])
        plan = model.plan
        self.tables = Tables(model, plan.decays, plan.coupled_decays, self.optimizers[0])
        self.epoch_rows = len(kept_rows(labels, negatives, seed=0))  # as many by any seed
        self.drops = 0
        """Epochs that ended without a gain."""
        self.device = device
        self.bf16 = self.settings.bf16 is True or (
            self.settings.bf16 == "auto" and fast_bf16(device)
        )

    def step(self, batch: Mapping[str, Tensor], done: float = 0.0) -> Tensor:
        """Learn from one batch; gives its loss. Before the model is read, settle its tables.

        ``done`` is the share of the rows of all epochs that was seen before. FTRL keeps its rate:
        its weights are made of it and of all gradients so far.
        """
        rate = learning_rate(self.settings, done, self.drops)
        set_rate(self.optimizers[0], rate)
        batch = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
        kind = torch.device(self.device).type
        auxiliary: list[Tensor] = []
        with self.tables.look_ups(), torch.autocast(kind, torch.bfloat16, enabled=self.bf16):
            logits = self.model(batch, auxiliary)
        losses = self.loss(logits.float(), batch["labels"], batch.get("weight"))
        loss: Tensor = sum(auxiliary, start=self.balance(losses))
        self.weights.add(self.balance.weights)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        with self.tables.lent():
            nn.utils.clip_grad_norm_(self.clipped, self.settings.gradient_clip)
            update(self.optimizers, len(logits))
        slower = rate / self.settings.learning_rate
        self.tables.decay(slower * len(logits) / self.epoch_rows)
        return loss.detach()

    def zero_shares(self) -> dict[str, float]:
        """By the name of each parameter that FTRL trains, the share of exact zeros among met."""
        own = zip(self.model.plan.optimizers, self.optimizers[1:], strict=True)
        return {name: ftrl.zero_share() for name, ftrl in own if isinstance(ftrl, FtrlProximal)}


class Weights:
    """The mean of the balance's weights over an epoch's steps, where they move."""

    def __init__(self, move: bool) -> None:
        self.move = move
        self.total: Tensor | float = 0.0
        self.steps = 0

    def add(self, weights: Tensor) -> None:
        """Count those of a step."""
        if self.move:
            self.total = self.total + weights
            self.steps += 1

    def taken(self) -> list[float]:
        """A weight per task since the last call; none where they do not move."""
        total, steps = self.total, self.steps
        self.total, self.steps = 0.0, 0
        return (total / steps).tolist() if isinstance(total, Tensor) else []


def fast_bf16(device: str) -> bool:
    """Whether the device multiplies bfloat16 faster than float32."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
