"""``automlrank blocks``: everything that models are made of."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from automlrank.blocks import BLOCKS
from automlrank.cli.blocks import ports
from automlrank.cli.console import show_what_can_be_shown


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_table_names_every_block(
    columns: str, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name is cut, and no line is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", columns)
    ended = command("blocks")
    assert all(f"  {name} " in ended.out for name in BLOCKS)
    assert max(map(len, ended.out.splitlines())) <= int(columns)
    assert "…" not in ended.out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_console_shows_what_its_encoding_has(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Characters of ours as others that look alike, those of data as escapes."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, newline="\n")
    monkeypatch.setattr("sys.stdout", stream)
    show_what_can_be_shown()
    print("a → b ± 1: \u6771")
    stream.flush()
    shown = {
        "ascii": "a > b +- 1: \\u6771",
        "latin-1": "a > b ± 1: \\u6771",
        "cp1252": "a > b ± 1: \\u6771",
        "utf-8": "a → b ± 1: \u6771",
    }
    assert written.getvalue().decode(encoding) == shown[encoding] + "\n"


@pytest.mark.parametrize("name", BLOCKS)
def test_one_block_shows_every_knob(name: str, command: Callable[..., Any]) -> None:
    ended = command("blocks", name)
    assert ended.code == 0
    assert all(f" {knob} " in ended.out for knob in BLOCKS[name].knobs())
    assert "``" not in ended.out
    assert BLOCKS[name].paper in ended.out


@pytest.mark.parametrize(
    ("name", "said"),
    [("fm", "Fields → Logit"), ("mlp", "Vector → Vector"), ("din", "History → Vector"),
     ("ppnet", "Vector + Context → Vector"), ("bce", "-")],
)  # fmt: skip
def test_ports_are_those_that_the_block_declares(name: str, said: str) -> None:
    assert ports(BLOCKS[name]) == said


def test_json_holds_the_knobs(command: Callable[..., Any]) -> None:
    data = {one["name"]: one for one in json.loads(command("blocks", "--format", "json").out)}
    assert set(data) == set(BLOCKS)
    assert data["mlp"]["knobs"]["depth"] == {
        "default": 2, "inherit": None, "search": [1, 2, 3], "legal": {"int": [0, 8]},
        "help": "layers"}  # fmt: skip
    assert data["mlp"]["knobs"]["dropout"]["inherit"] == "dropout"


def test_quiet_prints_names(command: Callable[..., Any]) -> None:
    assert command("blocks", "--format", "quiet").out.split() == list(BLOCKS)


def test_an_unknown_block_has_a_neighbour(command: Callable[..., Any]) -> None:
    ended = command("blocks", "cross_nt")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "Error: no block 'cross_nt'. Did you mean 'cross_net'?\n"
