"""Runs of a benchmark as JSON lines, appended as they end: a program goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
    """The runs of a file; none where there is no file yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(path: Path, run: dict[str, Any]) -> None:
    """Print a run and append it."""
    print(run, flush=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")
