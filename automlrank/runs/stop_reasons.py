"""Why trainings and searches end before their end."""

from __future__ import annotations

from automlrank.errors import SpaceError, TrialError

TIME_UP, INTERRUPTED = "the time was up", "interrupted"  # why a search ended

FAILURES = (TrialError, SpaceError, RuntimeError, ValueError, ArithmeticError, MemoryError)
"""What may go wrong with one model: recorded with its reason, and the search goes on."""


class TimeIsUp(Exception):
    """The search's share of the time ended while a model was being trained."""


class TookTooLong(TrialError):
    """A training is beyond the most that a trial may take."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it took {seconds:.0f} s, longer than a trial may")
        self.seconds = seconds
