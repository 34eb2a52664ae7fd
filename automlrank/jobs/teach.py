"""Before networks learn from boosted trees, the trees are trained: once for a table."""

from __future__ import annotations

from automlrank.data.dataset import Dataset
from automlrank.errors import TrialError, UsageError
from automlrank.space.value import Space
from automlrank.train.boosting import installed
from automlrank.train.teacher import FOLDS, INSTALL, UNINSTALLED, kept_at, taught
from automlrank.trials.events import Listen, Notice


def distils(space: Space) -> bool:
    """Whether some draw of the space learns from trees."""
    return any(value != 0 for value in space.training.domains["distillation"].samples())


def teach(data: Dataset, listen: Listen) -> None:
    """Have what trees say of the training rows kept beside them, if it is not yet.

    Raises UsageError where LightGBM is not installed or refuses the data.
    """
    if kept_at(data).exists():
        return
    if not installed():
        raise UsageError(UNINSTALLED, INSTALL)
    rows = data.rows["train"]
    listen(Notice(f"LightGBM learns {rows:,} rows in {FOLDS} folds, to teach (distillation)."))
    try:
        taught(data)
    except TrialError as error:
        raise UsageError(str(error), "Leave distillation at 0.") from error
