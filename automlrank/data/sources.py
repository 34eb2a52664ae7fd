"""Sources of tables: files, folders, patterns, bundled samples, lists of them, and frames."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import polars as pl

from automlrank.data.delta import is_delta
from automlrank.data.folders import files_in, files_matched, is_hidden, is_pattern
from automlrank.data.formats import KINDS, TEXT, kind_of
from automlrank.data.pieces import TableFile
from automlrank.errors import DataError, did_you_mean, nearest

if TYPE_CHECKING:
    import pandas as pd

Data: TypeAlias = "str | Path | Sequence[str | Path] | pl.DataFrame | pl.LazyFrame | pd.DataFrame"
SAMPLES = Path(__file__).parent / "samples"


def samples() -> tuple[str, ...]:
    """The names of the bundled samples."""
    return tuple(sorted(path.stem for path in SAMPLES.glob("*.parquet")))


def is_sample(source: str) -> bool:
    """Return True if the name is a bundled sample's and no file's."""
    return source in samples() and not Path(source).exists()


def sample_path(name: str) -> Path:
    """The table of a bundled sample; raises DataError for an unknown name."""
    if name not in samples():
        raise DataError(f"no sample {name!r}.", did_you_mean(name, samples()))
    return SAMPLES / f"{name}.parquet"


def sample_schema(name: str) -> Path:
    """The schema of a bundled sample; raises DataError for an unknown name."""
    return sample_path(name).with_suffix(".schema.yaml")


def locate(source: str | Path) -> Path:
    """The existing file or folder that was meant; raises DataError with the nearest name."""
    path = Path(source)
    if is_sample(str(source)):
        return sample_path(str(source))
    if not path.exists():
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        known = {item.name for item in beside if item.is_dir() or kind_of(item)}
        raise DataError(f"no such file: {path}.", nearest(path.name, known | set(samples())))
    return path


def is_files(source: Data) -> TypeGuard[str | Path | Sequence[str | Path]]:
    """Return True if the source is read from files."""
    return isinstance(source, str | Path | list | tuple)


def items(source: str | Path | Sequence[str | Path]) -> list[str | Path]:
    """The file, folder or pattern, or those of a list; raises DataError for an empty list."""
    if isinstance(source, str | Path):
        return [source]
    if not source:
        raise DataError("the list of files is empty.", "Name at least one.")
    for item in source:
        if not isinstance(item, str | Path):
            raise DataError(f"a list of files must hold names, but holds {item!r:.100}.")
    return list(source)


def name_of(source: Data) -> str:
    """A short name: the first file's or the folder's (of a pattern its folder's), or ``frame``."""
    if not is_files(source):
        return "frame"
    first = items(source)[0]
    if is_pattern(first):
        folder = files_of(first)[0].path.resolve().parent
        while "=" in folder.name:
            folder = folder.parent
        return folder.name or "data"
    path = locate(first).resolve()
    return path.name if path.is_dir() else path.name.split(".")[0] or "data"


def files_of(item: str | Path) -> tuple[TableFile, ...]:
    """The files of one table: the file, the folder's parts, or what a pattern matches."""
    return files_matched(str(item)) if is_pattern(item) else files_in(locate(item))


def left_out(given: Sequence[str | Path], groups: Sequence[Sequence[TableFile]]) -> Iterator[str]:
    """A sentence on each folder with table files below that are in none of the groups read."""
    known = {file.path for files in groups for file in files}
    for item, files in zip(given, groups, strict=True):
        kind = kind_of(files[0].path)
        kinds = {kind, *KINDS.values()} - (set(TEXT) - {kind})  # a read-me is no part
        for top in _folders(item):
            below = [path for path in _tables_below(top) if kind_of(path) in kinds]
            if other := [path for path in below if path not in known]:
                known |= set(other)
                yield _not_read(top, other, kind)


def _folders(item: str | Path) -> Iterator[Path]:
    """The folders that an item of a source names; those of Delta tables have a log."""
    names = sorted(glob.glob(str(item), recursive=True)) if is_pattern(item) else [item]
    return (path for path in map(Path, names) if path.is_dir() and not is_delta(path))


def _tables_below(folder: Path) -> Iterator[Path]:
    """All table files of a folder's folders that are not hidden, by their paths."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(map(is_hidden, inside[:-1])) or inside[-1][0] in "._"
        if not hidden and kind_of(path) and path.is_file():
            yield path


def _not_read(folder: Path, files: Sequence[Path], kind: str | None) -> str:
    others = "1 table file" if len(files) == 1 else f"{len(files):,} table files"
    said = f"{folder}: {others} in folders of it not read, such as {files[0]}."
    same = next((path for path in files if kind_of(path) == kind), None)
    if same is None:
        return said
    whole = f"{glob.escape(str(folder))}/**/*{same.suffix}"
    return f"{said} To read {folder} with its folders, name '{whole}'."
