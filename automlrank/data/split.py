"""Split the rows of a table into train, valid and test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from automlrank.data.read import Data, locate
from automlrank.data.table import Table
from automlrank.data.times import ISO_FORM, as_times, read_times
from automlrank.data.values import EncodingError, as_text, hashed
from automlrank.errors import DataError, Fault, SchemaError, did_you_mean
from automlrank.schema import Schema, Split

Labels = np.ndarray[Any, np.dtype[np.int8]]  # 0 train, 1 valid, 2 test
NAMES = ("train", "valid", "test")
SEED = 0  # a random split is the same in every run
HASHES = 2**31 - 1


def files_of_split(source: Data, split: Split) -> tuple[Path, Path]:
    """The train and the test file of a split by file.

    ``source`` is their folder or the train file. Raises SchemaError if the split does not name
    both, DataError if one is missing.
    """
    if split.train_file is None or split.test_file is None:
        raise SchemaError(Fault("a split by file needs train and test.", "split"))
    if not isinstance(source, str | Path):
        raise DataError("a split by file needs the folder of its files, but got a frame or a list.")
    path = locate(source)
    folder = path if path.is_dir() else path.parent
    return locate(folder / split.train_file), locate(folder / split.test_file)


def parts_of(source: Data, split: Split) -> Data:
    """Return the parts that are read as one table: the source, or the files of a split by file."""
    return list(files_of_split(source, split)) if split.by == "file" else source


def assign(table: Table, schema: Schema) -> Labels:
    """0, 1 or 2 for each row of train, valid and test.

    In a split by file the table's first part is the train file. Raises DataError if a split would
    be empty.
    """
    split = schema.split
    match split.by:
        case "time":
            labels = _by_time(_times(_split_column(table, split)), split)
        case "column":
            labels = _by_column(_split_column(table, split), split)
        case "group":
            column = table.column(str(split.column or schema.group))
            labels = labels_by_group(column, split.valid, split.test)
        case "random":
            labels = labels_at_random(table.rows, split.valid, split.test)
        case "file":
            train = table.parts[0]
            rest = labels_at_random(table.rows - train, split.valid, 1 - split.valid)
            labels = np.concatenate([np.zeros(train, np.int8), rest])
    sizes = np.bincount(labels, minlength=len(NAMES))
    if not sizes.all():
        shown = ", ".join(f"{name} {size:,}" for name, size in zip(NAMES, sizes, strict=True))
        raise DataError(
            f"each split must have rows, but the sizes are {shown}.", "Change split in the schema."
        )
    return labels


def labels_at_random(rows: int, valid: float, test: float) -> Labels:
    """Labels 0, 1, 2 with the given shares of 1 and 2, by one fixed permutation."""
    labels = np.zeros(rows, np.int8)
    order = np.random.default_rng(SEED).permutation(rows)
    n_test, n_valid = round(test * rows), round(valid * rows)
    labels[order[:n_test]] = 2
    labels[order[n_test : n_test + n_valid]] = 1
    return labels


def labels_by_group(column: pl.Series, valid: float, test: float) -> Labels:
    """Whole groups, in the order of a hash of their names: test until its share of rows is full."""
    text = as_text(column.alias("group")).fill_null("")
    groups = text.value_counts(name="rows").sort("group")
    order = np.argsort(hashed(groups["group"], HASHES), kind="stable")
    rows = groups["rows"].to_numpy()[order]
    before = (np.cumsum(rows) - rows) / len(column)
    labels = np.where(before < test, 2, np.where(before < test + valid, 1, 0)).astype(np.int8)
    given = text.replace_strict(groups["group"].gather(order), labels, return_dtype=pl.Int8)
    return given.to_numpy()


def _by_time(column: pl.Series, split: Split) -> Labels:
    if split.valid_from is None or split.test_from is None:
        return labels_by_time(column, split.valid, split.test)
    values = (split.valid_from, split.test_from)
    valid_from, test_from = (_as_type(column, value) for value in values)
    if not (valid_from < test_from).all():
        raise DataError(f"valid_from < test_from must hold, but got {values}.")
    return labels_from(column, valid_from, test_from)


def labels_by_time(column: pl.Series, valid: float, test: float) -> Labels:
    """Later rows are test, the ones before them valid; rows of one time stay together."""
    at_test = len(column) - round(test * len(column))
    at_valid = at_test - round(valid * len(column))
    ordered = column.sort()
    starts = (min(max(at, 0), len(column) - 1) for at in (at_valid, at_test))
    return labels_from(column, *(ordered.slice(start, 1) for start in starts))


def labels_from(column: pl.Series, valid_from: pl.Series, test_from: pl.Series) -> Labels:
    """Rows from one value on are valid, from the other on test."""
    is_valid, is_test = column >= valid_from, column >= test_from
    return (is_valid.cast(pl.Int8) + is_test.cast(pl.Int8)).to_numpy()


def as_value(column: pl.Series, value: object) -> pl.Series:
    """One value as a series of the column's type, null where it is none."""
    if column.dtype.is_temporal():
        days = [read_times(pl.col("day"), form) for form in (ISO_FORM, "%Y%m%d")]
        return (
            pl.DataFrame({"day": [str(value)]})
            .select(pl.coalesce(days))
            .to_series()
            .cast(column.dtype)
        )
    is_number = isinstance(value, int | float) and column.dtype != pl.String
    return pl.Series([value if is_number else str(value)]).cast(column.dtype, strict=False)


def _as_type(column: pl.Series, value: object) -> pl.Series:
    """One value as a series of the column's type; raises DataError where it is none."""
    given = as_value(column, value)
    if given.null_count():
        raise DataError(
            f"the split's {value!r} cannot be compared with column {column.name!r} "
            f"({column.dtype})."
        )
    return given


def _by_column(column: pl.Series, split: Split) -> Labels:
    column = column.cast(pl.String)
    other = sorted(set(column.unique().to_list()) - set(NAMES))
    if other:
        raise DataError(
            f"column {split.column!r} must say train, valid or test, but says {other[0]!r}.",
            did_you_mean(other[0], NAMES),
        )
    return column.replace_strict(list(NAMES), [0, 1, 2], return_dtype=pl.Int8).to_numpy()


def _split_column(table: Table, split: Split) -> pl.Series:
    return complete_column(table, str(split.column), "splits the rows")


def complete_column(table: Table, name: str, use: str) -> pl.Series:
    """A column that must have a value in every row; raises DataError with its use if it has not."""
    column = table.column(name)
    column = column.fill_nan(None) if column.dtype.is_float() else column
    if column.null_count():
        raise DataError(
            f"column {name!r} {use}, but is null in {column.null_count():,} of {len(column):,}."
        )
    return column


def _times(column: pl.Series) -> pl.Series:
    """Text as the times that it says: as text, 9 comes after 10 and 12/2023 after 01/2024."""
    try:
        return as_times(column)
    except EncodingError as error:
        hint = "Make it seconds since 1970, or dates as 2024-02-01 or 2024-02-01T12:30:00."
        raise DataError(str(error), hint) from None
