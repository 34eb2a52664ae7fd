"""The study of a run: created once, loaded by every worker, continued by a resumed search."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.study import StudyDirection
from sqlalchemy.exc import SQLAlchemyError

from automlrank.errors import RunError
from automlrank.files import unwritten
from automlrank.measurement.metric_language import parse_metric
from automlrank.runs.field_types import check_fields
from automlrank.runs.folder import BUSY_SECONDS, STUDY, RunFolder
from automlrank.runs.reading import reading
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.seeds import seed_of
from automlrank.study.attributes import StudyAttributes
from automlrank.study.samplers import make_sampler
from automlrank.study.study_records import all_records

NAME = "search"
Study = optuna.Study
WORKER_SEEDS = 7  # the stream of seeds of workers' samplers


def open_study(folder: RunFolder, config: SearchConfig, identity: dict[str, str]) -> optuna.Study:
    """Create the run's study, or continue it; raises RunError if it belongs to other inputs.

    ``identity`` holds the inputs under which trials are comparable: space, data, metric, and more.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # failures are in the records
    if not _is_begun(folder):
        _create(folder, config)
    study = load_study(folder, config, index=0)
    _check_identity(StudyAttributes(study), identity, folder)
    return study


def _is_begun(folder: RunFolder) -> bool:
    """Return True if there is a study; one that is damaged before any trial is removed."""
    file = folder.path / STUDY
    try:
        _check_database(file)
        _loaded(folder)
    except RunError:
        if folder.has_trials:
            raise
        file.unlink(missing_ok=True)
        return False
    return True


def _create(folder: RunFolder, config: SearchConfig) -> None:
    up = parse_metric(config.metric).up
    directions = [
        StudyDirection.MAXIMIZE if up else StudyDirection.MINIMIZE,
        StudyDirection.MINIMIZE,
    ]
    optuna.create_study(
        storage=folder.storage_url, study_name=NAME, directions=directions[: config.objectives]
    )


def _check_identity(
    attributes: StudyAttributes, identity: dict[str, str], folder: RunFolder
) -> None:
    known = attributes.identity
    if known is None:
        attributes.identity = known = identity
    different = [key for key in identity if known.get(key) != identity[key]]
    if different:
        raise RunError(
            f"{folder.path} belongs to another {' and another '.join(different)}.",
            "Give the same inputs, or another --out.",
        )


def load_study(folder: RunFolder, config: SearchConfig, index: int) -> optuna.Study:
    """Load the run's study for its ``index``-th worker; each draws with seeds of its own.

    Raises RunError if it cannot be read.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _check_database(folder.path / STUDY)
    study, trials = _loaded(folder)
    study.sampler = make_sampler(config.sampler, seed_of(config.seed, WORKER_SEEDS, index), trials)
    return study


def _check_database(file: Path) -> None:
    """Raise RunError for a file that SQLite cannot read as a whole."""
    with reading(file):
        if not file.stat().st_size:
            raise RunError("it is empty.")
        with contextlib.closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise RunError("it is damaged.")


def _loaded(folder: RunFolder) -> tuple[optuna.Study, int]:
    """Return the study and its number of trials; raises RunError if one of them is damaged."""
    with reading(folder.path / STUDY):
        study = optuna.load_study(study_name=NAME, storage=folder.storage_url)
        for record in all_records(study):
            check_fields(record)
        return study, len(study.get_trials(deepcopy=False))


@contextmanager
def writing(folder: RunFolder) -> Iterator[None]:
    """Raise errors of the disk, from files or from the study, as RunError."""
    try:
        yield
    except BrokenPipeError:  # raised if the reader of the output has gone
        raise
    except (OSError, StorageInternalError, SQLAlchemyError) as error:
        problem = unwritten(folder.path, error)
        if folder.exists:
            problem = f"the search stopped because {problem}"
            hint = f"Fix that, then continue: `{folder.resumed_by}`."
        else:
            hint = "Fix that, or give another --out, then run the command again."
        raise RunError(problem, hint) from error
