"""What a worker trains at the moment, as a file that the coordinator reads."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from automlrank.files import write_text
from automlrank.runs.events import TrainingUpdate
from automlrank.training.progress import Progress


def write_news(folder: Path, worker: str, training: TrainingUpdate) -> None:
    """Say what ``worker`` trains, and how far it has come."""
    write_text(folder / _file_of(worker), json.dumps(dataclasses.asdict(training)))


def read_news(folder: Path, worker: str) -> TrainingUpdate | None:
    """What ``worker`` last said; None where it has said nothing yet."""
    path = folder / _file_of(worker)
    if not path.exists():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    return TrainingUpdate(**{**told, "progress": Progress(**told["progress"])})


def _file_of(worker: str) -> str:
    return f"{worker}.news.json"
