"""The study of a run: created once, loaded by every worker, continued by a resumed search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.exceptions import StorageInternalError
from optuna.study import StudyDirection

from automlrank.errors import RunError
from automlrank.files import disk_error
from automlrank.measurement.metric_language import parse_metric
from automlrank.runs.folder import RunFolder
from automlrank.runs.search_config import SearchConfig
from automlrank.runs.seeds import seed_of
from automlrank.study.attributes import StudyAttributes
from automlrank.study.samplers import make_sampler

NAME = "search"
WORKER_SEEDS = 7  # the stream of seeds of workers' samplers


def open_study(folder: RunFolder, config: SearchConfig, identity: dict[str, str]) -> optuna.Study:
    """Create the run's study, or continue it; raises RunError if it belongs to other inputs.

    ``identity`` holds the inputs under which trials are comparable: space, data, metric, and more.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # failures are in the records
    up = parse_metric(config.metric).up
    directions = [
        StudyDirection.MAXIMIZE if up else StudyDirection.MINIMIZE,
        StudyDirection.MINIMIZE,
    ]
    study = optuna.create_study(
        storage=folder.storage_url,
        study_name=NAME,
        directions=directions[: config.objectives],
        load_if_exists=True,
    )
    _check_identity(StudyAttributes(study), identity, folder)
    return load_study(folder, config, index=0)


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
    """Load the run's study for its ``index``-th worker; each draws with seeds of its own."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name=NAME, storage=folder.storage_url)
    seed = seed_of(config.seed, WORKER_SEEDS, index)
    study.sampler = make_sampler(config.sampler, seed, len(study.get_trials(deepcopy=False)))
    return study


@contextmanager
def writing(folder: RunFolder) -> Iterator[None]:
    """Raise errors of the disk, from files or from the study, as RunError."""
    try:
        yield
    except BrokenPipeError:  # raised if the reader of the output has gone
        raise
    except (OSError, StorageInternalError) as error:
        raise RunError(
            f"the search stopped because {folder.path} cannot be written: {disk_error(error)}.",
            f"Fix that, then continue: --resume --out {folder.path}.",
        ) from error
