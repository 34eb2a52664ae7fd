"""Watch the search from a worker: report its training, stop when the search stops."""

from __future__ import annotations

import time

import optuna

from automlrank.runs.events import Event, Listen, TrainingUpdate
from automlrank.runs.folder import RunFolder
from automlrank.runs.stop_reasons import INTERRUPTED
from automlrank.study.attributes import StudyAttributes
from automlrank.workers.progress_file import write_progress

LOOK_SECONDS = 2.0  # between two looks at the search


class Stopped(KeyboardInterrupt):
    """The coordinator died, or told its workers to stop at once."""


class SearchWatch:
    """Passes events on; every now and then writes the training's progress and checks the search.

    Raises Stopped if the search runs no more. This cuts the trial off: it is run again when the
    search is resumed.
    """

    def __init__(self, folder: RunFolder, name: str, study: optuna.Study, listen: Listen) -> None:
        self.folder = folder
        self.name = name
        self.study = StudyAttributes(study)
        self.listen = listen
        self.looked = time.monotonic()

    def __call__(self, event: Event) -> None:
        self.listen(event)
        if isinstance(event, TrainingUpdate) and time.monotonic() - self.looked > LOOK_SECONDS:
            self.looked = time.monotonic()
            write_progress(self.folder.liveness.folder, self.name, event)
            if self.study.stop == INTERRUPTED:
                raise Stopped(INTERRUPTED)
            if not self.folder.is_at_work:
                raise Stopped("the coordinator is gone")
