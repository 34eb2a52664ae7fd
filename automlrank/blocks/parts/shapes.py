"""Reshapes, joins and sums of tensors whose request side may have one row."""

from __future__ import annotations

import torch
from torch import Tensor


def flatten(x: Tensor) -> Tensor:
    """``[batch, n, dim]`` to ``[batch, n * dim]``."""
    return x.flatten(1)


def join(*parts: Tensor) -> Tensor:
    """Concatenate along axis 1; a part of batch 1 (the request's) is repeated for every row."""
    rows = max(part.shape[0] for part in parts)
    return torch.cat([part.expand(rows, *part.shape[1:]) for part in parts], dim=1)


def add(*parts: Tensor) -> Tensor:
    """Sum; a part of batch 1 counts for every row."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def expand_as_rows(x: Tensor, rows: Tensor) -> Tensor:
    """Repeat a request's single row for each row of ``rows``."""
    return x.expand(rows.shape[0], *x.shape[1:])


def as_fields(x: Tensor, dim: int) -> Tensor:
    """``[batch, k * dim]`` to ``[batch, k, dim]``."""
    return x.reshape(x.shape[0], -1, dim)


def task_of(x: Tensor, task: int) -> Tensor:
    """One task's vector out of ``[batch, tasks, dim]``."""
    return x[:, task]
