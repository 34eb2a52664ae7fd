"""One step of training: forward, loss, backward, clip, update, decay."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from automlrank.data.values import Array
from automlrank.training.memory import keep_freed_memory
from automlrank.training.optimizers import Maker, make_optimizers, parameters_of, update
from automlrank.training.rates import learning_rate, set_rate
from automlrank.training.recipe import Recipe
from automlrank.training.rows import kept_in_epoch
from automlrank.training.tables import Tables


class Trainer:
    """A model, its losses and its optimizers, and the step that they make together.

    ``loss`` gives the loss of each task, ``balance`` makes one of them; ``labels`` are those
    of the training rows, ``[rows, tasks]``; ``makers`` are the classes of optimizers that single
    parameters have (see ``make_optimizers``).
    """

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        balance: nn.Module,
        recipe: Recipe,
        labels: Array,
        *,
        makers: Mapping[str, Maker],
        device: str,
    ) -> None:
        keep_freed_memory()
        self.model, self.recipe, self.labels = model, recipe, labels
        self.epoch_rows = len(kept_in_epoch(labels, recipe, seed=0))  # as many by any seed
        self.loss, self.balance = loss.to(device), balance.to(device)
        self.optimizers = make_optimizers(model, recipe, makers)
        if learned := list(self.balance.parameters()):
            self.optimizers[0].add_param_group({"params": learned, "weight_decay": 0.0})
        if recipe.shared:
            self.balance.watch([model.get_parameter(name) for name in recipe.shared])  # type: ignore[operator]
        self.weights = MeanWeights(recipe.balance_moves)
        self.clipped = parameters_of(self.optimizers[0])
        self.tables = Tables(model, recipe.decays, recipe.coupled_decays, self.optimizers[0])
        self.drops = 0
        """Epochs without a gain."""
        self.device = device
        self.bf16 = fast_bf16(device) if recipe.bf16 == "auto" else bool(recipe.bf16)

    def step(self, batch: Mapping[str, Tensor], done: float = 0.0) -> Tensor:
        """Learn from one batch; return its loss. Settle the tables before the model is read.

        ``done`` is the share of the rows of all epochs that was seen before. Optimizers of single
        parameters keep their own rate.
        """
        # the rate of this step
        rate = learning_rate(self.recipe, done, self.drops)
        set_rate(self.optimizers[0], rate)
        # forward, and one loss
        batch = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
        loss, rows = self.minimised(batch), len(batch["labels"])
        # backward, clip, update
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        with self.tables.lent():
            nn.utils.clip_grad_norm_(self.clipped, self.recipe.gradient_clip)
            update(self.optimizers, rows)
        # decay of tables
        slower = rate / self.recipe.learning_rate
        self.tables.decay(slower * rows / self.epoch_rows)
        return loss.detach()

    def minimised(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the tasks' losses, balanced, plus the model's auxiliary losses."""
        kind = torch.device(self.device).type
        auxiliary: list[Tensor] = []
        inputs = (batch, auxiliary) if self.recipe.auxiliary_losses else (batch,)
        with self.tables.look_ups(), torch.autocast(kind, torch.bfloat16, enabled=self.bf16):
            logits = self.model(*inputs)
        losses = self.loss(logits.float(), batch["labels"], batch.get("weight"))
        loss: Tensor = sum(auxiliary, start=self.balance(losses))
        self.weights.add(self.balance)
        return loss


class MeanWeights:
    """Mean over an epoch's steps of the weights that a balance gives the tasks."""

    def __init__(self, move: bool) -> None:
        self.move = move
        self.total: Tensor | float = 0.0
        self.steps = 0

    def add(self, balance: nn.Module) -> None:
        """Count the weights of a step, if they move."""
        if self.move:
            self.total = self.total + balance.weights  # type: ignore[operator]
            self.steps += 1

    def taken(self) -> list[float]:
        """Return a weight per task since the last call; none if they do not move."""
        total, steps = self.total, self.steps
        self.total, self.steps = 0.0, 0
        return (total / steps).tolist() if isinstance(total, Tensor) else []


def fast_bf16(device: str) -> bool:
    """Return True if the device multiplies bfloat16 faster than float32."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
