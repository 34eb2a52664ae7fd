"""A table's encoded rows, split into train, valid and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import Tensor

from automlrank.codegen.script.reading import (
    TableError,
    complete_column,
    of_table,
    read_split,
    with_column,
)
from automlrank.data.batches import Rows, gather, orders
from automlrank.data.labels import not_happened, read_group
from automlrank.data.transform import Encoder
from automlrank.data.unknown import UNKNOWN_SHARE, unknown_values
from automlrank.data.values import Array, Ragged, as_numbers
from automlrank.schema.columns import Split


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """Columns of a table that are not features, and how its rows are split."""

    tasks: Mapping[str, str]
    """The kind of each task, binary or regression, by its label's column."""
    parents: tuple[int, ...]
    """For each task the place of the one that must have happened first; -1 for none."""
    split: Split
    weight: str | None = None
    group: str | None = None
    """The column whose values make the groups of a GAUC."""
    scenario: str | None = None
    exponents: tuple[float, ...] = ()
    """The tasks' exponents in the fused score."""

    @property
    def regression(self) -> tuple[int, ...]:
        """The places of the regression tasks."""
        return tuple(i for i, kind in enumerate(self.tasks.values()) if kind == "regression")


@dataclass(frozen=True, eq=False)
class EncodedTable:
    """Arrays of all rows by their keys in a batch, and the rows of each split."""

    arrays: Mapping[str, Array | Ragged]
    places: Mapping[str, Rows]
    group: Array | None = None
    scenario: Array | None = None
    unknown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sentences on columns with many unknown values, by split."""

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows of each split."""
        return {split: len(places) for split, places in self.places.items()}

    def orders(
        self, split: str, batch_size: int, *, seed: int | None = None, kept: Rows | None = None
    ) -> Iterator[Rows]:
        """Return the rows of each batch; ``kept`` are the only ones, if given."""
        rows = np.arange(self.rows[split]) if kept is None else kept
        return orders(rows, batch_size, seed)

    def take(self, split: str, rows: Rows) -> dict[str, Tensor]:
        """Return the batch of the given rows of a split."""
        places = self.places[split][rows]
        return {key: torch.from_numpy(gather(a, places)) for key, a in self.arrays.items()}

    def batches(
        self, split: str, batch_size: int, *, seed: int | None = None
    ) -> Iterator[dict[str, Tensor]]:
        """Yield all rows of a split: in order or, with a seed, shuffled."""
        for rows in self.orders(split, batch_size, seed=seed):
            yield self.take(split, rows)

    def labels(self, split: str) -> Array:
        """Return the labels of a split, ``[rows, tasks]``; null is NaN."""
        return self.of(self.arrays["labels"], split)

    def weights(self, split: str) -> Array | None:
        """Return the weights of a split's rows; None if the table has none."""
        return self.of(self.arrays["weight"], split) if "weight" in self.arrays else None

    def groups(self, split: str) -> Array | None:
        """Return the groups of a split's rows; None if no metric asks for them."""
        return None if self.group is None else self.of(self.group, split)

    def scenarios(self, split: str) -> Array | None:
        """Return the ids of the scenarios of a split's rows; None without scenarios."""
        return None if self.scenario is None else self.of(self.scenario, split)

    def of(self, array: Array | Ragged, split: str) -> Array:
        """Return the values of a split's rows."""
        return gather(array, self.places[split])


def load_table(
    path: Path, settings: TableSettings, encoder: Encoder, max_unknown: float = UNKNOWN_SHARE
) -> EncodedTable:
    """Read, split and encode a table; raise TableError with the row of a value that has no code."""
    frame, places, origin = read_split(path, settings.split, encoder.forms)
    group = None
    with of_table(origin):
        arrays = {**encoder.encode(frame), **outcomes(frame, settings)}
        if settings.group:
            group = read_group(with_column(frame, settings.group), settings.group)
    unknown = {}
    for split, rows in places.items():
        part = {key: gather(array, rows) for key, array in arrays.items()}
        unknown[split] = unknown_values(encoder, frame[rows], part, max_unknown)
    with of_table(origin):
        hide_own_labels(frame, arrays, places["train"], encoder)
    ids = encoder.ids_in(arrays)
    if settings.scenario and settings.scenario not in ids:
        raise TableError(f"the encoder has no ids of the scenario {settings.scenario!r}.")
    scenario = ids[settings.scenario] if settings.scenario else None
    return EncodedTable(arrays, places, group, scenario, unknown)


def outcomes(frame: pl.DataFrame, settings: TableSettings) -> dict[str, Array]:
    """Return labels ``[rows, tasks]`` with null as NaN, and weights ``[rows]`` if there are any."""
    with_column(frame, *settings.tasks, settings.weight)
    labels = np.stack([as_numbers(frame[task]) for task in settings.tasks], axis=1)
    arrays = {"labels": not_happened(labels.astype(np.float32), settings.parents)}
    if settings.weight:
        arrays["weight"] = as_numbers(frame[settings.weight]).astype(np.float32)
    return arrays


def hide_own_labels(
    frame: pl.DataFrame, arrays: dict[str, Array | Ragged], train: Rows, encoder: Encoder
) -> None:
    """Replace the training rows' target rates by rates that have not seen the row's own label."""
    rates = encoder.rates
    if rates is None:
        return
    times = complete_column(frame, rates.time)[train] if rates.time else None
    ids = {name: column[train] for name, column in encoder.ids_in(arrays).items()}
    unseen = {key: gather(arrays[key], train) for key in rates.shapes(0)}
    rates.encode_training(ids, gather(arrays["labels"], train), times, unseen)
    for key, values in unseen.items():
        array = arrays[key]
        assert not isinstance(array, Ragged)
        array[train] = values
