"""Frames of every type, inspected, encoded and read again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from automlrank.data.dataset import Dataset
from automlrank.data.read import open_table
from automlrank.data.split import NAMES, assign
from automlrank.data.store import Arrays
from automlrank.data.values import Array, Ragged
from automlrank.errors import UsageError
from automlrank.jobs.inspect import Inspection, inspect
from automlrank.schema import read_schema

from .draws import chance, pick
from .frames import LABEL, fitting_schema, frame
from .judge import Rng
from .schemas import schema_data

ROW = re.compile(r"^row \d+: ")  # which the inspection does not look for
VALUE = re.compile(r"(?<= but is )\S+$")  # of several the inspection names the lowest and highest


@dataclass(frozen=True)
class TableCase:
    """A frame, and how it is opened."""

    frame: pl.DataFrame
    schema: dict[str, Any] | None
    label: str | None
    as_pandas: bool = False


@dataclass(frozen=True)
class Opened:
    """What came of a table: its inspection and its encoded rows."""

    inspection: Inspection
    data: Dataset


def case(rng: Rng) -> TableCase:
    """Draw a frame, without a schema or with one."""
    table = frame(rng)
    way = pick(rng, ("label", "label", "fitting", "fitting", "fitting", "random", "nothing"))
    if way == "label":
        return TableCase(table, None, LABEL if chance(rng, 0.9) else pick(rng, table.columns))
    if way == "fitting" and table.width > 1:
        return TableCase(table, fitting_schema(rng, table), None)
    if way == "random" and table.width > 2:
        return TableCase(table, schema_data(rng, table.columns), None)
    return TableCase(table, None, None)


def attempt(case: TableCase, folder: Path) -> Opened:
    """Inspect the frame and encode it."""
    return opened(case.frame, case.schema, case.label, folder)


def opened(source: Any, schema: Any, label: str | None, folder: Path) -> Opened:
    """Inspect and encode a table; what the inspection proposes is taken, or its fault was told."""
    inspection = inspect(source, schema, label=label)
    wanted = inspection.schema.to_data() if schema is None else schema
    try:
        data = Dataset.open(source, wanted, label=label, cache=folder / "cache")
    except UsageError as error:
        if schema is None:
            told = " ".join(inspection.suspicions)
            problems = {str(f): VALUE.sub("", ROW.sub("", f.problem)) for f in error.faults}
            missed = [fault for fault, problem in problems.items() if problem not in told]
            assert not missed, f"refused, but not told by the inspection: {missed}"
        raise
    return Opened(inspection, data)


def refused(case: TableCase, error: UsageError, folder: Path) -> None:
    """Nothing beyond a sentence: a frame has no name."""


def hold(case: TableCase, taken: Opened, folder: Path) -> None:
    """All rows are there, ids are known to their vocabulary, equal rows are encoded alike."""
    holds(case.frame, case.frame.height, taken, case.frame)


def holds(source: Any, rows: int, taken: Opened, raw: pl.DataFrame | None = None) -> None:
    """Check the laws of an encoded table; ``raw`` rows are encoded by the encoder's forms."""
    data, inspection = taken.data, taken.inspection
    assert sum(data.rows.values()) == rows == inspection.rows
    assert data.schema.to_data() == inspection.schema.to_data()
    assert read_schema(inspection.schema.to_data()) == inspection.schema
    _check_ids(data)
    with open_table(source, schema=data.schema) as table:
        splits = assign(table, data.schema)
        again = data.encoder.encode(raw if raw is not None else table.scan.collect())
    if raw is not None:
        same_alone(data, raw, again)
    for k, split in enumerate(NAMES):
        same_arrays(data, split, again, np.flatnonzero(splits == k))
        data.take(split, np.arange(min(3, data.rows[split])))


def same_alone(data: Dataset, raw: pl.DataFrame, whole: Arrays) -> None:
    """Check that rows are encoded alike whatever rows stand beside them."""
    some = np.arange(raw.height // 2)
    for key, array in data.encoder.encode(raw[: len(some)]).items():
        known = whole[key]
        assert equal(array, known.take(some) if isinstance(known, Ragged) else known[some]), key


def equal(first: Array | Ragged, second: Array | Ragged) -> bool:
    """Return True for equal arrays, where NaN is NaN."""
    if isinstance(first, Ragged) or isinstance(second, Ragged):
        return all(map(np.array_equal, first, second))
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def same_arrays(data: Dataset, split: str, arrays: Arrays, rows: Array) -> None:
    """Check that encoded rows are those of the store; a training row's rates are of other folds."""
    for key, array in arrays.items():
        if split == "train" and key.startswith("statistics:"):
            continue
        stored = data.store.splits[split][key]
        assert equal(array.take(rows) if isinstance(array, Ragged) else array[rows], stored), key


def _check_ids(data: Dataset) -> None:
    """Every id is below its column's size."""
    sizes = data.encoder.sizes
    for arrays in data.store.splits.values():
        for name, ids in data.encoder.ids_in(arrays).items():
            assert ids.size == 0 or 1 <= ids.min() <= ids.max() < sizes[name], name
        for feature in data.schema.features:
            if feature.role in ("multi", "history"):
                lists = arrays[f"{feature.role}:{feature.name}"]
                assert isinstance(lists, Ragged)
                size = sizes[data.schema.owner(feature.name)]
                assert (
                    lists.values.size == 0 or 1 <= lists.values.min() <= lists.values.max() < size
                )
        for side in ("request", "item"):
            numbers = arrays[f"numbers:{side}"]
            assert not isinstance(numbers, Ragged)
            assert not np.isinf(numbers).any()
