"""Runs commands in this process, and a small search once for all tests of this folder."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from automlrank.cli import main
from automlrank.data.synthetic import synthetic_frame, synthetic_schema
from automlrank.documents import dump

SPACE = """name: small
references: [lr]
embedding: {dim: 4}
interaction: {parallel: [linear, {choose: [fm, cross_net_v2]}, {mlp: {width: [4, 8], depth: 1}}]}
training: {epochs: 1, batch_size: 512}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def run(*arguments: object) -> Ended:
    """``automlrank`` with these arguments."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["automlrank", *map(str, arguments)]
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main()
    finally:
        sys.argv = before
    code = ended.value.code
    return Ended(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def command() -> Command:
    return run


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, its schema and a small space."""
    folder = tmp_path_factory.mktemp("inputs")
    frame, _ = synthetic_frame(1500, seed=0)
    frame.write_parquet(folder / "impressions.parquet")
    (folder / "schema.yaml").write_text(dump(synthetic_schema().to_data()))
    (folder / "small.yaml").write_text(SPACE)
    return folder


@pytest.fixture(scope="session")
def search_arguments(inputs: Path) -> list[object]:
    """A search that takes a few seconds; its --out is missing."""
    table, schema, space = (
        inputs / name for name in ("impressions.parquet", "schema.yaml", "small.yaml")
    )
    options = ["--schema", schema, "--space", space, "--trials", 2, "--latency-ms", 1000]
    return ["search", table, *options, "--candidates", 20, "--device", "cpu"]


@pytest.fixture(scope="session")
def searched(
    search_arguments: list[object], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Ended]:
    """The folder of a finished search, and what it printed."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMLRANK_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("COLUMNS", "80")
        ended = run(*search_arguments, "--out", folder)
    return folder, ended


@pytest.fixture(scope="session")
def interrupted() -> Callable[..., tuple[int, str, str]]:
    """Runs a command in a process that gets a signal in its fourth trial; code, output, errors."""

    def run(arguments: Sequence[object], number: int) -> tuple[int, str, str]:
        with subprocess.Popen(
            [sys.executable, "-u", "-m", "automlrank", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("trial 3"):
                    break
            process.send_signal(number)
            rest, err = process.communicate(timeout=600)
        return process.returncode, rest, err

    return run
