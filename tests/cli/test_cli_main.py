"""The program itself: light help, exit codes, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import automlrank
import automlrank.errors
from automlrank.errors import UsageError
from automlrank.jobs import latency
from automlrank.jobs.options import MetricOptions
from automlrank.measurement.metrics import METRICS
from automlrank.options.base import fields_of
from automlrank.options.kinds import KEY, seconds

COMMANDS = ("search", "train", "latency", "report", "export", "data inspect", "blocks",
            "space check", "space count", "space show")  # fmt: skip
HEAVY = ("torch", "polars", "optuna", "pandas", "numpy", "rich", "plotly")
MOST_MODULES = 500  # half a second on an idle machine


def test_help_imports_nothing_heavy() -> None:
    """``--help`` must answer at once: no torch, no polars, no optuna, no pandas; 420 modules."""
    script = (
        "import sys, atexit\n"
        f"heavy = {HEAVY}\n"
        "atexit.register(lambda: print([m for m in heavy if m in sys.modules], len(sys.modules)))\n"
        "sys.argv = ['automlrank', '--help']\n"
        "from automlrank.cli import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    heavy, modules = ended.stdout.splitlines()[-1].rsplit(maxsplit=1)
    assert heavy == "[]"
    assert int(modules) < MOST_MODULES


def test_help_names_every_command(command: Callable[..., Any]) -> None:
    text = command("--help").out
    assert all(name.split()[0] in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_a_format(name: str, command: Callable[..., Any]) -> None:
    ended = command(*name.split(), "--help")
    assert ended.code == 0
    assert "human|json|quiet" in ended.out


def test_version(command: Callable[..., Any]) -> None:
    assert command("--version").out == f"automlrank {automlrank.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serch"], "No such command 'serch'."),
        (["search"], "Missing argument 'DATA'."),
        (["search", "x.csv", "--trails", "3"], "No such option: --trails"),
        (["search", "x.csv", "--time", "30"], "such as 90s, 30m or 2h, but got '30'."),
        (["search", "x.csv", "--trials", "many"], "Invalid value for '--trials'"),
        (["blocks", "--format", "xml"], "Invalid value for '--format'"),
        (["export", "run"], "Missing option '--out'"),
        (["export", "run", "--out", "x", "--trial", "1", "--max-latency-ms", "3"],
         "--trial and --max-latency-ms both choose a trial."),
    ],
)  # fmt: skip
def test_wrong_use_exits_with_2(
    arguments: list[str], sentence: str, command: Callable[..., Any]
) -> None:
    ended = command(*arguments)
    assert ended.code == 2
    assert sentence in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("30m", 1800), ("1.5h", 5400)])
def test_a_time_has_a_unit(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    "text", ["", "30", "m", "-3m", "0s", "3d", "1h30m", "nans", "9" * 400 + "h"]
)
def test_another_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="90s, 30m or 2h"):
        seconds(text)


def test_the_help_names_the_metrics_that_there_are() -> None:
    (metric,) = fields_of(MetricOptions)
    assert metric.metadata[KEY].metavar == "|".join(METRICS)


class Panic(BaseException):
    """An error of a library in Rust, which is none of Exception."""


def raising(error: BaseException) -> Callable[..., None]:
    def job(*_: object, **__: object) -> None:
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ZeroDivisionError("by zero"), 1, "Internal error: ZeroDivisionError: by zero\n"),
        (KeyboardInterrupt(), 130, "Interrupted: the command did not finish.\n"),
        (PermissionError(13, "Permission denied", "/x"), 2, "Error: Permission denied: /x.\n"),
        (OSError(28, "No space left on device"), 2, "Error: No space left on device.\n"),
        (OSError("LZ4 error"), 1, "Internal error: OSError: LZ4 error\n"),
        (MemoryError(), 1, "Error: there is not enough memory.\n"),
        (Panic("index out of bounds"), 1, "Internal error: Panic: index out of bounds\n"),
        (automlrank.errors.TrialError("the loss is nan"), 1, "Error: the loss is nan\n"),
        (automlrank.errors.RunError("no.", "Do."), 2, "Error: no. Do.\n"),
    ],
)
def test_what_goes_wrong_inside_is_a_sentence(
    error: BaseException,
    code: int,
    sentence: str,
    command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(latency, "latency", raising(error))
    monkeypatch.delenv("AUTOMLRANK_DEBUG", raising=False)
    ended = command("latency", "lr", "kuairand")
    assert ended.code == code
    assert ended.err.startswith(sentence)
    assert ended.out == ""


def test_a_developer_may_ask_for_the_traceback() -> None:
    """Only with AUTOMLRANK_DEBUG=1 does an unexpected error show where it comes from."""
    script = (
        "import sys\n"
        "from automlrank.jobs import latency\n"
        "latency.latency = lambda *_, **__: 1 / 0\n"
        "sys.argv = ['automlrank', 'latency', 'lr', 'kuairand']\n"
        "from automlrank.cli import main\n"
        "main()\n"
    )
    for debug, shown in (("1", True), ("", False)):
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                               env={**os.environ, "AUTOMLRANK_DEBUG": debug})  # fmt: skip
        assert ended.returncode == 1
        assert ("Traceback" in ended.stderr) is shown
        assert "ZeroDivisionError: division by zero" in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("words", [["--help"], ["search", "--help"], ["--version"], ["blocks"]])
def test_output_that_finds_no_room_is_a_sentence(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        line = [sys.executable, "-m", "automlrank", *words]
        ended = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: No space left on device.\n")
    assert "Traceback" not in ended.stderr
