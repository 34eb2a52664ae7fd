"""Files of one table that hold unlike columns, or the same ones in unlike types."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from automlrank.data.exact import column
from automlrank.data.formats import is_text
from automlrank.data.values import TEXT, text_of
from automlrank.errors import DataError

SHORT = (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)
Kinds = Mapping[pl.DataType, Path]  # of a column in all files, each with the first that has it
Schema = Mapping[str, pl.DataType]


def check_related(files: Sequence[Path], schemas: Sequence[Schema]) -> None:
    """Raise DataError for a file that has no column in common with those before it."""
    known: set[str] = set()
    for file, schema in zip(files, schemas, strict=True):
        if known and not known & schema.keys():
            first = next(iter(schemas[0]))
            raise DataError(
                f"{file} has none of the columns of {files[0]}, such as {first!r}.",
                "Leave it out, or join it as a side table.",
            )
        known |= schema.keys()


def kinds_of(files: Sequence[Path], schemas: Sequence[Schema]) -> dict[str, Kinds]:
    """The columns of all files by first appearance, with their types."""
    found: dict[str, dict[pl.DataType, Path]] = {}
    for file, schema in zip(files, schemas, strict=True):
        for name, kind in schema.items():
            found.setdefault(name, {}).setdefault(kind, file)
    return dict(found)


def united(name: str, kinds: Kinds) -> pl.DataType | None:
    """The type of a column that holds the values of all files; None if it must be left out.

    Structs of unlike fields are left out. Raises DataError for other types that do not go together.
    """
    kind = common_kind(kinds)
    if kind is None and not any(_holds_structs(kind) for kind in kinds):
        (mine, first), *others = kinds.items()
        theirs, other = next((k, f) for k, f in others if common_kind((mine, k)) is None)
        raise DataError(
            f"{other} has {theirs} in column {name!r}, which does not go together "
            f"with {mine} in {first}."
        )
    return kind


def common_kind(kinds: Collection[pl.DataType]) -> pl.DataType | None:
    """The type that holds all values of the given ones, or None; text holds all plain values."""
    known = list(dict.fromkeys(kind for kind in kinds if kind != pl.Null))
    if len(known) <= 1:
        return known[0] if known else pl.Null()
    if any(kind.is_nested() for kind in known):
        lists = [kind for kind in known if isinstance(kind, pl.List)]
        inner = common_kind([item_of(k) for k in lists]) if len(lists) == len(known) else None
        return inner and pl.List(inner)
    if any(kind in (pl.Binary, pl.Object) for kind in known):
        return None
    if all(isinstance(kind, pl.Date | pl.Datetime) for kind in known):
        return _common_time(known)
    others = [kind for kind in known if not isinstance(kind, pl.Duration)]
    if not others:
        return pl.Duration("us")
    if all(kind.is_numeric() or kind == pl.Boolean for kind in others):
        return _common_number(known) if others == known else pl.Float64()  # seconds
    return pl.String()


def item_of(kind: pl.List | pl.Array) -> pl.DataType:
    """The type of a list's items."""
    return kind.inner if isinstance(kind.inner, pl.DataType) else kind.inner()


def _common_time(kinds: Sequence[pl.DataType]) -> pl.Datetime:
    """Moments of one time zone, if all are of it, else of UTC."""
    times = [kind for kind in kinds if isinstance(kind, pl.Datetime)]
    units = {kind.time_unit for kind in times}
    zones = {kind.time_zone for kind in times}
    is_one = len(zones) == 1 and len(times) == len(kinds)
    return pl.Datetime(units.pop() if len(units) == 1 else "us", zones.pop() if is_one else None)


def _common_number(kinds: Sequence[pl.DataType]) -> pl.DataType:
    """Text where digits would be lost: in decimals among floats, and beyond 64 bits."""
    decimals = [kind for kind in kinds if kind.is_decimal()]
    if decimals and not all(kind.is_decimal() or kind.is_integer() for kind in kinds):
        return pl.String()
    frames = [pl.DataFrame(schema={"x": kind}) for kind in kinds]
    found = pl.concat(frames, how="vertical_relaxed").schema["x"]
    is_longer = found in (pl.Int128, pl.UInt128) and found not in kinds
    return pl.String() if is_longer else found


def is_rounded(kinds: Kinds, kind: pl.DataType) -> bool:
    """Return True if whole numbers of 64 bits become floats, which hold 53."""
    return kind.is_float() and any(k.is_integer() and k not in SHORT for k in kinds)


def fitted(name: str, have: pl.DataType | None, want: pl.DataType, kinds: Kinds) -> pl.Expr:
    """A file's column in the type that holds those of all files; null if it has none."""
    if have is None or have == pl.Null:
        return pl.lit(None, want).alias(name)
    return _as(name, have, want, all_text=all(_is_text(kind) for kind in kinds))


def _as(name: str, have: pl.DataType, want: pl.DataType, *, all_text: bool) -> pl.Expr:
    values = column(name)
    if isinstance(have, pl.List) and isinstance(want, pl.List) and have != want:
        inner = _as("", item_of(have), item_of(want), all_text=all_text)
        return values.list.eval(inner)
    if isinstance(have, pl.Duration) and want != have and not isinstance(want, pl.Duration):
        values = values.dt.to_string("iso") if want == pl.String else _seconds(values)
        return values.alias(name)
    if want == pl.String and not all_text:
        return text_of(name, have)
    if isinstance(have, pl.Datetime) and isinstance(want, pl.Datetime) and have.time_zone:
        zone = want.time_zone or "UTC"
        values = values.dt.convert_time_zone(zone)
        values = values if want.time_zone else values.dt.replace_time_zone(None)
    return values if have == want else values.cast(want)


def _seconds(durations: pl.Expr) -> pl.Expr:
    return durations.dt.total_nanoseconds() / 1e9


def _is_text(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.List):
        return _is_text(item_of(kind))
    return kind in TEXT or kind == pl.Null


def _holds_structs(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.List):
        return _holds_structs(item_of(kind))
    return isinstance(kind, pl.Struct)


def notes_of(
    files: Sequence[Path],
    schemas: Sequence[Schema],
    kinds: Mapping[str, Kinds],
    wanted: Mapping[str, pl.DataType | None],
) -> Iterator[str]:
    """Sentences on columns that some files lack, that are left out, or that become text."""
    for name, of in kinds.items():
        lacking = [file for file, s in zip(files, schemas, strict=True) if name not in s]
        if lacking:
            yield (
                f"{name}: null in the rows of {_named(lacking)}, which "
                f"{'has' if len(lacking) == 1 else 'have'} no such column."
            )
        want = wanted[name]
        both = " and ".join(f"{kind} in {file}" for kind, file in list(of.items())[:2])
        if want is None:
            yield f"{name}: left out, as its types do not go together: {both}."
        elif (
            len(of) > 1
            and _is_text(want)
            and not all(_is_text(k) or is_text(f) for k, f in of.items())
        ):
            yield f"{name}: read as text, in which 7.0 is 7 and true is 1: {both}."


def _named(files: Sequence[Path]) -> str:
    rest = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return f"{files[0]}{rest}"
