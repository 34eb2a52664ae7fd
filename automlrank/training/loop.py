"""The training loop: it yields progress and draws nothing; who listens may stop it at any step."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from automlrank.architecture import Architecture
from automlrank.blocks.training import Training
from automlrank.data.dataset import Dataset
from automlrank.data.values import Array
from automlrank.errors import TrialError
from automlrank.measurement.fusion import fused, judged
from automlrank.measurement.host_lock import paced, working
from automlrank.measurement.metrics import AUC, Metric, evaluate, metric_of
from automlrank.model.network import RankingModel
from automlrank.training.checkpoint import Checkpoint, restore_state, training_state
from automlrank.training.device_batches import DeviceBatches, ahead
from automlrank.training.negatives import kept_rows
from automlrank.training.optimizers import share_done
from automlrank.training.progress import Progress, Scores
from automlrank.training.scenarios import scenario_weights
from automlrank.training.trainer import Trainer
from automlrank.training.trees.distillation import soft_labels

EVALUATION_ROWS = 8192  # rows a forward without gradients: larger ones leave the cache
STEPS_PER_REPORT = 20
REPORTS_PER_EPOCH = 4  # at least: a search compares trials after a quarter of the first


@dataclass
class Course:
    """How far a training has come: whole epochs, their ends, and the best of them."""

    ends: list[Progress] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    waited: int = 0
    """Epochs since the best one."""

    @property
    def rows(self) -> int:
        return self.ends[-1].rows if self.ends else 0

    @property
    def best(self) -> Scores | None:
        return self.ends[-1].best if self.ends else None

    @property
    def seconds(self) -> float:
        return self.ends[-1].seconds if self.ends else 0.0

    def save(self, checkpoint: Checkpoint, trainer: Trainer) -> None:
        facts = {
            "ends": [dataclasses.asdict(end) for end in self.ends],
            "waited": self.waited,
            "drops": trainer.drops,
        }
        models = {"model": trainer.model, "balance": trainer.balance}
        checkpoint.save(training_state(models, self.best_weights, trainer.optimizers), facts)

    @classmethod
    def load(cls, checkpoint: Checkpoint, trainer: Trainer) -> Course:
        """What a checkpoint holds, with the trainer as it was then; the start if there is none."""
        found = checkpoint.load()
        if found is None:
            return cls()
        tensors, facts = found
        models = {"model": trainer.model, "balance": trainer.balance}
        best = restore_state(tensors, models, trainer.optimizers)
        trainer.drops = facts["drops"]
        ends = [Progress(**end) for end in facts["ends"]]
        return cls(ends, best, facts["waited"])


def fit(
    model: RankingModel,
    architecture: Architecture,
    data: Dataset,
    *,
    seed: int,
    metric: Metric = AUC,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    said: Array | None = None,
) -> Generator[Progress]:
    """Train until the validation metric stands still; at the end the best weights are back.

    The learning rate drops by ``plateau`` after each epoch without a gain, or falls linearly to 0
    over all epochs (``schedule``); ``patience`` epochs without a gain end the training. It yields
    every 20 steps and past each quarter of an epoch, and at the end of an epoch, with scores; at
    quarters and ends the model may be scored. From a checkpoint, which needs the same seed, it
    first yields the ends of the epochs that it holds. ``said`` is what ``taught`` gives, where that
    is at hand. Raises TrialError where the loss is not finite.
    """
    settings = architecture.training
    torch.manual_seed(seed)  # dropout's
    model.to(device)
    labels = data.labels("train")
    trainer = Trainer(model, architecture, data.schema, labels, device)
    teaching = soft_labels(data, settings.distillation, said)
    feed = DeviceBatches(data, "train", device, row_weights(data, settings), teaching)
    course = Course.load(checkpoint, trainer) if checkpoint else Course()
    yield from course.ends
    began = time.perf_counter() - course.seconds
    for epoch in range(len(course.ends), settings.epochs):
        if course.waited == settings.patience:
            break
        rows = course.rows
        part = rows * REPORTS_PER_EPOCH // trainer.epoch_rows
        model.train()
        order = epoch_seed(seed, epoch)
        kept = kept_rows(labels, settings.negatives, order)
        with working() as pace:
            batches = feed.batches(settings.batch_size, seed=order, kept=kept)
            for i, batch in enumerate(pace.steps(batches)):
                done = share_done(epoch, i, settings.batch_size, len(kept), settings.epochs)
                loss = trainer.step(batch, done)
                rows += len(batch["labels"])
                before, part = part, rows * REPORTS_PER_EPOCH // trainer.epoch_rows
                if part > before:
                    trainer.tables.settle()  # the model may be scored here
                if i % STEPS_PER_REPORT == 0 or part > before:
                    value, seconds = check_loss(loss, rows), time.perf_counter() - began
                    with pace.outside():
                        yield Progress(epoch, rows, value, seconds, epoch_rows=len(kept))
        check_loss(loss, rows)
        trainer.tables.settle()
        scores = score(model, data, "valid", metric, device)
        _count(course, scores, metric, trainer)
        best = scores if course.waited == 0 else course.best
        seconds, zeros = time.perf_counter() - began, trainer.zero_shares()
        weights = dict(zip(scores, trainer.weights.taken(), strict=False))
        course.ends.append(
            Progress(epoch, rows, loss.item(), seconds, scores, best, zeros, weights, len(kept))
        )
        if checkpoint and checkpoint.is_due:
            course.save(checkpoint, trainer)
        yield course.ends[-1]
    if course.best_weights:
        model.load_state_dict(course.best_weights)


def row_weights(data: Dataset, settings: Training) -> Array | None:
    """What each training row counts beside the schema's weight; None where all count the same."""
    if settings.scenarios == "rows":
        return None
    ids = data.scenarios("train")
    assert ids is not None  # wiring would have refused
    return scenario_weights(ids)


def _count(course: Course, scores: Scores, metric: Metric, trainer: Trainer) -> None:
    """A best epoch's weights are kept; any other is one without a gain."""
    best = None if course.best is None else metric.overall(course.best)
    if best is None or metric.better(metric.overall(scores), best):
        course.best_weights, course.waited = copy.deepcopy(trainer.model.state_dict()), 0
    else:
        course.waited += 1
        trainer.drops += 1


def predict(
    model: nn.Module, data: Dataset, split: str, device: str = "cpu"
) -> npt.NDArray[np.float32]:
    """Logits ``[rows, tasks]`` of a split, in its order."""
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        parts = [
            model(batch).float()
            for batch in paced(ahead(data.batches(split, EVALUATION_ROWS), device))
        ]
    model.train(was_training)
    logits: npt.NDArray[np.float32] = torch.cat(parts).cpu().numpy()
    return logits


def score(
    model: nn.Module, data: Dataset, split: str, metric: Metric, device: str = "cpu"
) -> dict[str, float]:
    """The metric of each task on a split."""
    return score_logits(predict(model, data, split, device), data, split, metric)


def score_logits(
    logits: npt.NDArray[np.float32], data: Dataset, split: str, metric: Metric
) -> dict[str, float]:
    """The metric of each task from its logits, or the usual one of its kind (``metric_of``).

    A fused metric, under its name, comes behind them.
    """
    labels, groups = data.labels(split), data.groups(split)
    scores = {
        task.name: evaluate(metric_of(metric, task.kind), labels[:, i], logits[:, i], groups)
        for i, task in enumerate(data.schema.tasks)
    }
    if metric.fused:
        judge, exponents = partial(evaluate, metric, groups=groups), data.schema.exponents
        scores[metric.name] = judged(judge, labels, fused(logits, exponents), exponents)
    return scores


def check_loss(loss: Tensor, rows: int) -> float:
    """The loss as a number; raises TrialError where it is not finite."""
    value = loss.item()
    if not np.isfinite(value):
        raise TrialError(f"the loss is {value} after {rows} rows")
    return value


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed of one epoch's order of rows."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
