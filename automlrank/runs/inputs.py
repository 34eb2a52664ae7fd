"""Inputs of a run on disk: written when it starts, and read by workers and exports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automlrank.data.checksum import Known, damaged_files, entry_of
from automlrank.data.dataset import Dataset
from automlrank.data.store import as_system_errors
from automlrank.data.transform import FORMAT, Encoder
from automlrank.documents import dump, read_json, read_text
from automlrank.errors import DocumentError, RunError
from automlrank.files import write_text
from automlrank.runs.reading import OtherVersionError, reading, unread
from automlrank.schema import Schema, read_schema
from automlrank.space.space import Space

SCHEMA, SPACE, ENCODER = "schema.yaml", "space.yaml", "data/encoder"
STORE, CHECKSUMS = "data/store.txt", "data/checksums.json"


class RunInputs:
    """``schema.yaml space.yaml data/``: the encoder, the path of the encoded store, checksums.

    ``hint`` is the advice for a file that is damaged: a search that is continued writes all again.
    """

    def __init__(self, path: Path, hint: str) -> None:
        self.path = path
        self.hint = hint

    def write(self, data: Dataset, space: Space) -> None:
        """Write all files, the checksums last."""
        encoder_folder = self.path / ENCODER
        encoder_folder.mkdir(parents=True, exist_ok=True)
        with as_system_errors():
            data.encoder.save(encoder_folder)
        write_text(self.path / STORE, f"{data.folder.absolute()}\n")
        write_text(self.path / SCHEMA, dump(data.schema.to_data()))
        write_text(self.path / SPACE, dump(space.to_data()))
        files = [self.path / SCHEMA, self.path / SPACE, *encoder_folder.iterdir()]
        known = {str(file.relative_to(self.path)): entry_of(file) for file in files}
        write_text(self.path / CHECKSUMS, json.dumps(known, indent=1))

    def dataset(self, name: str) -> Dataset:
        """Return the encoded table; raises DataError if it is gone or damaged."""
        with reading(self.path / STORE, self.hint):
            folder = read_text(self.path / STORE).strip()
        return Dataset.load(folder, name)

    def schema(self) -> Schema:
        """Return the schema as the search had it; it may be fitted to another table."""
        with self.checked(SCHEMA):
            return read_schema(self.path / SCHEMA)

    def fitted_schema(self) -> Schema:
        """Return the schema with its columns' sizes."""
        return self.schema().fitted(self.encoder().sizes)

    def space(self) -> Space:
        with self.checked(SPACE):
            return Space.read(self.path / SPACE)

    def encoder(self) -> Encoder:
        """Return the encoder; raises RunError for one of another version, or a damaged one."""
        self.check_version()
        with self.checked(ENCODER):
            return Encoder.load(self.path / ENCODER)

    def check_version(self) -> None:
        """Raise OtherVersionError for an encoder of another version."""
        try:
            document = read_json(self.path / ENCODER / "encoder.json")
        except DocumentError:
            return  # it has no version
        found = document.get("format") if isinstance(document, dict) else None
        if isinstance(found, int) and found != FORMAT:
            raise OtherVersionError(
                f"{self.path} was made by another version of automlrank: its encoder has format "
                f"{found}, but this version reads {FORMAT}.",
                "Run the search again with this version, or use the version that wrote it.",
            )

    @contextmanager
    def checked(self, place: str) -> Iterator[None]:
        """Raise RunError if a file of the place is not as it was written, or cannot be read."""
        with reading(self.path / CHECKSUMS, self.hint):
            known = _below(place, read_json(self.path / CHECKSUMS))
        for name in damaged_files(self.path, known):
            raise RunError(unread(self.path / name, "it is missing or damaged"), self.hint)
        with reading(self.path / place, self.hint):
            yield


def _below(place: str, known: object) -> Known:
    """Return the checksums of the files of a place; raises RunError if there are none."""
    if isinstance(known, dict):
        found = {name: entry for name, entry in known.items() if name.startswith(place)}
        if found and all(isinstance(e, list) and len(e) == 2 for e in found.values()):
            return found
    raise RunError("it does not hold the checksums of this run.")
