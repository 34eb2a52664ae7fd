"""Read a table: Parquet, CSV, a folder of Parquet parts, a bundled sample, or a frame."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from automlrank.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

Data: TypeAlias = "str | Path | pl.DataFrame | pl.LazyFrame | pd.DataFrame"
SAMPLES = Path(__file__).parent / "samples"
ENDINGS = (".parquet", ".csv", ".csv.gz")
LEADING_ZERO = r"^[+-]?0\d"  # an id such as 007 is not the number 7
WHOLE = r"^[+-]?\d+$"


def samples() -> tuple[str, ...]:
    """The names of the bundled samples."""
    return tuple(sorted(path.stem for path in SAMPLES.glob("*.parquet")))


def is_sample(source: str) -> bool:
    """Whether the name means a bundled sample: it is one's, and no file's."""
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
        known = {item.name for item in beside if item.is_dir() or item.name.endswith(ENDINGS)}
        raise DataError(f"no such file: {path}.", did_you_mean(path.name, known | set(samples())))
    return path


def parts(path: Path) -> tuple[Path, ...]:
    """The files of a table: the file itself, or the folder's Parquet parts by name."""
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(path.glob("*.parquet")))
    if not found:
        raise DataError(f"the folder {path} holds no .parquet file.")
    return found


def name_of(source: Data) -> str:
    """A short name: the file's or the folder's, or ``frame``."""
    if not isinstance(source, str | Path):
        return "frame"
    path = locate(source).resolve()
    return path.name if path.is_dir() else path.name.split(".")[0] or "data"


def read_table(source: Data) -> pl.DataFrame:
    """The whole table; raises DataError if it cannot be read, is empty, or repeats a column."""
    if isinstance(source, str | Path):
        files = parts(locate(source))
        return _checked(join_parts([_read_file(file) for file in files]), str(source))
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.DataFrame):
        return _checked(source, "the frame")
    return _checked(_from_pandas(source), "the frame")


def digest(source: Data) -> str:
    """SHA-256 of the table's content, wherever it lies: of its files' bytes, or of its rows."""
    total = hashlib.sha256()
    if isinstance(source, str | Path):
        return digest_of_files(parts(locate(source)))
    frame = read_table(source)
    total.update(repr(frame.schema).encode())
    total.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return total.hexdigest()


def digest_of_files(files: Iterable[Path]) -> str:
    """SHA-256 of the files' bytes, in their order; raises DataError if one cannot be read."""
    total = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as opened:
                total.update(hashlib.file_digest(opened, "sha256").digest())
        except OSError as error:
            raise DataError(f"{file} cannot be read: {error.strerror}.") from None
    return total.hexdigest()


def _read_file(path: Path) -> pl.DataFrame:
    if not path.name.endswith(ENDINGS):
        raise DataError(f"{path} must end in {', '.join(ENDINGS)}.")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty.")
        return pl.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        kind = "Parquet" if path.suffix == ".parquet" else "CSV"
        raise DataError(f"{path} cannot be read as {kind}: {reason}.") from None


def _read_csv(path: Path) -> pl.DataFrame:
    """All columns as text first: the types are found over all rows, not over the first ones."""
    header = pl.read_csv(path, has_header=False, n_rows=1, infer_schema=False).row(0)
    _check_names(header, str(path))
    return pl.DataFrame([_typed(text) for text in pl.read_csv(path, infer_schema=False)])


def _typed(text: pl.Series) -> pl.Series:
    """A text column as whole numbers, numbers or booleans, where every value is one."""
    known = text.drop_nulls()
    if known.is_empty() or known.str.contains(LEADING_ZERO).any():
        return text
    if known.str.to_lowercase().is_in(["true", "false"]).all():
        return text.str.to_lowercase() == "true"
    whole = bool(known.str.contains(WHOLE).all())
    number = text.cast(pl.Int64 if whole else pl.Float64, strict=False)
    return text if number.null_count() > text.null_count() else number


def join_parts(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all parts, with the columns of the first, in types that hold them all.

    Raises DataError for a part that lacks a column or whose types do not go together.
    """
    first = frames[0].columns
    for frame in frames:
        absent = [name for name in first if name not in frame.columns]
        if absent:
            raise DataError(f"a part of the table has no column {', '.join(map(repr, absent))}.")
    try:
        return pl.concat([frame.select(first) for frame in frames], how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"the parts of the table differ in their types: {reason}.") from None


def _from_pandas(frame: Any) -> pl.DataFrame:
    try:
        _check_names([str(name) for name in frame.columns], "the frame")
        table: pl.DataFrame = pl.from_pandas(frame)
    except (TypeError, AttributeError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"a {type(frame).__name__} cannot be read as a table: {reason}.") from None
    return table


def _checked(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    if frame.is_empty():
        raise DataError(f"{name} has no rows.")
    arrays = [column for column, kind in frame.schema.items() if isinstance(kind, pl.Array)]
    return frame.with_columns(pl.col(arrays).arr.to_list()) if arrays else frame


def _check_names(names: Iterable[object], place: str) -> None:
    seen: set[object] = set()
    twice = [str(name) for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if twice:
        raise DataError(f"{place} has more than one column {', '.join(map(repr, twice))}.")
