"""Read options from ``--config`` files and ``run.yaml``, and write them to ``run.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from automlrank.documents import Document, read_document
from automlrank.errors import DocumentError, UsageError, did_you_mean, shown
from automlrank.options.base import Options, fields_of, spelling
from automlrank.options.kinds import KEY, Option, refused

RECORD = "options"  # key of a run's file
CONFIG = "config"  # field of the file itself, which cannot stand in one


def read_options(options: type[Any], file: str | Path) -> dict[str, object]:
    """Return the values of a file of options, or of a run's file, by field.

    Raises DocumentError with every key that is not an option and every value that breaks its
    rule, each with its line.
    """
    document = read_document(file, strict=False)
    place, data = _options_in(document)
    known = {spelling(item): item for item in fields_of(options) if item.name != CONFIG}
    faults, values = list(document.faults), {}
    for key, value in data.items():
        at = (*place, key)
        if key not in known:
            faults.append(document.fault(at, "no such option.", did_you_mean(key, known)))
            continue
        option: Option = known[key].metadata[KEY]
        if value is None or document.is_unread(at) or (place and not option.recorded):
            continue
        try:
            value = _beside(option, _typed(option, value), Path(file).parent)
            values[known[key].name] = option.read(value)
        except UsageError as error:
            faults += [document.fault(at, one.problem, one.hint) for one in error.faults]
    if faults:
        raise DocumentError(sorted(faults, key=lambda fault: fault.line or 0))
    return values


def _options_in(document: Document) -> tuple[tuple[str, ...], Mapping[str, object]]:
    data: object = document.data
    place: tuple[str, ...] = ()
    if isinstance(data, Mapping) and RECORD in data:
        place, data = (RECORD,), data[RECORD]
    if not isinstance(data, Mapping):
        fault = document.fault(place, f"must be a mapping of options, but got {shown(data)}.")
        raise DocumentError(fault)
    return place, cast("Mapping[str, object]", data)


def _typed(option: Option, value: object) -> object:
    """Return a YAML value as the command line would give it."""
    if option.type == list[str]:
        values = value if isinstance(value, list) else [value]
        return [_word(item) for item in values]
    return _word(value) if option.type is str else value


def _word(value: object) -> str:
    if isinstance(value, bool | list | Mapping):
        raise refused("must be a word", value)
    return str(value)


def _beside(option: Option, value: object, folder: Path) -> object:
    """Return the value with its relative paths taken from the file's folder."""
    if option.names is None:
        return value
    if isinstance(value, list):
        return [_beside(option, item, folder) for item in value]
    word = str(value)
    is_name = word in option.names() and not (folder / word).exists()
    return word if is_name else str(folder / word)


def record(options: Options) -> dict[str, object]:
    """Return the options as a file holds them; paths are absolute, objects are left out."""
    return dict(_recorded(options))


def _recorded(options: Options) -> Iterator[tuple[str, object]]:
    for item in fields_of(type(options)):
        option: Option = item.metadata[KEY]
        value = _plain(option, getattr(options, item.name))
        if option.recorded and value is not None and value != []:
            yield spelling(item), value


def _plain(option: Option, value: object) -> object:
    if isinstance(value, list | tuple):
        words = [_plain(option, item) for item in value]
        return None if None in words else words[0] if len(words) == 1 else words
    if option.names is not None and isinstance(value, str | Path):
        is_name = str(value) in option.names() and not Path(value).exists()
        return str(value) if is_name else str(Path(value).absolute())
    if option.type is str and isinstance(value, int | float):
        return f"{value}s"  # a time
    if value is None or isinstance(value, str | int | float):
        return value
    return option.kept
