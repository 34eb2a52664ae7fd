"""Batches on the training device, copied ahead of their use."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from automlrank.data.batches import Rows
from automlrank.data.values import Array

RESIDENT_SHARE = 0.5  # of a device's free memory that the encoded rows may take
LISTS = ("multi", "history", "age", "session")  # kinds of keys whose values are padded lists

Batch = dict[str, Tensor]


class EncodedRows(Protocol):
    """Encoded rows by split."""

    @property
    def rows(self) -> Mapping[str, int]:
        """The number of rows of each split."""

    def orders(
        self, split: str, batch_size: int, *, seed: int | None = None, kept: Rows | None = None
    ) -> Iterator[Rows]:
        """The rows of each batch (see ``orders``), of those ``kept`` only."""

    def take(self, split: str, rows: Rows) -> Batch:
        """The batch of the given rows."""


class DeviceBatches:
    """The batches of a split, on a device.

    On a GPU the encoded rows lie there as a whole if they fit and have no lists, whose padding
    would be that of the longest; else batches are pinned and copied one ahead. ``weights``
    ``[rows]`` multiply the rows' own; ``labels`` ``[rows, tasks]`` replace the rows' own.
    """

    def __init__(
        self,
        data: EncodedRows,
        split: str,
        device: str,
        weights: Array | None = None,
        labels: Array | None = None,
    ) -> None:
        self.data = data
        self.split = split
        self.device = device
        self.weights = weights
        self.labels = labels
        self.resident = resident_rows(data, split, device) if device.startswith("cuda") else None
        if self.resident is not None:
            self.resident = self.with_own(self.resident, np.arange(data.rows[split]))

    def batches(
        self, batch_size: int, *, seed: int | None = None, kept: Rows | None = None
    ) -> Generator[Batch]:
        """Yield all rows once, or those ``kept``: in order or, with a seed, shuffled."""
        orders = self.data.orders(self.split, batch_size, seed=seed, kept=kept)
        if self.resident is None:
            yield from ahead(map(self.taken, orders), self.device)
        else:
            yield from self.gathered(self.resident, orders)

    def taken(self, rows: Rows) -> Batch:
        """Return the batch of the given rows with these labels and weights."""
        return self.with_own(self.data.take(self.split, rows), rows)

    def with_own(self, batch: Batch, rows: Rows) -> Batch:
        """Put these labels and weights of the given rows into their batch."""
        if self.labels is not None:
            labels = torch.from_numpy(self.labels[rows]).to(batch["labels"].device)
            batch = batch | {"labels": labels}
        return weighted(batch, self.weights, rows)

    def gathered(self, rows: Batch, orders: Iterable[Rows]) -> Iterator[Batch]:
        """Yield each batch from rows on the device: only their numbers are copied."""
        for order in orders:
            places = torch.from_numpy(order).to(self.device, non_blocking=True)
            yield {key: tensor.index_select(0, places) for key, tensor in rows.items()}


def resident_rows(data: EncodedRows, split: str, device: str) -> Batch | None:
    """Return all rows of a split on the device; None if it has lists or they would not fit."""
    n = data.rows[split]
    if n == 0:
        return None
    one = data.take(split, np.zeros(1, np.int64))
    if any(key.partition(":")[0] in LISTS for key in one):
        return None
    needed = n * sum(tensor.nbytes for tensor in one.values())
    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(device)
        if needed > RESIDENT_SHARE * free:
            return None
    return {key: t.to(device) for key, t in data.take(split, np.arange(n)).items()}


def weighted(batch: Batch, weights: Array | None, rows: Rows) -> Batch:
    """Multiply the weights of a batch's rows by ``weights`` of all rows."""
    if weights is None:
        return batch
    times = torch.from_numpy(weights[rows]).to(batch["labels"].device)
    return batch | {"weight": batch["weight"] * times if "weight" in batch else times}


def ahead(batches: Iterable[Batch], device: str) -> Iterator[Batch]:
    """Yield batches on the device; to a GPU each is copied while the one before is worked on."""
    if not device.startswith("cuda"):
        yield from batches
        return
    waiting: Batch | None = None
    for batch in batches:
        pinned = {key: tensor.pin_memory() for key, tensor in batch.items()}
        moved = {key: tensor.to(device, non_blocking=True) for key, tensor in pinned.items()}
        if waiting is not None:
            yield waiting
        waiting = moved
    if waiting is not None:
        yield waiting
