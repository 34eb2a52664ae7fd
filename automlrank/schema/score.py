"""The fused score: a product of the tasks' predicted probabilities, each with an exponent."""

from __future__ import annotations

import math
from collections.abc import Iterator

from automlrank.errors import shown

Score = tuple[tuple[str, float], ...]
"""Tasks and their exponents, as they were written."""
FORM = "a product of tasks such as is_click * long_view^0.5"


def read_score(text: str) -> Score:
    """``is_click * long_view^0.5`` as tasks and exponents; one without ``^`` is 1.

    Raises ValueError with what is wrong.
    """
    score = tuple(_factors(text))
    names = [name for name, _ in score]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"a task stands once, with the sum of its exponents, but got {shown(text)}."
            )
    return score


def _factors(text: str) -> Iterator[tuple[str, float]]:
    for factor in text.split("*"):
        name, found, exponent = (part.strip() for part in factor.partition("^"))
        if not name:
            raise ValueError(f"must be {FORM}, but got {shown(text)}.")
        yield name, _exponent(name, exponent) if found else 1.0


def _exponent(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"the exponent of {name} must be a number above 0, but got {shown(text)}.")
    return value


def score_text(score: Score) -> str:
    """The words that ``read_score`` reads back to an equal score."""
    return " * ".join(
        name if exponent == 1 else f"{name}^{_number(exponent)}" for name, exponent in score
    )


def _number(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
