"""Tables in folders of a folder that are not read are told."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from automlrank.data.read import open_table

PART = pl.DataFrame({"y": [0, 1, 1], "x": [1, 2, 3]})
UNREAD = {
    "beside parts": ("", "old/p.parquet"),
    "far below": ("", "old/2023/p.parquet"),
    "in a folder of a key's folder": ("", "day=1/old/more/p.parquet"),
    "a folder named as a file": ("*.parquet", "whole.parquet/p.parquet"),
    "matched by a pattern": ("*", "old/p.parquet"),
}
TOLD = "1 table file in folders of it not read, such as"


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PART.write_parquet(path)


def read(source: str | list[str]) -> tuple[int, str]:
    """The number of rows, and what was said of them."""
    with open_table(source) as table:
        return table.rows, " ".join(table.notes)


@pytest.mark.parametrize("case", UNREAD)
def test_tables_in_folders_that_are_not_read_are_told(case: str, tmp_path: Path) -> None:
    """With a pattern that reads them."""
    pattern, name = UNREAD[case]
    put(tmp_path / "part.parquet")
    put(tmp_path / name)
    rows, said = read(str(tmp_path / pattern) if pattern else str(tmp_path))
    assert rows == PART.height
    assert f"{TOLD} {tmp_path / name}." in said
    advised = said.split("'")[1]
    assert read(advised)[0] == PART.height * (1 if pattern else 2)


@pytest.mark.parametrize(
    "name", ["_temporary/p.parquet", ".old/p.parquet", "day=2/p.parquet", "docs/notes.txt"]
)
def test_what_is_read_or_no_part_is_not_told(name: str, tmp_path: Path) -> None:
    put(tmp_path / "day=1" / "part.parquet")
    if name.endswith(".txt"):
        (tmp_path / "docs").mkdir()
        (tmp_path / name).write_text("y,x\n1,2\n")
    else:
        put(tmp_path / name)
    assert "not read" not in read(str(tmp_path))[1]


def test_a_folder_that_is_named_beside_its_parent_is_read(tmp_path: Path) -> None:
    put(tmp_path / "part.parquet")
    put(tmp_path / "old" / "p.parquet")
    rows, said = read([str(tmp_path), str(tmp_path / "old")])
    assert (rows, said) == (2 * PART.height, "")
