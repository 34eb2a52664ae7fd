"""Reasons why a training or a search stops early."""

from __future__ import annotations

from automlrank.errors import SpaceError, TrialError
from automlrank.training.trained import Trained

TIME_UP, INTERRUPTED = "the time was up", "interrupted"  # why a search stopped

FAILURES = (TrialError, SpaceError, RuntimeError, ValueError, ArithmeticError, MemoryError)
"""Errors of one model: they are recorded with their reason, and the search continues."""


class TimeIsUp(Exception):
    """The time limit of the search was reached while a model was being trained."""

    def __init__(self, reached: Trained | None = None) -> None:
        super().__init__(TIME_UP)
        self.reached = reached
        """The training up to its last whole validation; None before the first."""


class TookTooLong(TrialError):
    """A training has exceeded the time limit of a trial."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it took {seconds:.0f} s, longer than a trial may")
        self.seconds = seconds
