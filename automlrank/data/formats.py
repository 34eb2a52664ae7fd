"""Formats of tables by the endings of files, and whether their contents are of them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from automlrank.errors import DataError

KINDS = {
    ".parquet": "Parquet",
    ".csv": "CSV",
    ".tsv": "TSV",
    ".txt": "text",
    **dict.fromkeys((".arrow", ".feather", ".ipc"), "Arrow"),
}
ENDINGS = tuple(KINDS)
TEXT = ("CSV", "TSV", "text")
PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""Compression of a text file by what stands behind its ending."""
CHECKED_BYTES = 16 << 20  # of a file that is read twice: pyarrow reads it in 0.1 s
ARROW_FILE = b"ARROW1"  # what the file form begins with; the stream form does not
PARQUET_FILE = b"PAR1"  # what it begins and ends with
FOREIGN = {
    b"\x1f\x8b": ("gzip", "Let its name end in .csv.gz."),
    b"BZh91AY": ("bzip2", "Let its name end in .csv.bz2."),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "Let its name end in .csv.zst."),
    b"PK\x03\x04": ("a zip archive or a workbook of Excel", "Save its table as CSV or Parquet."),
    b"\xd0\xcf\x11\xe0": ("a workbook of Excel", "Save its table as CSV or Parquet."),
    b"\x89HDF": ("HDF5", "Save its table as CSV or Parquet."),
    b"Obj\x01": ("Avro", "Save its table as CSV or Parquet."),
    b"SQLite format 3\x00": ("a database of SQLite", "Save its table as CSV or Parquet."),
}
"""Names and ways out of formats that files begin with."""


def kind_of(path: Path) -> str | None:
    """Parquet, CSV, TSV, text or Arrow, by the ending; None for any other."""
    name = path.name.lower()
    bare = name.removesuffix(packing(path))
    kind = next((kind for end, kind in KINDS.items() if bare.endswith(end)), None)
    return kind if kind in TEXT or bare == name else None


def packing(path: Path) -> str:
    """The ending that names a compression, or nothing."""
    return next((end for end in PACKED if path.name.lower().endswith(end)), "")


def is_text(path: Path) -> bool:
    """Return True for a file of text with separators."""
    return kind_of(path) in TEXT


def check_content(path: Path) -> bytes:
    """The first bytes of a file; raises DataError if they are none, or those of another format."""
    with path.open("rb") as opened:
        head = opened.read(16)
        opened.seek(max(0, opened.seek(0, 2) - len(PARQUET_FILE)))
        tail = opened.read()
    if not head:
        raise DataError(f"{path} is empty.")
    kind = kind_of(path)
    hint = ""
    found = "Parquet" if head.startswith(PARQUET_FILE) and tail == PARQUET_FILE else None
    if head.startswith(ARROW_FILE + b"\0\0"):
        found = "Arrow"
    if found:
        hint = f"Let its name end in .{found.lower()}."
    elif not packing(path):
        found, hint = _foreign(head)
    if found and found != kind:
        raise DataError(f"{path} holds {found}, not {kind} as its name says.", hint)
    return head


def _foreign(head: bytes) -> tuple[str | None, str]:
    return next((found for magic, found in FOREIGN.items() if head.startswith(magic)), (None, ""))


def check_lengths(path: Path, head: bytes) -> None:
    """Read all batches of a small file.

    Where lengths are damaged, Polars asks for memory that ends the process, and pyarrow does not.
    """
    if path.stat().st_size > CHECKED_BYTES:
        return
    with contextlib.suppress(pa.ArrowNotImplementedError):  # Polars may have what pyarrow has not
        if kind_of(path) == "Parquet":
            with pq.ParquetFile(path) as opened:
                for _ in opened.iter_batches():
                    pass
        elif head.startswith(ARROW_FILE):
            with pa.memory_map(str(path)) as opened, pa.ipc.open_file(opened) as reader:
                for number in range(reader.num_record_batches):
                    reader.get_batch(number).validate(full=True)
