"""Find the files of a source, and scan Parquet and Arrow files lazily."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import polars as pl
import pyarrow as pa

from automlrank.data.cache import write_part
from automlrank.data.exact import column
from automlrank.data.names import check_names
from automlrank.errors import DataError, did_you_mean, nearest

if TYPE_CHECKING:
    import pandas as pd

Data: TypeAlias = "str | Path | Sequence[str | Path] | pl.DataFrame | pl.LazyFrame | pd.DataFrame"
SAMPLES = Path(__file__).parent / "samples"
KINDS = {
    ".parquet": "Parquet",
    **dict.fromkeys((".csv", ".csv.gz"), "CSV"),
    **dict.fromkeys((".tsv", ".tsv.gz"), "TSV"),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), "Arrow"),
}
ENDINGS = tuple(KINDS)
ARROW_FILE = b"ARROW1"  # what the file form begins with; the stream form does not


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


def name_of(source: Data) -> str:
    """A short name: the first file's or the folder's (of a pattern its folder's), or ``frame``."""
    if not is_files(source):
        return "frame"
    first = items(source)[0]
    if _is_pattern(first):
        return files_of(first)[0].resolve().parent.name or "data"
    path = locate(first).resolve()
    return path.name if path.is_dir() else path.name.split(".")[0] or "data"


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


def files_of(item: str | Path) -> tuple[Path, ...]:
    """The files of one table: the file, the folder's parts by name, or what a pattern matches."""
    if _is_pattern(item):
        found = sorted(Path(name) for name in glob.glob(str(item), recursive=True))
        return _parts(found, f"the pattern {item}")
    path = locate(item)
    if path.is_dir():
        try:
            return _parts(sorted(path.iterdir()), f"the folder {path}")
        except OSError as error:
            raise DataError(f"the folder {path} cannot be read: {error.strerror}.") from None
    if not kind_of(path):
        raise DataError(f"{path} must end in {', '.join(ENDINGS)}.")
    return (path,)


def kind_of(path: Path) -> str | None:
    """Parquet, CSV, TSV or Arrow, by the ending; None for any other."""
    return next((kind for end, kind in KINDS.items() if path.name.lower().endswith(end)), None)


def is_text(path: Path) -> bool:
    """Return True for a CSV or TSV file."""
    return kind_of(path) in ("CSV", "TSV")


def scan_file(path: Path, folder: Callable[[], Path]) -> tuple[pl.LazyFrame, int]:
    """A Parquet or Arrow file and its rows; ``folder`` makes a place to stage an Arrow stream.

    Raises DataError if the file cannot be read.
    """
    kind = kind_of(path)
    try:
        with path.open("rb") as opened:
            magic = opened.read(len(ARROW_FILE))
        if not magic:
            raise DataError(f"{path} is empty.")
        if kind == "Parquet":
            scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        elif magic == ARROW_FILE:
            scan = pl.scan_ipc(path, glob=False, hive_partitioning=False)
        else:
            scan = pl.scan_parquet(_stage_stream(path, folder()))
        check_names(list(scan.collect_schema()), str(path))
        return scan, int(scan.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        raise unreadable(f"{path} cannot be read as {kind}", error) from None


def common_columns(files: Sequence[Path], scans: Sequence[pl.LazyFrame]) -> list[pl.Expr]:
    """The columns of the first file, in types that hold those of all.

    Raises DataError for a file that lacks a column or whose types do not go together.
    """
    schemas = [scan.collect_schema() for scan in scans]
    held = pl.DataFrame(schema=schemas[0])
    for file, schema in zip(files, schemas, strict=True):
        for name in held.columns:
            if name not in schema:
                raise DataError(f"{file} has no column {name!r}, which {files[0]} has.")
            mine, theirs = held.schema[name], schema[name]
            both = [held.select(column(name)), pl.DataFrame(schema={name: theirs})]
            try:
                if mine.is_nested() != theirs.is_nested():
                    raise pl.exceptions.SchemaError
                held = held.with_columns(pl.concat(both, how="vertical_relaxed"))
            except pl.exceptions.PolarsError:
                raise DataError(
                    f"{file} has {theirs} in column {name!r}, which does not go together "
                    f"with {mine} in {files[0]}."
                ) from None
    return [column(name).cast(kind) for name, kind in held.schema.items()]


def unreadable(problem: str, error: BaseException) -> DataError:
    """A DataError with the first line of another library's message."""
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return DataError(f"{problem}: {reason}.")


def _stage_stream(path: Path, folder: Path) -> list[Path]:
    """The batches of an Arrow stream, which cannot be read from its middle, as Parquet parts."""
    parts: list[Path] = []
    with pa.OSFile(str(path)) as opened, pa.ipc.open_stream(opened) as reader:
        check_names(reader.schema.names, str(path))
        for batch in [reader.schema.empty_table(), *reader]:
            parts.append(folder / f"{len(parts):06}.parquet")
            write_part(pl.DataFrame(pl.from_arrow(batch)), parts[-1])
    return parts


def _is_pattern(item: str | Path) -> bool:
    return glob.has_magic(str(item)) and not Path(item).exists()


def _parts(found: Sequence[Path], place: str) -> tuple[Path, ...]:
    files = [path for path in found if path.name[0] not in "._" and kind_of(path)]
    files = [path for path in files if path.is_file()]
    if not files:
        raise DataError(
            f"{place} holds no file that ends in {', '.join(ENDINGS)}.",
            "Files of folders in it are read by a pattern such as 'folder/**/*.parquet'.",
        )
    kinds: dict[Any, Path] = {}
    for path in files:
        kinds.setdefault(kind_of(path), path)
    if len(kinds) > 1:
        listed = ", ".join(f"{kind} ({path.name})" for kind, path in kinds.items())
        raise DataError(f"{place} holds more than one kind of table: {listed}.", "Name the files.")
    return tuple(files)
