"""Write a frame in every form that is read: text with all its options, Parquet, Arrow, folders."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from .draws import between, chance, pick
from .judge import Rng

TEXT_FORMS = ("csv", "tsv", "csv.gz", "tsv.gz")
BINARY_FORMS = ("parquet", "arrow", "feather", "ipc", "stream", "pyarrow")
LAYOUTS = ("file", "file", "file", "folder", "pattern", "list", "hive")


@dataclass(frozen=True)
class TextOptions:
    """Spelling of a text file."""

    separator: str = ","
    line_end: str = "\n"
    quote_all: bool = False
    null: str = ""
    mark: bool = False
    """The file begins with a byte order mark."""
    blank: bool = False
    """A blank follows every separator."""
    last_line_end: bool = True
    title_case: bool = False
    """Truth values are True and False, as pandas writes them."""


@dataclass(frozen=True)
class Storage:
    """Form of one file, how a table lies in files, and the options of each kind."""

    form: str
    layout: str
    parts: int
    text: TextOptions
    compression: str
    group_rows: int


def storage(rng: Rng, plain: bool, layouts: Sequence[str] = LAYOUTS) -> Storage:
    """Draw a form; ``plain`` frames may be text."""
    form = pick(rng, TEXT_FORMS if plain and chance(rng, 0.6) else BINARY_FORMS)
    usual = "\t" if form.startswith("tsv") else ","
    options = TextOptions(
        separator=usual if chance(rng, 0.7) else pick(rng, (",", ";", "|", "\t")),
        line_end=pick(rng, ("\n", "\n", "\n", "\r\n", "\r")),
        quote_all=chance(rng, 0.15),
        null=pick(rng, ("", "", "", "NA", "NULL", "\\N", "-", "nan", "None")),
        mark=chance(rng, 0.1),
        blank=chance(rng, 0.08),
        last_line_end=chance(rng, 0.9),
        title_case=chance(rng, 0.3),
    )
    compressions = ("snappy", "zstd", "uncompressed", "lz4")
    rows = pick(rng, (1, 7, 100, 1000))
    return Storage(
        form, pick(rng, layouts), between(rng, 1, 4), options, pick(rng, compressions), rows
    )


def store(frame: pl.DataFrame, kind: Storage, folder: Path) -> tuple[Any, list[Path]]:
    """Write the frame; return the source to be opened and the files."""
    folder.mkdir(parents=True, exist_ok=True)
    ending = {"stream": "arrow", "pyarrow": "parquet"}.get(kind.form, kind.form)
    if kind.layout == "file" or frame.height < kind.parts:
        file = folder / f"table.{ending}"
        write(frame, kind, file)
        return file, [file]
    cuts = np.linspace(0, frame.height, kind.parts + 1).astype(int)
    files = []
    for i, (start, end) in enumerate(itertools.pairwise(cuts)):
        place = folder / f"day={i}" if kind.layout == "hive" else folder
        place.mkdir(exist_ok=True)
        files.append(place / f"part-{i}.{ending}")
        write(frame[start:end], kind, files[-1])
    sources = {"pattern": folder / f"*.{ending}", "list": files}
    return sources.get(kind.layout, folder), files


def write(frame: pl.DataFrame, kind: Storage, file: Path) -> None:
    """Write one file."""
    if kind.form in TEXT_FORMS:
        data = text_of(frame, kind.text)
        file.write_bytes(gzip.compress(data, mtime=0) if file.name.endswith(".gz") else data)
    else:
        _BINARY[kind.form](frame, kind, file)


def text_of(frame: pl.DataFrame, options: TextOptions) -> bytes:
    """Return the bytes of a CSV or TSV file of plain columns."""
    opened = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if options.quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(
        opened, delimiter=options.separator, lineterminator=options.line_end, quoting=quoting
    )
    texts = [spelled(frame[name], options) for name in frame.columns]
    rows = [frame.columns, *zip(*texts, strict=True)]
    if options.blank:
        rows = [[cell if i == 0 else f" {cell}" for i, cell in enumerate(row)] for row in rows]
    writer.writerows(rows)
    text = opened.getvalue()
    text = text if options.last_line_end else text.removesuffix(options.line_end)
    return (b"\xef\xbb\xbf" if options.mark else b"") + text.encode()


def spelled(values: pl.Series, options: TextOptions) -> list[str]:
    """Return values as text files have them; null is empty among text, where markers are words."""
    null = "" if values.dtype == pl.String else options.null
    return [null if value is None else _spelled(value, options) for value in values]


def _spelled(value: Any, options: TextOptions) -> str:
    if isinstance(value, bool):
        return str(value) if options.title_case else str(value).lower()
    return str(value)


def _parquet(frame: pl.DataFrame, kind: Storage, file: Path) -> None:
    frame.write_parquet(file, compression=kind.compression, row_group_size=kind.group_rows)  # type: ignore[arg-type]


def _pyarrow(frame: pl.DataFrame, kind: Storage, file: Path) -> None:
    compression = {"uncompressed": "none"}.get(kind.compression, kind.compression)
    pa.parquet.write_table(
        frame.to_arrow(), file, compression=compression, row_group_size=kind.group_rows
    )


def _ipc(frame: pl.DataFrame, kind: Storage, file: Path) -> None:
    compression: Any = kind.compression if kind.compression in ("lz4", "zstd") else "uncompressed"
    frame.write_ipc(file, compression=compression)


def _feather(frame: pl.DataFrame, kind: Storage, file: Path) -> None:
    compression = kind.compression if kind.compression in ("lz4", "zstd") else "uncompressed"
    pa.feather.write_feather(frame.to_arrow(), str(file), compression=compression)


def _stream(frame: pl.DataFrame, kind: Storage, file: Path) -> None:
    frame.write_ipc_stream(file)


_BINARY: dict[str, Callable[[pl.DataFrame, Storage, Path], None]] = {
    "parquet": _parquet,
    "pyarrow": _pyarrow,
    "arrow": _ipc,
    "ipc": _ipc,
    "feather": _feather,
    "stream": _stream,
}


def writable(frame: pl.DataFrame, kind: Storage) -> pl.DataFrame:
    """Return the frame without what pyarrow cannot write: 128 bits, and NUL in a name."""
    if kind.form not in ("pyarrow", "feather"):
        return frame
    long = {name for name, type_ in frame.schema.items() if "Int128" in str(type_)}
    kept = [i for i, name in enumerate(frame.columns) if name not in long and "\0" not in name]
    return frame.select(pl.nth(kept)) if kept else frame.clear().select(pl.lit(1).alias("a"))


def is_plain(frame: pl.DataFrame) -> bool:
    """Return True if a text file can hold every column."""
    opaque = (pl.Binary, pl.Object)
    return not any(kind.is_nested() or kind in opaque for kind in frame.dtypes)


def plain_columns(frame: pl.DataFrame) -> Sequence[str]:
    """Return the names of the columns that a text file can hold."""
    return [
        name for name in frame.columns if is_plain(frame.select(pl.nth(frame.columns.index(name))))
    ]
