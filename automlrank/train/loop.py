"""The training loop: it yields progress and draws nothing; who listens may stop it at any step."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from automlrank.architecture import Architecture
from automlrank.blocks.optimizer.ftrl import FtrlProximal
from automlrank.data.dataset import Dataset
from automlrank.errors import TrialError
from automlrank.evaluate.metrics import METRICS, evaluate
from automlrank.evaluate.quiet import paced
from automlrank.model import RankingModel
from automlrank.train.optimizers import decay, make_optimizers, parameters_of, update

EVALUATION_ROWS = 8192  # rows a forward without gradients: larger ones leave the cache
STEPS_PER_REPORT = 20
Scores = Mapping[str, float]


@dataclass(frozen=True)
class Progress:
    """Where training stands; ``scores`` (metric by task) only at the end of an epoch."""

    epoch: int
    rows: int
    """Training rows seen, from all epochs."""
    loss: float
    seconds: float
    scores: Scores | None = None
    best: Scores | None = None
    zero_shares: Scores | None = None
    """With ``scores``: by parameter, the share of FTRL's weights met so far that are zero."""


def fit(
    model: RankingModel,
    architecture: Architecture,
    data: Dataset,
    *,
    seed: int,
    metric: str = "auc",
    device: str = "cpu",
) -> Iterator[Progress]:
    """Train until the validation metric stands still; at the end the best weights are back.

    The learning rate drops by ``plateau`` after each epoch without a gain, and ``patience`` of
    them end the training. Raises TrialError where the loss is not finite.
    """
    settings = architecture.training
    torch.manual_seed(seed)  # dropout's
    model.to(device)
    trainer = Trainer(model, architecture, data.rows["train"], device)
    direction = METRICS[metric]
    task = data.schema.tasks[0].name
    best, best_weights, waited, rows = None, None, 0, 0
    began = time.perf_counter()
    for epoch in range(settings.epochs):
        model.train()
        for i, batch in enumerate(
            paced(data.batches("train", settings.batch_size, seed=epoch_seed(seed, epoch)))
        ):
            loss = trainer.step(batch)
            rows += len(batch["labels"])
            if i % STEPS_PER_REPORT == 0:
                yield Progress(epoch, rows, check_loss(loss, rows), time.perf_counter() - began)
        check_loss(loss, rows)
        scores = score(model, data, "valid", metric, device)
        if best is None or direction.better(scores[task], best[task]):
            best, best_weights, waited = scores, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
            trainer.drop_learning_rate(settings.plateau)
        seconds, zeros = time.perf_counter() - began, trainer.zero_shares()
        yield Progress(epoch, rows, loss.item(), seconds, scores, best, zeros)
        if waited == settings.patience:
            break
    if best_weights is not None:
        model.load_state_dict(best_weights)


class Trainer:
    """One step: forward, loss, backward, clip, update, decay."""

    def __init__(
        self, model: RankingModel, architecture: Architecture, epoch_rows: int, device: str
    ) -> None:
        self.model = model
        self.settings = architecture.training
        self.loss = architecture.loss.build()
        self.balance = architecture.balance.build()
        self.optimizers = make_optimizers(model, model.plan, self.settings)
        self.clipped = parameters_of(self.optimizers[0])
        self.epoch_rows = epoch_rows
        self.device = device
        self.bf16 = self.settings.bf16 is True or (
            self.settings.bf16 == "auto" and fast_bf16(device)
        )

    def step(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Learn from one batch; gives its loss."""
        batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(batch)
        losses = self.loss(logits.float(), batch["labels"], batch.get("weight"))
        loss: Tensor = self.balance(losses)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.clipped, self.settings.gradient_clip)
        update(self.optimizers, len(logits))
        rate = self.optimizers[0].param_groups[0]["lr"] / self.settings.learning_rate
        decay(self.model, self.model.plan.decays, rate * len(logits) / self.epoch_rows)
        return loss.detach()

    def drop_learning_rate(self, factor: float) -> None:
        """FTRL keeps its own: its weights are made of it and of all gradients so far."""
        for group in self.optimizers[0].param_groups:
            group["lr"] *= factor

    def zero_shares(self) -> dict[str, float]:
        """By the name of each parameter that FTRL trains, the share of exact zeros among met."""
        own = zip(self.model.plan.optimizers, self.optimizers[1:], strict=True)
        return {name: ftrl.zero_share() for name, ftrl in own if isinstance(ftrl, FtrlProximal)}


def predict(
    model: nn.Module, data: Dataset, split: str, device: str = "cpu"
) -> npt.NDArray[np.float32]:
    """Logits ``[rows, tasks]`` of a split, in its order."""
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        parts = [
            model({name: tensor.to(device) for name, tensor in batch.items()}).float().cpu()
            for batch in paced(data.batches(split, EVALUATION_ROWS))
        ]
    model.train(was_training)
    logits: npt.NDArray[np.float32] = torch.cat(parts).numpy()
    return logits


def score(
    model: nn.Module, data: Dataset, split: str, metric: str, device: str = "cpu"
) -> dict[str, float]:
    """The metric of each task on a split."""
    return score_logits(predict(model, data, split, device), data, split, metric)


def score_logits(
    logits: npt.NDArray[np.float32], data: Dataset, split: str, metric: str
) -> dict[str, float]:
    """The metric of each task from its logits."""
    labels, groups = data.labels(split), data.groups(split)
    return {
        task.name: evaluate(metric, labels[:, i], logits[:, i], groups)
        for i, task in enumerate(data.schema.tasks)
    }


def check_loss(loss: Tensor, rows: int) -> float:
    """The loss as a number; raises TrialError where it is not finite."""
    value = loss.item()
    if not np.isfinite(value):
        raise TrialError(f"the loss is {value} after {rows} rows")
    return value


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed of one epoch's order of rows."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


def fast_bf16(device: str) -> bool:
    """Whether the device multiplies bfloat16 faster than float32."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
