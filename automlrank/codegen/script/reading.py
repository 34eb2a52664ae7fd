"""Reading of a table: its files, its columns, and the split of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from automlrank.data.align import aligned, usual_types, without_deleted
from automlrank.data.batches import Rows
from automlrank.data.damage import readable
from automlrank.data.delimited import read_blocks
from automlrank.data.folders import files_in, files_matched, is_pattern
from automlrank.data.formats import ARROW_FILE, check_content, check_lengths, is_text, kind_of
from automlrank.data.forms import Form, typed
from automlrank.data.pieces import Piece, TableFile
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
from automlrank.data.values import EncodingError
from automlrank.errors import DataError
from automlrank.schema.columns import Split


class TableError(ValueError):
    """A table is missing, or lacks columns or rows that the training needs."""


class Origin(NamedTuple):
    """A table's path, and the number of rows of each of its files, in their order."""

    path: Path
    files: Sequence[tuple[Path, int]]

    def of(self, row: int) -> tuple[Path, int]:
        """Return the file that holds a row of the table, and the row's place in it."""
        for file, rows in self.files:
            if row < rows:
                return file, row
            row -= rows
        return self.path, row


# ---- files ---------------------------------------------------------------------------------


def read_table(path: Path) -> pl.DataFrame:
    """Read a file, a folder of parts, a Delta table, or all files that a pattern matches."""
    return read_files(files_of(path))[0]


def files_of(path: Path) -> tuple[TableFile, ...]:
    """Return the files of one table; raise TableError if there are none."""
    if not path.exists() and not is_pattern(path):
        raise TableError(f"no such file: {path}.")
    try:
        return files_matched(str(path)) if is_pattern(path) else files_in(path)
    except DataError as error:
        raise TableError(str(error.faults[0])) from None


def read_files(files: Sequence[TableFile]) -> tuple[pl.DataFrame, list[tuple[Path, int]]]:
    """Return the rows of all files, and how many each has; unlike types become text."""
    try:
        parts = [read_file(file) for file in files]
        found = [
            [Piece(part.lazy(), part.height, f.path)] for f, part in zip(files, parts, strict=True)
        ]
        pieces, _ = aligned(files, found)
    except DataError as error:
        raise TableError(str(error.faults[0])) from None
    rows = [(file.path, part.height) for file, part in zip(files, parts, strict=True)]
    return pl.concat([piece.scan for (piece,) in pieces]).collect(), rows


def read_file(file: TableFile) -> pl.DataFrame:
    """Read one file; text as text. Raise DataError if it cannot be read."""
    path = file.path
    if is_text(path):
        return pl.concat(read_blocks(path))
    with readable(str(path)):
        head = check_content(path)
        check_lengths(path, head)
        if kind_of(path) == "Parquet":
            scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        elif head.startswith(ARROW_FILE):
            scan = pl.scan_ipc(path, glob=False, hive_partitioning=False)
        else:
            scan = pl.read_ipc_stream(path).lazy()
        return usual_types(without_deleted(scan, file)).collect()


# ---- splits --------------------------------------------------------------------------------


def read_split(
    path: Path, split: Split, forms: Mapping[str, Form]
) -> tuple[pl.DataFrame, dict[str, Rows], Origin]:
    """Return the table read by its forms, and the rows of train, valid and test in its order.

    Also the files that the rows lie in.
    """
    groups = split_files(path, split)
    frame, heights = read_files(list(chain(*groups)))
    origin = Origin(path, heights)
    with of_table(origin):
        frame = typed(frame, forms)
        if split.by == "file":
            first = sum(rows for _, rows in heights[: len(groups[0])])
            rest = labels_at_random(frame.height - first, split.valid, 1 - split.valid)
            labels = np.concatenate([np.zeros(first, np.int8), rest])
        else:
            labels = split_labels(frame, split)
    rows = {name: np.flatnonzero(labels == i) for i, name in enumerate(NAMES)}
    for name, part in rows.items():
        if not len(part):
            raise TableError(f"{path}: the {name} split has no rows.")
    return frame, rows, origin


def split_files(path: Path, split: Split) -> list[tuple[TableFile, ...]]:
    """Return the files of a table; of a split by file those of train, then those of test."""
    if split.by != "file":
        return [files_of(path)]
    folder = path if path.is_dir() else path.parent
    return [files_of(folder / str(name)) for name in (split.train_file, split.test_file)]


@contextmanager
def of_table(origin: Origin) -> Iterator[None]:
    """Raise what is wrong with the values of a table as TableError with the file of the row."""
    try:
        yield
    except EncodingError as error:
        if error.row is None:
            raise TableError(f"{origin.path}: {error.problem}") from None
        file, row = origin.of(error.row)
        raise TableError(f"{file}: {EncodingError(error.problem, row)}") from None
    except (DataError, TableError, pl.exceptions.PolarsError) as error:
        problem = str(error).splitlines()[0].rstrip(".")
        raise TableError(f"{origin.path}: {problem}.") from None


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
    odd = np.flatnonzero(~names.is_in(NAMES).to_numpy())
    if len(odd):
        row = int(odd[0])
        raise EncodingError(
            f"column {column.name!r} must say train, valid or test, not {names[row]!r:.100}.", row
        )
    return names.replace_strict(list(NAMES), [0, 1, 2], return_dtype=pl.Int8).to_numpy()


# ---- columns -------------------------------------------------------------------------------


def with_column(frame: pl.DataFrame, *names: str | None) -> pl.DataFrame:
    """Return the table; raise TableError if it lacks one of the columns."""
    absent = [name for name in names if name is not None and name not in frame.columns]
    if absent:
        raise TableError(f"the table has no column {', '.join(map(repr, absent))}.")
    return frame


def complete_column(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column that must have a value in every row; raise EncodingError with the first."""
    column = with_column(frame, name)[name]
    column = column.fill_nan(None) if column.dtype.is_float() else column
    if column.null_count():
        raise EncodingError(
            f"column {name!r} is null in {column.null_count()} rows.", column.is_null().arg_max()
        )
    return column
