"""The training loop: it yields progress and can be stopped at any step."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, closing, nullcontext

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from automlrank.architecture import Architecture
from automlrank.data.batches import Rows
from automlrank.data.dataset import Dataset
from automlrank.data.values import Array
from automlrank.errors import TrialError
from automlrank.measurement.host_lock import Pace, paced, working
from automlrank.measurement.metrics import AUC, Metric
from automlrank.model.network import RankingModel
from automlrank.training.checkpoint import Checkpoint, load_course, save_course
from automlrank.training.course import Course, DivergedError, train
from automlrank.training.device_batches import Batch, DeviceBatches, ahead
from automlrank.training.progress import Progress
from automlrank.training.rows import row_weights
from automlrank.training.scoring import EVALUATION_ROWS, logits_of, task_scores
from automlrank.training.trainer import make_trainer
from automlrank.training.trees.distillation import soft_labels


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
    """Train until the validation metric stops improving; at the end the best weights are back.

    Yields as ``train`` does. From a checkpoint, which needs the same seed, it first yields the ends
    of the epochs that it holds. ``said`` is what ``taught`` returns, if that is at hand. Raises
    TrialError if the loss is not finite.
    """
    torch.manual_seed(seed)  # dropout's
    model.to(device)
    labels = data.labels("train")
    trainer = make_trainer(model, architecture, data.schema, labels, device)
    teaching = soft_labels(data, trainer.recipe.distillation, said)
    weights = row_weights(data.scenarios("train"), trainer.recipe)
    device_batches = PacedBatches(data, "train", device, weights, teaching)
    course = load_course(checkpoint, trainer) if checkpoint else Course()
    yield from course.ends
    try:
        with closing(
            train(
                trainer,
                device_batches,
                lambda: score(model, data, "valid", metric, device),
                metric,
                seed,
                course,
            )
        ) as steps:
            for progress in steps:
                if checkpoint and checkpoint.is_due and progress.scores is not None:
                    save_course(checkpoint, course, trainer)
                with device_batches.outside():
                    yield progress
    except DivergedError as error:
        raise TrialError(str(error)) from None


class PacedBatches(DeviceBatches):
    """Batches that wait while another process on the host measures a latency."""

    pace: Pace | None = None

    def batches(
        self, batch_size: int, *, seed: int | None = None, kept: Rows | None = None
    ) -> Generator[Batch]:
        with working() as self.pace:
            yield from self.pace.steps(super().batches(batch_size, seed=seed, kept=kept))
        self.pace = None

    def outside(self) -> AbstractContextManager[None]:
        """Leave the room of those at work: for as long as others look at the progress."""
        return self.pace.outside() if self.pace else nullcontext()


def predict(
    model: nn.Module, data: Dataset, split: str, device: str = "cpu"
) -> npt.NDArray[np.float32]:
    """Return the logits ``[rows, tasks]`` of a split, in its order."""
    return logits_of(model, paced(ahead(data.batches(split, EVALUATION_ROWS), device)))


def score(
    model: nn.Module, data: Dataset, split: str, metric: Metric, device: str = "cpu"
) -> dict[str, float]:
    """Return the metric of each task on a split."""
    return score_logits(predict(model, data, split, device), data, split, metric)


def score_logits(
    logits: npt.NDArray[np.float32], data: Dataset, split: str, metric: Metric
) -> dict[str, float]:
    """Return the metric of each task from its logits (see ``task_scores``)."""
    return task_scores(
        logits,
        data.labels(split),
        data.groups(split),
        tasks={task.name: task.kind for task in data.schema.tasks},
        metric=metric,
        exponents=data.schema.exponents,
    )
