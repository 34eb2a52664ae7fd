"""The command line's options are the declared ones, and a file may hold them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automlrank.documents import dump, read_document
from automlrank.jobs import search as search_job
from automlrank.jobs.options import COMMANDS, SearchOptions
from automlrank.jobs.result import load_run
from automlrank.options.base import fields_of, shown_default, spelling
from automlrank.options.files import RECORD
from automlrank.options.kinds import KEY

Asked = list[SearchOptions]


class Enough(Exception):
    """Ends a search that has its options."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The options of each search, none of which is run."""
    found: Asked = []

    def search(**arguments: Any) -> None:
        found.append(SearchOptions(**arguments))
        raise Enough

    monkeypatch.setattr(search_job, "search", search)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_the_declared_options(name: str, command: Callable[..., Any]) -> None:
    """Each with its help, its placeholder and its default, and no other but two."""
    text = command(*name.split(), "--help").out
    words = " ".join(text.split())
    said = set(re.findall(r"^  --([a-z-]+)", text, re.MULTILINE)) - {"format", "help"}
    items = fields_of(COMMANDS[name])
    assert said == {spelling(item) for item in items if not item.metadata[KEY].argument}
    for item in items:
        option = item.metadata[KEY]
        assert option.help in words
        assert option.metavar in text
        if default := shown_default(item):
            assert f"[default: {default}]" in words


def test_the_command_line_wins_over_the_file(
    tmp_path: Path, command: Callable[..., Any], asked: Asked
) -> None:
    """Even with a value that is the default; paths of the file lie beside it."""
    file = tmp_path / "search.yaml"
    file.write_text("data: table.parquet\ntrials: 7\nseed: 3\ntime: 30m\njoin: [side.csv:id]\n")
    command("search", "--config", file, "--seed", 0, "--trial-time", "90s")
    command("search", "other.parquet", "--config", file)
    first, second = asked
    assert first.data == [str(tmp_path / "table.parquet")]
    assert first.joins == [str(tmp_path / "side.csv:id")]
    assert (first.trials, first.seed, first.time, first.trial_time) == (7, 0, 1800.0, 90.0)
    assert second.data == ["other.parquet"]
    assert second.seed == 3


def test_a_wrong_file_exits_with_2_and_every_line(
    tmp_path: Path, command: Callable[..., Any]
) -> None:
    file = tmp_path / "search.yaml"
    file.write_text("data: x.csv\ntrails: 7\nlatency_ms: 30\nworkers: 0\n")
    ended = command("search", "--config", file)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        f"Error: {file}:2: trails: no such option. Did you mean 'trials'?",
        f"Error: {file}:3: latency_ms: no such option. Did you mean 'latency-ms'?",
        f"Error: {file}:4: workers: must be 1 or more, but got 0.",
    ]


def test_a_missing_file_exits_with_2(tmp_path: Path, command: Callable[..., Any]) -> None:
    ended = command("search", "--config", tmp_path / "none.yaml")
    assert ended.code == 2
    assert f"no such file: {tmp_path / 'none.yaml'}" in ended.err


def test_a_run_holds_its_options_and_gives_them_to_another(
    searched: tuple[Path, Any],
    inputs: Path,
    tmp_path: Path,
    command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``--config RUN/run.yaml`` alone is the same search, into a folder of its own."""
    folder, _ = searched
    run = read_document(folder / "run.yaml").data
    assert isinstance(run, dict)
    options = run[RECORD]
    assert not (folder / "goal.json").exists()
    assert {"out", "resume", "config"}.isdisjoint(options)
    assert options["data"] == str(inputs / "impressions.parquet")
    assert (options["trials"], options["latency-ms"], options["candidates"]) == (2, 1000.0, 20)
    monkeypatch.chdir(tmp_path)
    ended = command("search", "--config", folder / "run.yaml", "--trials", 1, "--out", "again")
    assert (ended.code, ended.err) == (0, "")
    again = read_document(tmp_path / "again" / "run.yaml").data
    assert isinstance(again, dict)
    assert again[RECORD] == {**options, "trials": 1}
    assert dump(again["rows"]) == dump(run["rows"])


def test_a_trial_whose_weights_are_gone_is_told_with_the_file(
    searched: tuple[Path, Any], tmp_path: Path, command: Callable[..., Any]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(searched[0], folder)
    record = next(record for record in load_run(folder).results.complete if not record.name)
    (folder / "trials" / record.fingerprint / "weights.safetensors").unlink(missing_ok=True)
    ended = command("export", folder, "--trial", record.number, "--out", tmp_path / "code")
    assert ended.code == 2
    assert "weights.safetensors" in ended.err
    assert "--resume" in ended.err
    assert not (tmp_path / "code").exists()
