"""Files of one table: a file, a folder's parts, what a pattern matches, ``key=value`` folders."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from automlrank.data.delta import delta_files, is_delta
from automlrank.data.formats import ENDINGS, kind_of
from automlrank.data.pieces import TableFile
from automlrank.errors import DataError

NULL_KEY = "__HIVE_DEFAULT_PARTITION__"  # the value of a folder for null


def is_pattern(item: str | Path) -> bool:
    """Return True if an item of a source stands for all files that it matches."""
    return glob.has_magic(str(item)) and not Path(item).exists()


def files_in(path: Path) -> tuple[TableFile, ...]:
    """The files of one table by their paths: the file, or the folder's."""
    if path.is_dir():
        if is_delta(path):
            return delta_files(path)
        try:
            return _parts(_inside(path), path, f"the folder {path}")
        except OSError as error:
            raise DataError(f"the folder {path} cannot be read: {error.strerror}.") from None
    if not kind_of(path):
        raise DataError(f"{path} must end in {', '.join(ENDINGS)}.")
    return _with_keys([path], path.parent)


def files_matched(pattern: str) -> tuple[TableFile, ...]:
    """The files of one table that a pattern matches, by their paths."""
    return _parts(_matched(pattern), _named_part(Path(pattern)), f"the pattern {pattern}")


def _inside(folder: Path) -> Iterator[Path]:
    """The files of a folder and of its ``key=value`` folders."""
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            yield path
        elif not is_hidden(path.name) and ("=" in path.name or "=" in folder.name):
            yield from _inside(path)


def _matched(pattern: str) -> Iterator[Path]:
    """What a pattern matches, by path: files, and those of ``key=value`` folders.

    Files of hidden folders that the pattern does not name itself are left out.
    """
    named = set(Path(pattern).parts)
    found: dict[Path, None] = {}
    for path in sorted(Path(name) for name in glob.glob(pattern, recursive=True)):
        if any(is_hidden(part) and part not in named for part in path.parts[:-1]):
            continue
        inside = _inside(path) if path.is_dir() and "=" in path.name else [path]
        found |= dict.fromkeys(inside)
    return iter(sorted(found))


def is_hidden(name: str) -> bool:
    """Return True for a folder of bookkeeping, as ``_temporary`` is; ``_day=3`` is none."""
    return (name.startswith(".") and name.strip(".") != "") or (
        name.startswith("_") and "=" not in name
    )


def _named_part(pattern: Path) -> Path:
    """The folder of a pattern that it names in full."""
    folder = pattern
    while glob.has_magic(str(folder)):
        folder = folder.parent
    return folder


def _parts(found: Iterable[Path], root: Path, place: str) -> tuple[TableFile, ...]:
    files = [path for path in found if path.name[0] not in "._" and kind_of(path)]
    files = [path for path in files if path.is_file()]
    files = [path for path in files if kind_of(path) != "text"] or files  # a read-me is no part
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
    return _with_keys(files, root)


def _with_keys(paths: Sequence[Path], root: Path) -> tuple[TableFile, ...]:
    """The files with the values of their ``key=value`` folders, checked below ``root``."""
    keys = {folder: _keys_of(folder) for folder in dict.fromkeys(path.parent for path in paths)}
    named = _keys_of(root).keys()
    return tuple(
        TableFile(path, keys[path.parent], frozenset(keys[path.parent].keys() - named))
        for path in paths
    )


def _keys_of(folder: Path) -> dict[str, str | None]:
    """The values of a folder's path by their keys; raises DataError for a folder with a log."""
    _check_no_log(folder)
    keys: dict[str, str | None] = {}
    for part in folder.parts:
        key, _, value = part.partition("=")
        if key and key != part:
            name, text = unquote(key), None if value in ("", NULL_KEY) else unquote(value)
            if keys.setdefault(name, text) != text:
                raise DataError(f"{folder} names the key {name!r} twice.", "Rename a folder.")
    return keys


def _check_no_log(folder: Path) -> None:
    """Raise DataError for a folder of a table whose log says which of its files count."""
    while "=" in folder.name:
        folder = folder.parent
    if is_delta(folder):
        raise DataError(
            f"{folder} is a Delta table, whose files may hold rows that were overwritten.",
            "Name the folder itself.",
        )
    top = folder.parent if folder.name == "data" else folder
    if (folder / ".hoodie").is_dir() or any((top / "metadata").glob("*.metadata.json")):
        raise DataError(
            f"{top} is a Hudi or Iceberg table, whose files may hold rows that were overwritten.",
            "Save its current rows as Parquet.",
        )
