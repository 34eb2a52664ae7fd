"""``automlrank space``: all faults with their lines, sizes, trees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automlrank.blocks.domains import ints, logs, one_of, short
from automlrank.space.shipped import shipped
from automlrank.space.space import Space


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_file_is_right(name: str, command: Callable[..., Any]) -> None:
    ended = command("space", "check", name)
    assert (ended.code, ended.err) == (0, "")
    assert "every draw can be wired" in ended.out
    assert command("space", "check", name, "--format", "quiet").out == ""


def test_check_tells_every_mistake_with_its_line(
    tmp_path: Path, command: Callable[..., Any]
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "name: x\ngate: senett\ninteraction:\n  stack:\n    - fm\n    - {mlp: {width: 9999}}\n"
    )
    ended = command("space", "check", file)
    assert ended.code == 2
    assert ended.err.splitlines() == [
        f"Error: {file}:2: gate: no block 'senett'. Did you mean 'senet'?",
        f"Error: {file}:5: interaction.stack[0]: gives a Logit, so only the last member of a "
        "stack may stand here.",
        f"Error: {file}:6: interaction.stack[1].mlp.width: mlp.width must be a whole number "
        "from 1 to 4096, but got 9999.",
    ]


def test_check_tells_wiring_and_references(tmp_path: Path, command: Callable[..., Any]) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "name: x\nreferences: [lr, depfm]\ninteraction:\n  stack:\n    - fm\n    - mlp\n"
    )
    ended = command("space", "check", file)
    assert ended.code == 2
    assert f"{file}:5: interaction.stack[0]: gives a Logit" in ended.err
    assert f"{file}:2: references[1]: no architecture 'depfm'. Did you mean 'deepfm'?" in ended.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("interaction: [", "not valid YAML"),
        ("interaction: !!python/object/apply:os.system [ls]", "tag"),
        ("", "the file is empty."),
    ],
)
@pytest.mark.parametrize("what", ["check", "count", "show"])
def test_a_file_that_is_no_space(
    what: str, text: str, sentence: str, tmp_path: Path, command: Callable[..., Any]
) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text)
    ended = command("space", what, file)
    assert ended.code == 2
    assert sentence in ended.err
    assert ended.out == ""


def test_count_is_the_product_of_the_choices(tmp_path: Path, command: Callable[..., Any]) -> None:
    """2 dims x (1 + 3 widths) x 1: draws; the learning rate is continuous."""
    file = tmp_path / "space.yaml"
    file.write_text(
        "name: x\nembedding: {dim: [8, 16], l2: 0.1}\n"
        "interaction: {choose: [fm, {mlp: {width: [4, 8, 16], depth: 1}}]}\n"
        "training: {learning_rate: {log: [1e-4, 1e-2]}, batch_size: 512, dropout: 0.0, "
        "batch_norm: false}\n"
    )
    data = json.loads(command("space", "count", file, "--format", "json").out)
    assert data == {"draws": 8, "continuous": ["training.learning_rate"]}
    assert command("space", "count", file, "--format", "quiet").out == "8\n"
    assert "8 draws" in command("space", "count", file).out


def test_show_draws_every_block(command: Callable[..., Any]) -> None:
    out = command("space", "show", "ctr").out
    assert all(name in out for name in ("cross_net_v2", "ppnet", "gated_sum", "lr, deepfm"))
    assert "width 64|128|256|400" in out


def test_show_in_other_formats_reads_back(tmp_path: Path, command: Callable[..., Any]) -> None:
    """What json and quiet print is the same space."""
    space = Space.read(shipped()["ctr"])
    assert Space.read(json.loads(command("space", "show", "ctr", "--format", "json").out)) == space
    copy = tmp_path / "copy.yaml"
    copy.write_text(command("space", "show", "ctr", "--format", "quiet").out)
    assert Space.read(copy) == space


def test_a_domain_in_few_letters() -> None:
    assert short(one_of(64, None, True)) == "64|null|true"
    assert short(ints(1, 8)) == "1..8"
    assert short(logs(1e-3, 10)) == "0.001..10 log"
