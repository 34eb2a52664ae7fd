"""Reading of a table: its files, its columns, and the split of its rows."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from automlrank.data.batches import Rows
from automlrank.data.formats import ARROW_FILE, ENDINGS, is_text, kind_of
from automlrank.data.forms import Form, typed
from automlrank.data.split import (
    NAMES,
    Labels,
    as_value,
    labels_at_random,
    labels_by_group,
    labels_by_time,
    labels_from,
)
from automlrank.data.times import as_times
from automlrank.data.values import as_text
from automlrank.schema.columns import Split


class TableError(ValueError):
    """A table is missing, or lacks columns or rows that the training needs."""


# ---- files ---------------------------------------------------------------------------------


def read_table(path: Path) -> pl.DataFrame:
    """Read a Parquet, Arrow, CSV or TSV file, or a folder of such parts."""
    return read_files(files_of(path))[0]


def files_of(path: Path) -> list[Path]:
    """Return the file, or the tables of a folder by name; hidden ones and ``_files`` are none."""
    if not path.exists():
        raise TableError(f"no such file: {path}.")
    found = sorted(p for p in path.iterdir() if p.name[0] not in "._") if path.is_dir() else [path]
    files = [p for p in found if p.is_file() and kind_of(p)]
    if not files:
        problem = "holds no file that ends in" if path.is_dir() else "must end in"
        raise TableError(f"{path} {problem} {', '.join(ENDINGS)}.")
    return files


def read_files(files: Sequence[Path]) -> tuple[pl.DataFrame, list[int]]:
    """Return the rows of all files, and how many each file has; unlike types become text."""
    parts = [read_file(file) for file in files]
    names = dict.fromkeys(name for part in parts for name in part.columns)
    for name in names:
        kinds = {part.schema[name] for part in parts if name in part.columns} - {pl.Null()}
        if len(kinds) > 1 and not any(kind.is_nested() for kind in kinds):
            parts = [p.with_columns(as_text(p[name])) if name in p.columns else p for p in parts]
    return pl.concat(parts, how="diagonal_relaxed"), [part.height for part in parts]


def read_file(path: Path) -> pl.DataFrame:
    """Read one file; the columns of CSV and TSV as text."""
    if is_text(path):
        return read_text(path)
    if kind_of(path) == "Parquet":
        return pl.read_parquet(path, glob=False, hive_partitioning=False)
    with path.open("rb") as opened:
        is_stream = opened.read(len(ARROW_FILE)) != ARROW_FILE
    if is_stream:
        return pl.read_ipc_stream(path)
    return pl.scan_ipc(path, glob=False, hive_partitioning=False).collect()


def read_text(path: Path) -> pl.DataFrame:
    """Read a CSV or TSV file as text, empty as null; blank lines at its end are no rows."""
    data = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (EOFError, zlib.error):
            raise TableError(f"{path} is cut off or damaged.") from None
    data = data.rstrip(b"\r\n")
    separator = "\t" if kind_of(path) == "TSV" else ","
    frame = pl.read_csv(data, infer_schema=False, separator=separator)
    frame.columns = [column.replace('""', '"') for column in frame.columns]  # quotes in quotes
    return frame.with_columns(pl.all().replace("", None)) if b'""' in data else frame


# ---- splits --------------------------------------------------------------------------------


def read_split(
    path: Path, split: Split, forms: Mapping[str, Form]
) -> tuple[pl.DataFrame, dict[str, Rows]]:
    """Return the table read by its forms, and the rows of train, valid and test in its order."""
    if split.by == "file":
        folder = path if path.is_dir() else path.parent
        train, test = (files_of(folder / str(f)) for f in (split.train_file, split.test_file))
        frame, heights = read_files([*train, *test])
        first = sum(heights[: len(train)])
        rest = labels_at_random(frame.height - first, split.valid, 1 - split.valid)
        labels = np.concatenate([np.zeros(first, np.int8), rest])
        frame = typed(frame, forms)
    else:
        frame = typed(read_table(path), forms)
        labels = split_labels(frame, split)
    rows = {name: np.flatnonzero(labels == i) for i, name in enumerate(NAMES)}
    for name, part in rows.items():
        if not len(part):
            raise TableError(f"the {name} split has no rows.")
    return frame, rows


def split_labels(frame: pl.DataFrame, split: Split) -> Labels:
    """Return 0, 1 or 2 for each row of train, valid and test."""
    if split.by == "random":
        return labels_at_random(frame.height, split.valid, split.test)
    if split.by == "group":
        column = with_column(frame, split.column)[str(split.column)]
        return labels_by_group(column, split.valid, split.test)
    column = complete_column(frame, str(split.column))
    if split.by == "column":
        return named_splits(column)
    times = as_times(column)
    if split.valid_from is None or split.test_from is None:
        return labels_by_time(times, split.valid, split.test)
    return labels_from(times, as_value(times, split.valid_from), as_value(times, split.test_from))


def named_splits(column: pl.Series) -> Labels:
    """Return the labels of a column that says train, valid or test."""
    names = column.cast(pl.String)
    others = set(names.unique()) - set(NAMES)
    if others:
        raise TableError(f"column {column.name!r} must say train, valid or test, not {others}.")
    return names.replace_strict(list(NAMES), [0, 1, 2], return_dtype=pl.Int8).to_numpy()


# ---- columns -------------------------------------------------------------------------------


def with_column(frame: pl.DataFrame, *names: str | None) -> pl.DataFrame:
    """Return the table; raise TableError if it lacks one of the columns."""
    absent = [name for name in names if name is not None and name not in frame.columns]
    if absent:
        raise TableError(f"the table has no column {', '.join(map(repr, absent))}.")
    return frame


def complete_column(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column that must have a value in every row."""
    column = with_column(frame, name)[name]
    column = column.fill_nan(None) if column.dtype.is_float() else column
    if column.null_count():
        raise TableError(f"column {name!r} is null in {column.null_count()} rows.")
    return column
