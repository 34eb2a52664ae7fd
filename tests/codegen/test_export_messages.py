"""The messages of an exported ``train.py``: names on one line, the file of a wrong value."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from automlrank.architecture import Architecture
from automlrank.codegen.folder import export_architecture
from automlrank.data.dataset import Dataset
from automlrank.model.network import build_model

Make = Callable[[str], Architecture]
Load = Callable[[Path], dict[str, Any]]


@pytest.fixture
def exported(
    data: Dataset, make: Make, load_script: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """The exit code of the command line of an export."""
    model = build_model(make("lr"), data.schema, seed=5)
    out, weights = tmp_path / "export", model.state_dict()
    export_architecture(make("lr"), data.schema, data.encoder, out, weights=weights)
    script = load_script(out)

    def run(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["train.py", *map(str, arguments)])
        try:
            script["main"](script["PARTS"], script["FILES"])
        except SystemExit as ended:
            return int(str(ended.code))
        return 0

    return run


HIDDEN = {
    "\x1b[31m": "\\x1b[31m",
    "\r": "\\r",
    "\n": "\\n",
    "\u202e": "\\u202e",
    "\u200b": "\\u200b",
}


def test_characters_that_are_not_seen_are_printed_as_escapes(
    table: Path, exported: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In names of files, in values that are named, and in what the command line gets."""
    name, escaped = "".join(HIDDEN), "".join(HIDDEN.values())
    users = pl.format("{}{}", pl.lit(name), pl.col("user_id"))
    path = tmp_path / f"{name}.parquet"
    pl.read_parquet(table).with_columns(user_id=users).write_parquet(path)
    pl.DataFrame({name: [1]}).write_parquet(tmp_path / f"{name}2.parquet")
    assert exported(path, "--score") == 0
    warned = capsys.readouterr().err
    assert exported(tmp_path / f"{name}2.parquet") == 2
    assert exported(tmp_path / f"{name}3.parquet") == 2
    assert exported(path, f"--{name}") == 2
    said = capsys.readouterr().err
    assert escaped in warned
    assert said.count(escaped) == 3
    assert not [c for c in warned + said if not c.isprintable() and c != "\n"]


@pytest.mark.parametrize(("column", "wrong"), [("price", 1e300), ("time", None)])
def test_the_file_of_a_folder_that_holds_a_wrong_value_is_named(
    column: str,
    wrong: float | None,
    table: Path,
    exported: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the row that it has in its own file."""
    folder = tmp_path / "parts"
    folder.mkdir()
    frame = pl.read_parquet(table)
    frame.head(900).write_parquet(folder / "a.parquet")
    changed = frame[column].tail(500).scatter(6, wrong)
    frame.tail(500).with_columns(changed).write_parquet(folder / "b.parquet")
    assert exported(folder, "--score") == 2
    assert f"{folder / 'b.parquet'}: row 7: column {column!r}" in capsys.readouterr().err


def test_names_that_a_console_lacks_are_printed_as_escapes(
    exported: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consoles = [io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2)]
    for name, console in zip(("stdout", "stderr"), consoles, strict=True):
        monkeypatch.setattr(sys, name, console)
    assert exported(tmp_path / "\N{ROCKET}.csv") == 2
    for console in consoles:
        console.write("\N{ROCKET}")
        console.seek(0)
    assert consoles[0].read() == "\\U0001f680"
    assert "\\U0001f680.csv" in consoles[1].read()
