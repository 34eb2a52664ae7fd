"""Random YAML text for spaces, schemas and files of options."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automlrank.documents import dump, parse_document
from automlrank.errors import DocumentError, UsageError
from automlrank.jobs.options import SearchOptions
from automlrank.options.base import fields_of, spelling
from automlrank.options.files import read_options
from automlrank.schema import Schema, read_schema
from automlrank.space.shipped import open_space

from . import schemas, spaces
from .draws import ODD_DATA, WORDS, below, between, chance, pick, some
from .judge import Rng
from .mutate import changed_data
from .yaml_text import as_bytes, changed_text, yaml_text

READERS = {
    "space": open_space,
    "schema": read_schema,
    "options": lambda file: read_options(SearchOptions, file),
}
OPTIONS = tuple(spelling(item) for item in fields_of(SearchOptions))
SCHEMA_KEYS = tuple(item.name for item in dataclasses.fields(Schema))


@dataclass(frozen=True)
class DocumentCase:
    """A file, and the reader that it is given to."""

    reader: str
    content: bytes


def case(rng: Rng) -> DocumentCase:
    """Draw a file, from nearly right to nonsense."""
    reader = pick(rng, tuple(READERS))
    data = _near(rng, reader) if chance(rng, 0.6) else _data(rng, reader, 3)
    text = changed_text(rng, yaml_text(rng, data), pick(rng, (0, 0, 1, 1, 2, 4)))
    return DocumentCase(reader, as_bytes(rng, text))


def attempt(case: DocumentCase, folder: Path) -> Any:
    """Read the file."""
    file = folder / "document.yaml"
    file.write_bytes(case.content)
    return READERS[case.reader](file)


def refused(case: DocumentCase, error: UsageError, folder: Path) -> None:
    """Every fault names the file."""
    for fault in error.faults:
        assert "document.yaml" in str(fault), f"no file: {fault}"


def hold(case: DocumentCase, taken: Any, folder: Path) -> None:
    """The document's plain data is read back equal from its own text."""
    text = (folder / "document.yaml").read_text(encoding="utf-8")
    try:
        data = parse_document(text).data
    except DocumentError as error:
        raise AssertionError(f"read, and not read again: {error}") from error
    again = parse_document(dump(data)).data
    assert repr(again) == repr(data)  # NaN is not equal to itself


def _near(rng: Rng, reader: str) -> Any:
    """Return the data of a document that is right but for some places."""
    if reader == "space":
        data, known = pick(rng, spaces.known()), spaces.words()
    elif reader == "schema":
        data, known = schemas.schema_data(rng), SCHEMA_KEYS
    else:
        data, known = _options(rng), OPTIONS
    return changed_data(rng, data, known, pick(rng, (0, 0, 1, 2)))


def _options(rng: Rng) -> dict[str, Any]:
    known: dict[str, Any] = {
        "data": pick(rng, ("kuairand", ["a.csv", "b.csv"])),
        "trials": 3,
        "time": pick(rng, ("30m", "90s", "1h")),
        "latency-ms": 30,
        "metric": pick(rng, ("auc", "auc:click=1,auc:buy=0.5", "auc@score", "rmse")),
        "seed": 1,
        "label": "click",
        "space": "ctr",
        "resume": False,
        "join": ["users.parquet:user_id"],
    }
    return {key: known[key] for key in some(rng, list(known), least=1)}


def _data(rng: Rng, reader: str, depth: int) -> Any:
    """Return data of no form, whose keys are often those of the reader."""
    if depth == 0 or chance(rng, 0.2):
        return pick(rng, ODD_DATA)
    if chance(rng, 0.3):
        return [_data(rng, reader, depth - 1) for _ in range(below(rng, 4))]
    known = {"space": spaces.words(), "schema": SCHEMA_KEYS, "options": OPTIONS}[reader]
    keys = [pick(rng, known if chance(rng, 0.8) else WORDS) for _ in range(between(rng, 1, 5))]
    return {key: _data(rng, reader, depth - 1) for key in keys}
