"""Exports whose files were tampered with, and tables of all sorts given to their train.py."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import runpy
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from automlrank.errors import UsageError
from automlrank.jobs.export import export

from .command import Ended
from .damage import DAMAGES, damaged
from .draws import between, chance, pick, some
from .frames import column, frame, without_objects
from .judge import Rng
from .runs import made
from .storage import Storage, is_plain, storage, store, writable

MODULES = ("encoder", "measurement", "model", "objective", "training")  # of an export
FILES = ("config.yaml", "config.yaml", "encoder.json", "vocabularies.parquet", "rates.npz")
FILES = (*FILES, "weights.safetensors")
CHANGES = ("respelled", "respelled", "columns", "columns", "values", "random", "damaged")


@dataclass(frozen=True)
class ExportCase:
    """Damage to a file of an export, or the table that it is given."""

    file: str
    """Damaged file of the export; empty for none."""
    damage: str
    change: str
    """What was done to the table; empty for nothing."""
    frame: pl.DataFrame
    storage: Storage
    seed: int


def case(rng: Rng) -> ExportCase:
    """Draw a damaged export, or a strange table."""
    seed = between(rng, 0, 2**31)
    file = pick(rng, FILES) if chance(rng, 0.5) else ""
    change = "" if file else pick(rng, CHANGES)
    table = table_of(rng, change)
    kind = storage(rng, is_plain(table), ("file", "folder"))
    return ExportCase(file, pick(rng, DAMAGES), change, writable(table, kind), kind, seed)


def table_of(rng: Rng, change: str) -> pl.DataFrame:
    """Return the table of the run, or a change of it."""
    whole = pl.read_parquet(made() / "table.parquet")
    match change:
        case "respelled":
            numbers = [name for name, kind in whole.schema.items() if kind.is_integer()]
            kinds = (pl.String, pl.Float64, pl.Int32, pl.Decimal(20, 0))
            return whole.with_columns(
                pl.col(name).cast(pick(rng, kinds)) for name in some(rng, numbers, least=1)
            )
        case "columns":
            kept = some(rng, whole.columns, least=1)
            return whole.select(kept) if chance(rng, 0.5) else whole.rename({kept[0]: "other"})
        case "values":
            names = some(rng, whole.columns, least=1, most=3)
            others = pl.DataFrame([column(rng, whole.height).alias(name) for name in names])
            return without_objects(whole.with_columns(others.get_columns()))
        case "random":
            return without_objects(frame(rng))
        case _:
            return whole


@functools.cache
def exported() -> tuple[Path, str]:
    """Return the export of the small run, and what it says of the run's table."""
    out = made() / "export"
    export(made() / "run", out)
    ended = score(out, made() / "table.parquet")
    assert ended.code == 0, ended
    return out, ended.out


def score(folder: Path, data: Path) -> Ended:
    """Run ``train.py DATA --score`` in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with _as_script(folder, str(data), "--score", "--test"):
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                runpy.run_path(str(folder / "train.py"), run_name="__main__")
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
    return Ended(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _as_script(folder: Path, *arguments: str) -> Iterator[None]:
    """Import the export's own modules, and forget them with the handlers of its log."""
    argv, path = sys.argv, list(sys.path)
    sys.argv, sys.path[:0] = ["train.py", *arguments], [str(folder)]
    root = logging.getLogger()
    handlers, root.handlers, level = root.handlers, [], root.level
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
        root.handlers, root.level = handlers, level
        for name in [name for name in sys.modules if name.partition(".")[0] in MODULES]:
            del sys.modules[name]


def attempt(case: ExportCase, folder: Path) -> Ended:
    """Score the table; exit 2 is a refusal."""
    place, rng = folder / "export", np.random.default_rng(case.seed)
    shutil.copytree(exported()[0], place)
    if case.file:
        others = [place / name for name in set(FILES) if (place / name).exists()]
        damaged(rng, place / case.file, case.damage, sorted(others))
    source, files = store(case.frame, case.storage, folder / "data")
    if case.change == "damaged":
        damaged(rng, pick(rng, files), pick(rng, ("flip", "cut", "empty", "zeros", "foreign")))
    ended = score(place, source)
    if ended.code == 2:
        raise UsageError(ended.err.strip())
    return ended


def refused(case: ExportCase, error: UsageError, folder: Path) -> None:
    """One line, on a file; other spellings of the same values are no reason."""
    assert len(str(error).splitlines()) == 1, error
    assert str(folder) in str(error), error
    assert case.file or case.change not in ("", "respelled"), error


def hold(case: ExportCase, taken: Ended, folder: Path) -> None:
    """The split is scored; the same model and values score the same, however they are spelled.

    ``config.yaml`` is there to be edited.
    """
    assert taken.code == 0, taken
    assert taken.out.startswith("valid: "), taken
    if case.change in ("", "respelled") and case.file != "config.yaml":
        assert taken.out == exported()[1], (taken.out, exported()[1])
