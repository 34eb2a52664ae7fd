"""A file with the progress of a worker's current training, for the coordinator to read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from automlrank.files import write_text
from automlrank.runs.events import TrainingUpdate
from automlrank.runs.field_types import check_fields
from automlrank.training.progress import Progress


def write_progress(folder: Path, worker: str, training: TrainingUpdate) -> None:
    """Write the training of ``worker`` and how far it has come."""
    write_text(folder / _file_of(worker), json.dumps(dataclasses.asdict(training)))


def read_progress(folder: Path, worker: str) -> TrainingUpdate | None:
    """Return the last progress of ``worker``, or None."""
    try:
        data = json.loads((folder / _file_of(worker)).read_bytes())
        found = TrainingUpdate(**{**data, "progress": Progress(**data["progress"])})
        check_fields(found)
    except (OSError, KeyError, TypeError, ValueError):  # not there yet, or damaged
        return None
    return found


def _file_of(worker: str) -> str:
    return f"{worker}.progress.json"
