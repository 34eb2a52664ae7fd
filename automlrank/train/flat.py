"""Batches as one matrix of numbers: what boosted trees read, in training as in serving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from automlrank.data.dataset import Batch, Dataset
from automlrank.data.transform import Encoder
from automlrank.data.values import FIRST_ID, OOV_ID, PAD_ID, Array
from automlrank.schema import Categorical, Multi, Schema

MIN_VALUES = 10  # of ids that are numbers, for their value to stand beside them
MOST_CATEGORIES = 100_000  # of a column, the most frequent: 1,000 cost KuaiRand .003 of AUC
NO_AGE = 99.0  # of an empty history: beyond the bucket of any age
CHUNK_ROWS = 8192
SIDES = {True: "request", False: "item"}

Arrays = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Flat:
    """How a batch becomes ``[rows, features]`` float32, categories first.

    A category is an id; ids of 10 values or more that are all numbers give their value beside it,
    since years and amounts may be ids (Census: +.001 of AUC). A list of ids gives its first one
    and its length; a history its length, the age of its newest behaviour and how many of its ids
    are the row's own. With ``with_rates`` the columns that have a target rate give it, and its
    count, in the place of their ids, and so do pairs beside them: the schema's statistics.
    """

    schema: Schema
    encoder: Encoder
    with_rates: bool

    def matrix(self, data: Dataset, split: str) -> Array:
        """All rows of a split."""
        start, whole = 0, np.empty((0, 0), np.float32)
        for batch in data.batches(split, CHUNK_ROWS):
            rows = slice(start, start + len(batch["labels"]))
            part = self(batch)
            if not start:
                whole = np.empty((data.rows[split], part.shape[1]), np.float32)
            whole[rows], start = part, rows.stop
        return whole

    def __call__(self, batch: Batch) -> Array:
        """The rows of a batch; a request's one row of the user goes to every candidate."""
        arrays = _arrays(batch)
        parts = [*self._categories(arrays), *self._numbers(arrays)]
        rows = max(len(part) for part in parts)
        out = np.empty((rows, sum(part.shape[1] for part in parts)), np.float32)
        at = 0
        for part in parts:
            out[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        return out

    @cached_property
    def categories(self) -> list[int]:
        """The features that are categories."""
        kept = sum(len(places) for places in self._kept.values())
        return list(range(kept + len(self.schema.of_role("multi"))))

    @cached_property
    def _kept(self) -> dict[bool, list[int]]:
        """By side the places of the categories among its ids."""
        own = {names[0] for names in self.schema.rated if len(names) == 1 and self.with_rates}
        return {
            request: [
                i
                for i, feature in enumerate(self.schema.of_role("ids", request=request))
                if isinstance(feature, Categorical) and feature.name not in own
            ]
            for request in SIDES
        }

    @cached_property
    def _values(self) -> dict[bool, list[tuple[int, Array]]]:
        """By side the places of ids whose values are numbers, and each id's number."""
        found: dict[bool, list[tuple[int, Array]]] = {request: [] for request in SIDES}
        for request in SIDES:
            for i, feature in enumerate(self.schema.of_role("ids", request=request)):
                many = feature.size - FIRST_ID >= MIN_VALUES
                if isinstance(feature, Categorical) and many:
                    values = self.encoder.vocabularies.get(self.schema.owner(feature.name))
                    numbers = None if values is None else values.cast(pl.Float64, strict=False)
                    if numbers is not None and not numbers.null_count():
                        special = np.full(FIRST_ID, np.nan)
                        found[request].append((i, np.concatenate([special, numbers.to_numpy()])))
        return found

    def _categories(self, arrays: Arrays) -> Iterator[Array]:
        for request, side in SIDES.items():
            yield _frequent(arrays[f"ids:{side}"][:, self._kept[request]])
        for feature in self.schema.of_role("multi"):
            yield _frequent(arrays[f"multi:{feature.name}"][:, :1])

    def _numbers(self, arrays: Arrays) -> Iterator[Array]:
        schema = self.schema
        for request, side in SIDES.items():
            features = schema.of_role("ids", request=request)
            ranges = [i for i, f in enumerate(features) if not isinstance(f, Categorical)]
            yield arrays[f"ids:{side}"][:, ranges]  # of a bucketed number, in its order
            yield arrays[f"numbers:{side}"]
            for i, values in self._values[request]:
                yield values[arrays[f"ids:{side}"][:, i : i + 1]]
            if self.with_rates and f"statistics:{side}" in arrays:
                yield arrays[f"statistics:{side}"]
        for feature in schema.of_role("multi"):
            yield _lengths(arrays[f"multi:{feature.name}"])
        for feature in schema.of_role("vector"):
            yield arrays[f"vector:{feature.name}"]
        for history in schema.of_role("history"):
            yield self._matches(arrays, history.name, history.of)
        for name, histories in schema.sequences.items():
            yield _lengths(arrays[f"history:{histories[0].name}"])
            if f"age:{name}" in arrays:
                ages = arrays[f"age:{name}"]
                yield np.where(ages == PAD_ID, NO_AGE, ages).min(axis=1, keepdims=True)

    def _matches(self, arrays: Arrays, history: str, of: str) -> Array:
        """``[rows, 1]``: how many behaviours have the row's own id, or one of them."""
        is_list = isinstance(self.schema.feature(of), Multi)
        own = arrays[f"multi:{of}"] if is_list else self.encoder.ids_in(arrays)[of][:, None]
        past = arrays[f"history:{history}"]
        same = (past[:, :, None] == own[:, None, :]).any(axis=2) & (past != PAD_ID)
        count: Array = same.sum(axis=1, keepdims=True)
        return count


def _frequent(ids: Array) -> Array:
    """Ids with the rarer ones as out of vocabulary: they are numbered by frequency."""
    return np.where(ids < FIRST_ID + MOST_CATEGORIES, ids, OOV_ID)


def _lengths(lists: Array) -> Array:
    count: Array = (lists != PAD_ID).sum(axis=1, keepdims=True)
    return count


def _arrays(batch: Batch) -> dict[str, Array]:
    return {key: tensor.cpu().numpy() for key, tensor in batch.items()}
