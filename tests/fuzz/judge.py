"""Judge one case of a family: accepted, refused by a sentence, or failed."""

from __future__ import annotations

import re
import shutil
import signal
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automlrank.errors import UsageError

Rng = np.random.Generator
OUTCOMES = ("accepted", "refused", "failed")
LONGEST = 6000  # characters of a refusal: some faults of twenty columns
INSIDE = re.compile(r" at 0x[0-9a-f]|<class '|Traceback|panicked|object at ")  # of a program
SECONDS = 120  # a case takes .2; one that takes so long never ends


@dataclass(frozen=True)
class Family:
    """A kind of input, its law in words, and how many cases of 10,000 and of a test are its."""

    name: str
    law: str
    tries: int
    quick: int
    case: Callable[[Rng], Any]
    attempt: Callable[[Any, Path], Any]
    """Give a case to the package; UsageError refuses it."""
    hold: Callable[[Any, Any, Path], None]
    """Check the laws of what was taken; any error breaks one."""
    refused: Callable[[Any, UsageError, Path], None]
    """Check a refusal, beyond that it is a sentence."""


class Verdict(NamedTuple):
    """Outcome of a case; the reason of a refusal or a failure."""

    outcome: str
    reason: str = ""


class HangError(BaseException):
    """A case did not end in time; no handler of the package may catch it."""


def rng_of(family: str, seed: int) -> Rng:
    """Return the random numbers of a case."""
    return np.random.default_rng([zlib.crc32(family.encode()), seed])


def judged(family: Family, seed: int, folder: Path) -> Verdict:
    """Run a case in an empty folder of its own, which is kept where the case fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with warnings.catch_warnings(), _in_time():
            warnings.simplefilter("error")  # a person would see them
            verdict = _verdict(family, family.case(rng_of(family.name, seed)), folder)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Verdict("failed", "".join(traceback.format_exception(error)))
    shutil.rmtree(folder)
    return verdict


def _verdict(family: Family, case: Any, folder: Path) -> Verdict:
    try:
        taken = family.attempt(case, folder)
    except UsageError as error:
        told = str(error)
        for fault in error.faults:
            check_sentence(str(fault))
        assert len(told) <= LONGEST, f"a refusal of {len(told)} characters: {told[:LONGEST]}"
        family.refused(case, error, folder)
        return Verdict("refused", told)
    family.hold(case, taken, folder)
    return Verdict("accepted")


def check_sentence(text: str) -> None:
    """Check that a refusal is a sentence for a person."""
    assert text.strip(), "a refusal without a word"
    assert text.rstrip()[-1] in ".?", f"no sentence: {text!r}"
    assert not INSIDE.search(text), f"the inside of a program: {text!r}"


@contextmanager
def _in_time() -> Iterator[None]:
    def late(*_: object) -> None:
        raise HangError(f"more than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
