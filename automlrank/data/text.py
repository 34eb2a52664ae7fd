"""Stage CSV and TSV files as typed Parquet; types are inferred from all rows of all files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from automlrank.data.cache import write_part
from automlrank.data.delimited import BLOCK_BYTES, read_blocks
from automlrank.data.exact import column

LEADING_ZERO = r"^[+-]?0\d"  # an id such as 007 is not the number 7
WHOLE = r"^[+-]?\d+$"
LONG = "whole numbers beyond Int64"  # numbers beside fractions, else text
TEXT = "text"
HEAD = 1000  # values that mostly say that a column is text
HEAD_BYTES = 1 << 16  # hold the header


def typed(text: pl.Series) -> pl.Series:
    """Return a text column as whole numbers, numbers or booleans, if every value is one."""
    known = text.drop_nulls()
    if known.is_empty() or known.str.contains(LEADING_ZERO).any():
        return text
    whole = text.cast(pl.Int64, strict=False)
    if whole.null_count() == text.null_count():
        return whole
    number = text.cast(pl.Float64, strict=False)
    if number.null_count() == text.null_count():
        return text if known.str.contains(WHOLE).all() else number + 0.0  # -0.0 is 0.0
    lower = text.str.to_lowercase()
    return lower == "true" if lower.drop_nulls().is_in(["true", "false"]).all() else text


@dataclass(frozen=True)
class Part:
    """A typed Parquet file of some rows of the text file number ``file``."""

    path: Path
    file: int
    rows: int
    schema: dict[str, pl.DataType]


@dataclass
class _Pass:
    """One pass over all files; ``text`` holds the columns that are known to be text."""

    names: list[str]
    text: set[str]
    kinds: dict[str, set[str]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in types of their own, which are noted."""
        return pl.DataFrame([self._typed(frame[name]) for name in frame.columns])

    def _typed(self, column: pl.Series) -> pl.Series:
        name = column.name
        if name in self.text:
            return column
        if column.null_count() == len(column):  # so that blocks differ in their types seldom
            return column.cast(self.type_of(name))
        kinds = self.kinds.setdefault(name, set())
        if _kind(typed(column.drop_nulls().head(HEAD))) != TEXT:
            column = typed(column)
            kinds.add(_kind(column))
        else:
            kinds.add(TEXT)
        if TEXT in kinds:
            self.text.add(name)
        return column

    def type_of(self, name: str) -> pl.DataType:
        """The type that holds all values so far."""
        kinds = self.kinds.get(name, set())
        if kinds == {"Boolean"}:
            return pl.Boolean()
        if kinds == {"Int64"}:
            return pl.Int64()
        if "Float64" in kinds and kinds <= {"Int64", "Float64", LONG}:
            return pl.Float64()
        return pl.String()

    def respelled(self) -> set[str]:
        """Text columns of which a part was written in another type: its spelling is lost."""
        written = {(name, kind) for part in self.parts for name, kind in part.schema.items()}
        return {n for n, kind in written if kind != pl.String and self.type_of(n) == pl.String}


def stage_text(
    files: Sequence[Path], folder: Path, block_bytes: int = BLOCK_BYTES
) -> tuple[list[Part], dict[str, pl.DataType]]:
    """Write the files as typed Parquet parts; the parts in order, and the types that hold all rows.

    A column that turns out to be text behind its first block is read again, in its own spelling.
    Raises DataError for a file that cannot be read.
    """
    names = list(dict.fromkeys(n for f in files for n in next(read_blocks(f, HEAD_BYTES)).columns))
    reading = _write(files, folder, _Pass(names, set()), block_bytes)
    respelled = reading.respelled()
    if respelled:
        for part in reading.parts:
            part.path.unlink()
        reading = _write(files, folder, _Pass(names, reading.text | respelled), block_bytes)
    return reading.parts, {name: reading.type_of(name) for name in names}


def scan_part(part: Part, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The rows of a part in the given types."""
    own = {name: schema[name] for name in part.schema}
    casts = [column(name).cast(kind) for name, kind in own.items() if part.schema[name] != kind]
    return pl.scan_parquet(part.path).with_columns(casts)


def _write(files: Sequence[Path], folder: Path, reading: _Pass, block_bytes: int) -> _Pass:
    """Read every file; a part is written while the next block is read and typed."""
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[None] | None = None
        for number, file in enumerate(files):
            for frame in read_blocks(file, block_bytes):
                typed = reading.typed(frame)
                path = folder / f"{len(reading.parts):06}.parquet"
                reading.parts.append(Part(path, number, typed.height, dict(typed.schema)))
                if writing:
                    writing.result()
                writing = writer.submit(write_part, typed, path)
        if writing:
            writing.result()
    return reading


def _kind(typed: pl.Series) -> str:
    """Return the kind of a block's values: the type's name, or long, or text."""
    if typed.dtype != pl.String:
        return str(typed.dtype)
    known = typed.drop_nulls()
    long = not known.str.contains(LEADING_ZERO).any() and known.str.contains(WHOLE).all()
    return LONG if long and known.cast(pl.Float64, strict=False).null_count() == 0 else TEXT
