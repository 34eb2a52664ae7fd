"""Base class of losses per task, and gradients of the tasks' losses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TaskLoss(nn.Module):
    """``[rows, tasks]`` to ``[tasks]``: the mean over the rows that count of what ``of`` gives.

    A row counts for a task where its label is not NaN and, if the task has a parent, the parent's
    label is 1; a task without such rows is 0. A regression task, which has a deviation, has the
    squared error in units of its label's variance, whatever the loss of the others.

    With ``negatives`` below 1 the rows are those that down-sampling kept, the logits those of all.
    """

    parents: Tensor
    regression: Tensor
    scales: Tensor

    def __init__(
        self,
        parents: Sequence[int] = (),
        deviations: Sequence[float | None] = (),
        negatives: float = 1.0,
    ) -> None:
        super().__init__()
        self.negatives = negatives
        scales = [1.0 if d is None else d for d in deviations]
        self.register_buffer("parents", torch.tensor(parents, dtype=torch.long), persistent=False)
        self.register_buffer("scales", torch.tensor(scales), persistent=False)
        regression = torch.tensor([d is not None for d in deviations], dtype=torch.bool)
        self.register_buffer("regression", regression, persistent=False)

    def of(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of every row and task; the labels have no NaN."""
        raise NotImplementedError

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None) -> Tensor:
        counts = self.known(labels).to(labels.dtype)  # [rows, tasks]
        if weight is not None:
            counts = counts * weight.unsqueeze(1)
        logits, truth = logits.to(labels.dtype), labels.nan_to_num(0.0)
        if self.negatives < 1:
            logits, counts = self.among_kept(logits, counts, labels)
        losses = self.mixed(logits, truth) if len(self.scales) else self.of(logits, truth)
        total = counts.sum(dim=0)
        return (losses * counts).sum(dim=0) / total.where(total > 0, 1.0)

    def known(self, labels: Tensor) -> Tensor:
        """Return the mask of rows that count for each task."""
        known = ~labels.isnan()
        if len(self.parents):
            happened = labels[:, self.parents.clamp(min=0)] == 1
            known = known & (happened | (self.parents < 0))
        return known

    def among_kept(self, logits: Tensor, counts: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the first task's logits among the rows kept, and a row's weight for the others.

        A kept negative of the first task stands for ``1 / w`` rows, so the others' losses are
        those of all rows in expectation, and their logits need no correction.
        """
        first = logits[:, :1] - math.log(self.negatives)
        stands = torch.where(labels[:, :1] == 0, counts / self.negatives, counts)
        counts = torch.cat([counts[:, :1], stands[:, 1:]], dim=1)
        return torch.cat([first, logits[:, 1:]], dim=1), counts

    def mixed(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return squared errors for regression tasks, the loss itself for the others."""
        errors = (logits - labels) / self.scales.to(labels.dtype)
        binary = self.of(logits, labels.where(~self.regression, 0.0))
        return torch.where(self.regression, errors * errors, binary)


def task_gradients(losses: Tensor, layer: Sequence[Tensor]) -> Tensor:
    """Return each task's gradient with respect to a layer's parameters, ``[tasks, parameters]``.

    Of a table with sparse gradients, the rows that the losses read, the same for all tasks. The
    graph stays: what is minimised is still to be derived from the same losses.
    """
    found = [
        torch.autograd.grad(loss, layer, retain_graph=True, allow_unused=True) for loss in losses
    ]
    columns = []
    for gradients in zip(*found, strict=True):  # of one parameter, by task
        met = [g.coalesce().values() if g is not None and g.is_sparse else g for g in gradients]
        like = next((g for g in met if g is not None), None)
        if like is not None:
            rows = [torch.zeros_like(like) if g is None else g for g in met]
            columns.append(torch.stack(rows).flatten(1))
    return torch.cat(columns, dim=1) if columns else losses.new_zeros(len(losses), 1)
