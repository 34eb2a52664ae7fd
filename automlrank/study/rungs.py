"""Rungs: points of training at which a trial is compared with its peers on validation rows.

Rungs are counted in training rows seen: the batch size is searched, and click models often peak
within one epoch. The first rung lies inside the first epoch, the others at ends of epochs, where
the whole validation split has been scored anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

from automlrank.data.dataset import Dataset
from automlrank.data.values import Array
from automlrank.measurement.metrics import Metric
from automlrank.measurement.significance import auc_error, relative_error
from automlrank.training.course import REPORTS_PER_EPOCH
from automlrank.training.progress import Progress

SPACING = REPORTS_PER_EPOCH  # from one rung to the next, in training rows
ENDS = tuple(SPACING**k for k in range(6))  # epochs at whose end a rung lies
COST_SHARE = 0.05  # of the training up to a rung, that its scoring may cost
FORWARD = 0.65
"""Cost of scoring a row as a share of that of training on it. Measured on kuairand with one
thread and batches of 1,024 and 4,096: deepfm .43 to .58, dcn_v2 .55 to .64 with training in
bfloat16 (scoring is in float32); .28 to .34 with both in float32."""
TYPICAL_AUC = 0.7
MOST_ERROR = 0.03
"""Largest standard error of the AUC on a rung's sample; with a larger one the rung inside the epoch
is left out. Two models scored on the same rows differ with less error: .45 of it if they correlate
by .9. Of a regression task it is a share of the RMSE."""


@dataclass(frozen=True)
class Rungs:
    """Rungs of a search; the number of a rung is that of its training rows."""

    epoch_rows: int
    sample: Dataset | None
    """Data whose validation split scores the rung inside the first epoch; None: no such rung."""
    error: float
    """Standard error of the metric on the sample; NaN if the sample has a single class or value."""

    @classmethod
    def of(cls, data: Dataset, metric: Metric, seed: int) -> Rungs:
        """Return the rungs for the training rows of ``data``; equal seeds give the same sample."""
        grouped = metric.grouped
        rows = sample_rows(data.rows["train"])
        sample = data.part_of("valid", rows, seed, whole_groups=grouped)
        error = error_of(sample.labels("valid")[:, 0], data.schema.tasks[0].kind)
        return cls(data.rows["train"], sample if error <= MOST_ERROR else None, error)

    @property
    def first(self) -> int:
        return self.epoch_rows // SPACING if self.sample is not None else self.epoch_rows

    def due(self, before: int, progress: Progress, epochs: int) -> int | None:
        """Return the rung that training has reached since it had seen ``before`` rows, or None.

        The end of the last of ``epochs`` is not a rung: nothing is left to be saved. The end of an
        epoch counts by its number, as shuffled batches may leave out a last row; the first rung is
        a quarter of the trial's own epoch, which may leave out negatives.
        """
        if progress.scores is not None:
            ended = progress.epoch + 1
            return ended * self.epoch_rows if ended in ENDS and ended < epochs else None
        first = (progress.epoch_rows or self.epoch_rows) // SPACING
        passed = self.sample is not None and before < first <= progress.rows
        return self.first if passed else None


def error_of(labels: Array, kind: str) -> float:
    """Return the standard error of an AUC of .7 on these labels.

    Of a regression task, return that of the RMSE of a model that predicts the mean, as its share.
    """
    if kind == "regression":
        return relative_error(labels)
    return auc_error(TYPICAL_AUC, int((labels == 1).sum()), int((labels == 0).sum()))


def sample_rows(epoch_rows: int) -> int:
    """Return the number of validation rows of the rung inside an epoch: scoring keeps its share."""
    return int(COST_SHARE * (epoch_rows // SPACING) / FORWARD)
