"""The input matrix of boosted trees, made from batches in training and serving alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from torch import Tensor

from automlrank.data.transform import Encoder
from automlrank.data.values import FIRST_ID, OOV_ID, PAD_ID, Array
from automlrank.schema import CategoricalFeature, MultiFeature, Schema

MIN_VALUES = 10  # of ids that are numbers, for their value to stand beside them
MOST_CATEGORIES = 100_000  # of a column, the most frequent: 1,000 cost KuaiRand .003 of AUC
NO_AGE = 99.0  # of an empty history: beyond the bucket of any age
CHUNK_ROWS = 8192
SIDES = {True: "request", False: "item"}

Part = tuple[str, str, tuple[int, ...], str]
"""Some features of the matrix: their kind, their key in a batch, their places there (empty: all),
and for a value the column, for matches the history's key."""


@dataclass(frozen=True, eq=False)
class TreeFeatures:
    """Makes ``[rows, features]`` float32 of a batch, categories first; ``flat_of`` returns one.

    ``values`` are the numbers that ids stand for, by column.
    """

    parts: tuple[Part, ...]
    values: Mapping[str, Array]

    def __call__(self, batch: Mapping[str, Tensor]) -> Array:
        """Return the rows of a batch; a request's one row of the user goes to every candidate."""
        arrays = {key: tensor.cpu().numpy() for key, tensor in batch.items()}
        parts = [self.part(arrays, *part) for part in self.parts]
        rows = max(len(part) for part in parts)
        out = np.empty((rows, sum(part.shape[1] for part in parts)), np.float32)
        at = 0
        for part in parts:
            out[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        return out

    def matrix(self, batches: Iterable[Mapping[str, Tensor]], rows: int) -> Array:
        """Return all rows of the batches; they are ``rows`` in number."""
        start, whole = 0, np.empty((0, 0), np.float32)
        for batch in batches:
            part = self(batch)
            if not start:
                whole = np.empty((rows, part.shape[1]), np.float32)
            whole[start : start + len(part)] = part
            start += len(part)
        return whole

    @property
    def categories(self) -> list[int]:
        """Places of the features that are categories."""
        return list(range(sum(len(at) for kind, _, at, _ in self.parts if kind == "category")))

    def part(
        self, arrays: Mapping[str, Array], kind: str, key: str, places: tuple[int, ...], other: str
    ) -> Array:
        """Return ``[rows, features]`` of one part."""
        array = arrays[key]
        found: Array = array[:, places] if places else array
        if kind == "category":  # ids are numbered by frequency
            found = np.where(found < FIRST_ID + MOST_CATEGORIES, found, OOV_ID)
        elif kind == "value":
            found = self.values[other][found]
        elif kind == "length":
            found = np.sum(array != PAD_ID, axis=1, keepdims=True)
        elif kind == "newest":
            found = np.where(array == PAD_ID, NO_AGE, array).min(axis=1, keepdims=True)
        elif kind == "matches":  # how many behaviours have the row's own id, or one of them
            past = arrays[other]
            same = (past[:, :, None] == found[:, None, :]).any(axis=2) & (past != PAD_ID)
            found = np.sum(same, axis=1, keepdims=True)
        return found


def flat_of(schema: Schema, encoder: Encoder, *, with_rates: bool) -> TreeFeatures:
    """Return the features that trees read of a schema.

    A category is an id; ids of 10 values or more that are all numbers give their value beside it,
    since years and amounts may be ids (Census: +.001 of AUC). A list of ids gives its first one
    and its length; a history its length, the age of its newest behaviour and how many of its ids
    are the row's own. With ``with_rates`` the columns that have a target rate give it, and its
    count, instead of their ids, and so do pairs beside them: the schema's statistics.
    """
    values = numbers_of_ids(schema, encoder)
    parts = [*_categories(schema, with_rates), *_numbers(schema, values, with_rates)]
    return TreeFeatures(tuple(parts), values)


def numbers_of_ids(schema: Schema, encoder: Encoder) -> dict[str, Array]:
    """Return the number of each id, by column of many ids that are all numbers."""
    found = {}
    for feature in schema.of_role("ids"):
        owner = schema.owner(feature.name)
        many = feature.size - FIRST_ID >= MIN_VALUES
        if isinstance(feature, CategoricalFeature) and many and owner in encoder.vocabularies:
            numbers = numbers_in(encoder, owner)
            if not np.isnan(numbers[FIRST_ID:]).any():
                found[feature.name] = numbers
    return found


def numbers_in(encoder: Encoder, owner: str) -> Array:
    """Return the number of each id of a vocabulary; NaN if it is not a number."""
    numbers = encoder.vocabularies[owner].cast(pl.Float64, strict=False)
    return np.concatenate([np.full(FIRST_ID, np.nan), numbers.fill_null(np.nan).to_numpy()])


def _categories(schema: Schema, with_rates: bool) -> Iterator[Part]:
    own = {names[0] for names in schema.rated if len(names) == 1 and with_rates}
    for request, side in SIDES.items():
        features = enumerate(schema.of_role("ids", request=request))
        kept = [i for i, f in features if isinstance(f, CategoricalFeature) and f.name not in own]
        if kept:
            yield "category", f"ids:{side}", tuple(kept), ""
    for feature in schema.of_role("multi"):
        yield "category", f"multi:{feature.name}", (0,), ""


def _numbers(schema: Schema, values: Mapping[str, Array], with_rates: bool) -> Iterator[Part]:
    for request, side in SIDES.items():
        features = schema.of_role("ids", request=request)
        ranges = [i for i, f in enumerate(features) if not isinstance(f, CategoricalFeature)]
        if ranges:  # of bucketed numbers, in their order
            yield "number", f"ids:{side}", tuple(ranges), ""
        if schema.of_role("numbers", request=request):
            yield "number", f"numbers:{side}", (), ""
        for i, feature in enumerate(features):
            if feature.name in values:
                yield "value", f"ids:{side}", (i,), feature.name
        if with_rates and f"statistics:{side}" in schema.statistic_sizes:
            yield "number", f"statistics:{side}", (), ""
    for feature in schema.of_role("multi"):
        yield "length", f"multi:{feature.name}", (), ""
    for feature in schema.of_role("vector"):
        yield "number", f"vector:{feature.name}", (), ""
    for history in schema.of_role("history"):
        yield _matches(schema, history.name, history.of)
    for name, histories in schema.sequences.items():
        yield "length", f"history:{histories[0].name}", (), ""
        if schema.timed(name):
            yield "newest", f"age:{name}", (), ""


def _matches(schema: Schema, history: str, of: str) -> Part:
    if isinstance(schema.feature(of), MultiFeature):
        return "matches", f"multi:{of}", (), f"history:{history}"
    request = schema.feature(of).side != "item"
    names = [feature.name for feature in schema.of_role("ids", request=request)]
    return "matches", f"ids:{SIDES[request]}", (names.index(of),), f"history:{history}"
