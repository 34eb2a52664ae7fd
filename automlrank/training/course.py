"""The course of a training: epochs until the validation metric stops improving."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from automlrank.measurement.metrics import Metric
from automlrank.training.device_batches import DeviceBatches
from automlrank.training.optimizers import zero_shares
from automlrank.training.progress import Progress, Scores
from automlrank.training.rates import share_done
from automlrank.training.rows import kept_in_epoch
from automlrank.training.step import Trainer

STEPS_PER_REPORT = 20
REPORTS_PER_EPOCH = 4  # at least: a search compares trials after a quarter of the first


class DivergedError(ArithmeticError):
    """The loss of a training is not finite."""


@dataclass
class Course:
    """Finished epochs of a training, and the best of them."""

    ends: list[Progress] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    waited: int = 0
    """Epochs since the best one."""

    @property
    def rows(self) -> int:
        """Training rows seen, from all epochs."""
        return self.ends[-1].rows if self.ends else 0

    @property
    def best(self) -> Scores | None:
        return self.ends[-1].best if self.ends else None

    @property
    def seconds(self) -> float:
        return self.ends[-1].seconds if self.ends else 0.0


def train(
    trainer: Trainer,
    device_batches: DeviceBatches,
    judge: Callable[[], Scores],
    metric: Metric,
    seed: int,
    course: Course | None = None,
) -> Generator[Progress]:
    """Train until the validation metric stops improving; at the end the best weights are back.

    They are back too if it is stopped after an epoch. ``judge`` scores the model on the validation
    rows, ``metric`` compares its scores. Yields every 20 steps and past each quarter of an epoch,
    when the model may be scored, and at the end of an epoch, with scores. ``course`` holds the
    epochs behind, to which new ones are added. Raises DivergedError if the loss is not finite.
    """
    course, recipe = course or Course(), trainer.recipe
    began = time.perf_counter() - course.seconds
    try:
        for epoch in range(len(course.ends), recipe.epochs):
            if course.waited == recipe.patience:
                break
            last = yield from train_epoch(trainer, device_batches, seed, epoch, course.rows, began)
            scores = judge()
            count(course, scores, metric, trainer)
            end = replace(
                last,
                seconds=time.perf_counter() - began,
                scores=scores,
                best=scores if course.waited == 0 else course.best,
                zero_shares=zero_shares(recipe, trainer.optimizers),
                weights=dict(zip(scores, trainer.weights.taken(), strict=False)),
            )
            course.ends.append(end)
            yield end
    finally:  # whoever stops it after an epoch has the best one, too
        if course.best_weights:
            trainer.model.load_state_dict(course.best_weights)


def train_epoch(
    trainer: Trainer, device_batches: DeviceBatches, seed: int, epoch: int, rows: int, began: float
) -> Generator[Progress, None, Progress]:
    """Train on the rows of one epoch; ``rows`` were seen before. Returns its last progress."""
    recipe, tables = trainer.recipe, trainer.tables
    order = epoch_seed(seed, epoch)
    kept = kept_in_epoch(trainer.labels, recipe, order)
    part = rows * REPORTS_PER_EPOCH // trainer.epoch_rows
    trainer.model.train()
    with closing(device_batches.batches(recipe.batch_size, seed=order, kept=kept)) as batches:
        for i, batch in enumerate(batches):
            done = share_done(epoch, i, recipe.batch_size, len(kept), recipe.epochs)
            loss = trainer.step(batch, done)
            rows += len(batch["labels"])
            before, part = part, rows * REPORTS_PER_EPOCH // trainer.epoch_rows
            if part > before:
                tables.settle()  # the model may be scored here
            if i % STEPS_PER_REPORT == 0 or part > before:
                value, seconds = check_loss(loss, rows), time.perf_counter() - began
                yield Progress(epoch, rows, value, seconds, epoch_rows=len(kept))
    value = check_loss(loss, rows)
    tables.settle()
    return Progress(epoch, rows, value, time.perf_counter() - began, epoch_rows=len(kept))


def count(course: Course, scores: Scores, metric: Metric, trainer: Trainer) -> None:
    """Keep the weights of a best epoch; count any other as an epoch without a gain."""
    best = None if course.best is None else metric.overall(course.best)
    if best is None or metric.better(metric.overall(scores), best):
        course.best_weights, course.waited = copy.deepcopy(trainer.model.state_dict()), 0
    else:
        course.waited += 1
        trainer.drops += 1


def check_loss(loss: Tensor, rows: int) -> float:
    """Return the loss as a number; raise DivergedError if it is not finite."""
    value = loss.item()
    if not math.isfinite(value):
        raise DivergedError(f"the loss is {value} after {rows} rows")
    return value


def epoch_seed(seed: int, epoch: int) -> int:
    """Return the seed of one epoch's order of rows."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
