"""What an exported ``train.py`` does with its table: real functions, printed from here.

The constants on top are examples; an export puts the schema's own in their place, and prints
the one ``read_split`` and ``split_rows`` that the schema's split asks for.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from automlrank.data.batches import Rows, gather
from automlrank.data.labels import not_happened, read_group
from automlrank.data.split import (
    NAMES,
    Labels,
    as_value,
    labels_at_random,
    labels_by_group,
    labels_by_time,
    labels_from,
)
from automlrank.data.text import _typed
from automlrank.data.times import as_times
from automlrank.data.transform import Encoder
from automlrank.data.values import Array, as_numbers

TASKS: tuple[str, ...] = ("click",)
PARENTS: tuple[int, ...] = (-1,)
WEIGHT: str | None = None
GROUP = "user_id"
SPLIT_COLUMN = "time"
VALID_SHARE = 0.1
TEST_SHARE = 0.1
VALID_FROM: object = 1
TEST_FROM: object = 2
TRAIN_FILE = "train.parquet"
TEST_FILE = "test.parquet"
HERE = Path(__file__).parent
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
TEXT_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
ENDINGS = (".parquet", ".arrow", ".feather", ".ipc", *TEXT_ENDINGS)
ARROW_FILE = b"ARROW1"  # what the file form begins with; the stream form does not

Arrays = Mapping[str, Any]  # arrays and ragged lists by their keys in a batch


class TableError(ValueError):
    """A table is missing, or does not hold what the training needs."""


def read_table(path: Path) -> pl.DataFrame:
    """A Parquet, Arrow, CSV or TSV file, or a folder of such parts."""
    return read_files(files_of(path))[0]


def files_of(path: Path) -> list[Path]:
    """The file, or the tables of the folder by name; hidden ones and ``_files`` are none."""
    if not path.exists():
        raise TableError(f"no such file: {path}.")
    found = sorted(p for p in path.iterdir() if p.name[0] not in "._") if path.is_dir() else [path]
    files = [p for p in found if p.is_file() and p.name.lower().endswith(ENDINGS)]
    if not files:
        what = "holds no file that ends in" if path.is_dir() else "must end in"
        raise TableError(f"{path} {what} {', '.join(ENDINGS)}.")
    return files


def read_files(files: Sequence[Path]) -> tuple[pl.DataFrame, list[int]]:
    """The rows of all files, in types that hold them all; and how many each file has."""
    parts = [read_file(file) for file in files]
    table = pl.concat([part.select(parts[0].columns) for part in parts], how="vertical_relaxed")
    if any(is_text(file) for file in files):
        table = table.with_columns(_typed(column) for column in table.select(pl.col(pl.String)))
    return table, [part.height for part in parts]


def read_file(path: Path) -> pl.DataFrame:
    """One file; the columns of CSV and TSV as text."""
    if is_text(path):
        return read_text(path)
    if path.suffix.lower() == ".parquet":
        return pl.read_parquet(path, glob=False, hive_partitioning=False)
    with path.open("rb") as opened:
        is_stream = opened.read(len(ARROW_FILE)) != ARROW_FILE
    if is_stream:
        return pl.read_ipc_stream(path)
    return pl.scan_ipc(path, glob=False, hive_partitioning=False).collect()


def read_text(path: Path) -> pl.DataFrame:
    """A CSV or TSV file as text, empty as null; blank lines at its end are no rows."""
    data, name = path.read_bytes(), path.name.lower()
    if name.endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (EOFError, zlib.error):
            raise TableError(f"{path} is cut off or damaged.") from None
    data = data.rstrip(b"\r\n")
    separator = "\t" if name.removesuffix(".gz").endswith(".tsv") else ","
    frame = pl.read_csv(data, infer_schema=False, separator=separator)
    frame.columns = [column.replace('""', '"') for column in frame.columns]  # quotes in quotes
    return frame.with_columns(pl.all().replace("", None)) if b'""' in data else frame


def is_text(path: Path) -> bool:
    return path.name.lower().endswith(TEXT_ENDINGS)


def column_of(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column that every row must have a value in."""
    if name not in frame.columns:
        raise TableError(f"the table has no column {name!r}.")
    column = frame[name]
    column = column.fill_nan(None) if column.dtype.is_float() else column
    if column.null_count():
        raise TableError(f"column {name!r} is null in {column.null_count()} rows.")
    return column


def read_split(path: Path) -> tuple[pl.DataFrame, dict[str, Rows]]:
    """The table, and the rows of train, valid and test."""
    frame = read_table(path)
    return frame, rows_of(split_rows(frame))


def read_split_files(path: Path) -> tuple[pl.DataFrame, dict[str, Rows]]:
    """The train file's rows, then the test file's, of which some are for validation."""
    folder = path if path.is_dir() else path.parent
    train, test = (files_of(folder / file) for file in (TRAIN_FILE, TEST_FILE))
    frame, heights = read_files([*train, *test])
    n_train = sum(heights[: len(train)])
    rest = labels_at_random(frame.height - n_train, VALID_SHARE, 1 - VALID_SHARE)
    return frame, rows_of(np.concatenate([np.zeros(n_train, np.int8), rest]))


def rows_of(labels: Labels) -> dict[str, Rows]:
    """The rows of each split, in the table's order."""
    rows = {name: np.flatnonzero(labels == i) for i, name in enumerate(NAMES)}
    for name, part in rows.items():
        if not len(part):
            raise TableError(f"the {name} split has no rows.")
    return rows


def split_rows(frame: pl.DataFrame) -> Labels:
    """By time: the last shares of the rows."""
    return labels_by_time(as_times(column_of(frame, SPLIT_COLUMN)), VALID_SHARE, TEST_SHARE)


def split_rows_from(frame: pl.DataFrame) -> Labels:
    """Rows from VALID_FROM on are valid, from TEST_FROM on test."""
    column = as_times(column_of(frame, SPLIT_COLUMN))
    return labels_from(column, as_value(column, VALID_FROM), as_value(column, TEST_FROM))


def split_rows_at_random(frame: pl.DataFrame) -> Labels:
    """Shares of the rows by one fixed permutation."""
    return labels_at_random(frame.height, VALID_SHARE, TEST_SHARE)


def split_rows_by_column(frame: pl.DataFrame) -> Labels:
    """The column says train, valid or test."""
    column = column_of(frame, SPLIT_COLUMN).cast(pl.String)
    others = set(column.unique()) - set(NAMES)
    if others:
        raise TableError(f"column {SPLIT_COLUMN!r} must say train, valid or test, not {others}.")
    return column.replace_strict(list(NAMES), [0, 1, 2], return_dtype=pl.Int8).to_numpy()


def split_rows_by_group(frame: pl.DataFrame) -> Labels:
    """Whole groups, by a hash of their names."""
    if SPLIT_COLUMN not in frame.columns:
        raise TableError(f"the table has no column {SPLIT_COLUMN!r}.")
    return labels_by_group(frame[SPLIT_COLUMN], VALID_SHARE, TEST_SHARE)


def encoded(frame: pl.DataFrame, rows: Mapping[str, Rows]) -> dict[str, Any]:
    """The features and outcomes of all rows."""
    return {**Encoder.load(HERE).encode(frame), **outcomes(frame)}


def encoded_with_rates(frame: pl.DataFrame, rows: Mapping[str, Rows]) -> dict[str, Any]:
    """The same, where the statistics of a training row have not seen its own label."""
    encoder, train = Encoder.load(HERE), rows["train"]
    arrays = {**encoder.encode(frame), **outcomes(frame)}
    assert encoder.rates is not None
    times = column_of(frame, encoder.rates.time)[train] if encoder.rates.time else None
    ids = {name: column[train] for name, column in encoder.ids_in(arrays).items()}
    unseen = {key: np.empty_like(arrays[key][train]) for key in encoder.rates.shapes(0)}
    encoder.rates.encode_training(ids, arrays["labels"][train], times, unseen)
    for key, statistics in unseen.items():
        arrays[key][train] = statistics
    return arrays


def outcomes(frame: pl.DataFrame) -> dict[str, Any]:
    """Labels ``[rows, tasks]`` with null as NaN, and weights ``[rows]``."""
    wanted = [*TASKS, WEIGHT] if WEIGHT else [*TASKS]
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        raise TableError(f"the table has no column {', '.join(map(repr, absent))}.")
    arrays = {"labels": labels_of(frame)}
    return arrays | ({"weight": as_numbers(frame[WEIGHT]).astype(np.float32)} if WEIGHT else {})


def labels_of(frame: pl.DataFrame) -> Array:
    """``[rows, tasks]``, null as NaN."""
    return np.stack([as_numbers(frame[task]) for task in TASKS], axis=1).astype(np.float32)


def labels_of_chain(frame: pl.DataFrame) -> Array:
    """``[rows, tasks]``; null is 0 in a task that is null just where its parent did not happen."""
    labels = np.stack([as_numbers(frame[task]) for task in TASKS], axis=1)
    return not_happened(labels.astype(np.float32), PARENTS)


def groups(frame: pl.DataFrame) -> Any:
    """The group of each row, for the GAUC."""
    if GROUP not in frame.columns:
        raise TableError(f"the table has no column {GROUP!r}.")
    return read_group(frame, GROUP)


def batches(
    arrays: Arrays, rows: Rows, batch_size: int, seed: int | None = None
) -> Iterator[dict[str, Tensor]]:
    """All rows once, in their order or, with a seed, shuffled; one gather per array.

    Shuffled, a last batch of one row is left out: batch norm has no statistics of one row.
    """
    order = rows if seed is None else np.random.default_rng(seed).permutation(rows)
    if seed is not None and len(order) % batch_size == 1:
        order = order[:-1]
    for start in range(0, len(order), batch_size):
        part = order[start : start + batch_size]
        yield {
            key: torch.from_numpy(gather(array, part)).to(DEVICE) for key, array in arrays.items()
        }
