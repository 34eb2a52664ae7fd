"""Files of a Delta Lake table: those of its current version, by the library ``deltalake``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import polars as pl

from automlrank.data.damage import READ_ERRORS, unreadable
from automlrank.data.pieces import TableFile
from automlrank.errors import DataError

if TYPE_CHECKING:
    from deltalake import DeltaTable

LOG = "_delta_log"  # the folder in a Delta table's folder that says which files count
READER_VERSION = 3
MAPPING = "delta.columnMapping.mode"
FEATURES = {
    *("columnMapping", "deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"),
    *("typeWidening", "typeWidening-preview"),
}
"""Features of tables that reading their files one by one respects; column mapping if it is off."""


def is_delta(folder: Path) -> bool:
    """Return True if a folder is that of a Delta table."""
    return (folder / LOG).is_dir()


def delta_files(folder: Path) -> tuple[TableFile, ...]:
    """The files of the current version by their paths, with partition values and deleted rows.

    Raises DataError without the library, and for a table that cannot be read.
    """
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise DataError(
            f"{folder} is a Delta table, and deltalake is not installed.",
            "Install the extra delta, or run pip install 'deltalake>=1.4.2'.",
        ) from None
    try:
        table = DeltaTable(str(folder.resolve()))
        _check_features(folder, table)
        return _files(folder, table)
    except (DeltaError, *READ_ERRORS) as error:
        raise unreadable(f"{folder} cannot be read as a Delta table", error) from None


def _check_features(folder: Path, table: DeltaTable) -> None:
    """Raise DataError for a table whose files alone do not say what its rows are."""
    protocol = table.protocol()
    unknown = sorted(set(protocol.reader_features or ()) - FEATURES)
    if protocol.min_reader_version > READER_VERSION:
        unknown.append(f"reader version {protocol.min_reader_version}")
    if table.metadata().configuration.get(MAPPING, "none") != "none":
        unknown.append("column mapping")
    if unknown:
        raise DataError(
            f"{folder} is a Delta table with {', '.join(unknown)}, which cannot be read.",
            "Save its current rows as Parquet.",
        )


def _files(folder: Path, table: DeltaTable) -> tuple[TableFile, ...]:
    keys = table.metadata().partition_columns
    deleted = _deleted(table)
    files = []
    for action in pl.DataFrame(table.get_add_actions(flatten=True)).iter_rows(named=True):
        name = unquote(action["path"])
        path = folder / name
        if not path.is_file():
            raise DataError(f"{folder} is a Delta table, but {name} of its log is not there.")
        values = {key: _text(action[f"partition.{key}"]) for key in keys}
        files.append(TableFile(path, values, deleted=deleted.get(str(path.resolve()), ())))
    return tuple(sorted(files, key=lambda file: file.path))


def _deleted(table: DeltaTable) -> Mapping[str, tuple[int, ...]]:
    """The places of deleted rows by the path of their file."""
    vectors = pl.DataFrame(table.deletion_vectors())
    return {
        name.removeprefix("file://"): tuple(np.flatnonzero(~np.asarray(kept)).tolist())
        for name, kept in vectors.select("filepath", "selection_vector").iter_rows()
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
