"""SHA-256 of files, remembered between runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from automlrank.data.cache import default_cache
from automlrank.data.formats import kind_of
from automlrank.data.pieces import TableFile
from automlrank.errors import DataError

REMEMBERED_BYTES = 16 << 20  # smaller files are read in 20 ms
SETTLED_SECONDS = 2.0  # a file just written may change again within its clock's tick


def digest_of_files(files: Iterable[TableFile]) -> str:
    """SHA-256 of the files' formats, keys and contents, in their order, wherever they lie.

    Raises DataError if one cannot be read.
    """
    total = hashlib.sha256()
    for file in files:
        said = (kind_of(file.path), sorted(file.keys.items()), file.deleted)
        total.update(repr(said).encode())
        try:
            total.update(_digest_of(file.path))
        except OSError as error:
            raise DataError(f"{file.path} cannot be read: {error.strerror}.") from None
    return total.hexdigest()


def _digest_of(file: Path) -> bytes:
    """SHA-256 of a file, which is not read again while its size and time stay the same."""
    state = file.stat()
    if state.st_size < REMEMBERED_BYTES:
        return _read(file)
    key, stamp = str(file.resolve()), [state.st_size, state.st_mtime_ns]
    match _remembered().get(key):
        case [size, changed, str(known)] if [size, changed] == stamp:
            return bytes.fromhex(known)
    found = _read(file)
    if time.time() - state.st_mtime > SETTLED_SECONDS:
        _remember(key, [*stamp, found.hex()])
    return found


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def _remembered() -> dict[str, object]:
    """Return the known digests; without a readable file the data is only read again."""
    try:
        known = json.loads((default_cache() / "digests.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(key: str, value: list[object]) -> None:
    """Replace the file as a whole; where it cannot be written, the next run reads the data."""
    known = {name: entry for name, entry in _remembered().items() if Path(name).exists()}
    place = default_cache() / "digests.json"
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=place.parent, prefix="digests-", encoding="utf-8", delete=False
        ) as written:
            json.dump(known | {key: value}, written)
        os.replace(written.name, place)
