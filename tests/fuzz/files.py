"""Files of every form and option, whole ones and damaged ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from automlrank.data.read import open_table
from automlrank.errors import UsageError

from .command import command
from .damage import damaged
from .draws import between, chance, pick
from .frames import LABEL, frame, without_objects
from .judge import Rng
from .storage import Storage, is_plain, plain_columns, storage, store, writable
from .tables import Opened, holds, opened

DAMAGES = ("flip", "flip", "cut", "cut", "tail", "empty", "zeros", "foreign", "foreign")
DAMAGES = (*DAMAGES, "edit", "folder", "gone", "link")
TYPED = 0.15  # share of cases that `data inspect` is given, too


@dataclass(frozen=True)
class FileCase:
    """A frame, its form as files, and the damage done to one of them."""

    frame: pl.DataFrame
    storage: Storage
    damage: str
    """Empty for none."""
    seed: int
    typed: bool


def case(rng: Rng) -> FileCase:
    """Draw a frame and its form; half of the files are damaged."""
    table = without_objects(frame(rng, odd_names=0.1))
    if chance(rng, 0.6) and plain_columns(table):
        table = table.select(pl.nth([table.columns.index(n) for n in plain_columns(table)]))
    kind = storage(rng, is_plain(table))
    table = writable(table, kind)
    damage = pick(rng, DAMAGES) if chance(rng, 0.5) else ""
    return FileCase(table, kind, damage, between(rng, 0, 2**31), chance(rng, TYPED))


def attempt(case: FileCase, folder: Path) -> Opened:
    """Write the files, damage one, and open the table."""
    source, files = store(case.frame, case.storage, folder / "data")
    if case.damage:
        rng = np.random.default_rng(case.seed)
        damaged(rng, pick(rng, files), case.damage)
    return opened(source, None, LABEL, folder)


def refused(case: FileCase, error: UsageError, folder: Path) -> None:
    """A file that cannot be opened is named."""
    source, files = folder / "data", list((folder / "data").rglob("*"))
    told = str(error)
    words = ("cannot be read", "damaged", "is empty", "header is row 1", "no such file")
    if any(word in told for word in words):
        assert any(file.name in told for file in (source, *files)), f"no file: {told}"


def hold(case: FileCase, taken: Opened, folder: Path) -> None:
    """Undamaged rows and columns are all there; encoded again, they are the same."""
    source, _ = store(case.frame, case.storage, folder / "again") if not case.damage else (None, [])
    if source is not None:
        holds(source, case.frame.height, taken)
        with open_table(source) as table:
            given = [name.strip() for name in case.frame.columns]
            kept = [name for name in table.schema if name != "day" or name in given]
            assert [name.strip() for name in kept] == given
    if case.typed:
        type_inspect(folder / "data", source)


def type_inspect(folder: Path, source: Any) -> None:
    """The command says the same in its three formats."""
    for form in ("json", "human", "quiet"):
        ended = command("data", "inspect", folder, "--label", LABEL, "--format", form)
        if form == "json" and ended.code == 0:
            json.loads(ended.out)
