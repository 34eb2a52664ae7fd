"""The hint at the name that was meant, if one is near."""

from __future__ import annotations

import pytest

from automlrank.errors import did_you_mean

PRUNERS = ("halving", "median", "none")
COLUMNS = ("user_id", "item_id", "time", "click")


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("halve", PRUNERS, "halving"),
        ("medain", PRUNERS, "median"),
        ("med", PRUNERS, "median"),
        ("None", PRUNERS, "none"),
        ("acu", ("auc", "gauc"), "auc"),
        ("ab", ("a", "c"), "a"),
        ("timestamp", COLUMNS, "time"),
        ("clicked_at", COLUMNS, "click"),
        ("itemid", COLUMNS, "item_id"),
        ("standardized", ("standard", "stack"), "standard"),
    ],
)
def test_a_near_name_is_guessed(word: str, known: tuple[str, ...], meant: str) -> None:
    """Letters changed, turned or left out, and other endings of one stem."""
    assert did_you_mean(word, known) == f"Did you mean {meant!r}?"


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("norun", PRUNERS),
        ("half", PRUNERS),
        ("price", COLUMNS),
        ("user_name", ("user_id_of_day", "item_id")),
        ("cosine", ("cost_ratio", "constant")),
        ("meter", ("metric_of_all", "memory")),
        ("xyz", ("abc",)),
    ],
)
def test_for_a_far_name_the_known_ones_are_listed(word: str, known: tuple[str, ...]) -> None:
    assert did_you_mean(word, known) == f"Known: {', '.join(sorted(known))}."
