"""Small random choices that every generator makes: members, words, odd values."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, TypeVar

from .judge import Rng

T = TypeVar("T")
PLAIN_NAMES = (
    *("user_id", "item_id", "userId", "price", "age", "clicks", "time", "tags", "page", "country"),
    *("device", "history_item_id", "score", "group", "weight", "video_id", "date", "a", "b", "c"),
)
ODD_NAMES = (
    *("*", "^a$", "^.*$", "^", "$", "a.b", "a b", " a", "a ", "A", "\N{ROCKET}", "é", "e\u0301"),
    *("\x1b[31mred", "tab\there", "two\nlines", "cr\rhere", "nul\0", "\u202eright", "\u200bzero"),
    *(
        "\ufeffmark",
        "\x85next",
        "\u2028line",
        '"',
        '""',
        "'",
        "\\",
        ",",
        ";",
        "|",
        "#",
        "%s",
        "{a}",
    ),
    *("null", "true", "nan", "1", "1.0", "-", "a:b", "a=b", "a/b", "..", "__index_level_0__"),
    *(
        "x" * 300,
        "[a]",
        "label",
        "split",
        "len",
        "literal",
        "value",
        "count",
        "column",
        "id",
        "row",
    ),
    *("</script><b>", "kind", "name", "features", "none", "auto", "a,b", "field_0", "row_nr", "b_"),
)
WORDS = ("a", "b", "red", "blue", "x1", "x2", "home", "search", "7", "7.0", "07", "true", "None")
ODD_WORDS = (
    *("", " ", "  a ", "NA", "N/A", "-", "?", "\\N", "null", "NaN", "nan", "inf", "-inf", "1e400"),
    *("1,234.50", "1.234,50", "$5", "€ 5", "5 %", "0x10", "1_000", "+1", "-0", "٣", "1e5", ".5"),
    *("2024-01-01", "20240101", "2024-02-30", "01/02/2024", "2024-01-01T00:00:00Z", "12:30"),
    *("00:01:30", "PT5S", "1 days 00:00:01", "1700000000", "a,b", "1|2|3", "[1, 2]", "{}", "'"),
    *('"', '""', 'say "x"', "two\nlines", "\r", "\t", "\0", "\x1b[0m", "\u202e", "\N{ROCKET}"),
    *("=1+1", "#REF!", "</script>", "\ufeff", "é", "e\u0301", "9" * 30, "0" * 20, "x" * 200),
)
ODD_DATA: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, 1e-3, -0.0, 1e308, float("inf"), float("nan"), 10**30),
    *("", " ", "a", "none", "mlp", "1", "true", "\0", "\N{ROCKET}", "*", "^a$", "x" * 300, "a\nb"),
    *([], {}, [[]], [None], [1, 2], ["a"], {"a": 1}, {"": None}, {"choose": []}, [[1, 2], [3]]),
    *(datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, 12), b"bytes", {"int": [1, 4]}),
    *(
        {"log": [1e-4, 1e-2]},
        {"float": [1, 0]},
        {"kind": "categorical"},
        ["mlp", "fm"],
        {"mlp": {}},
    ),
)


def chance(rng: Rng, share: float) -> bool:
    """Return True in a share of cases."""
    return bool(rng.random() < share)


def pick(rng: Rng, members: Sequence[T]) -> T:
    """Return one member."""
    return members[int(rng.integers(len(members)))]


def below(rng: Rng, high: int) -> int:
    """Return a whole number from 0 to ``high - 1``."""
    return int(rng.integers(high))


def between(rng: Rng, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``, both included."""
    return int(rng.integers(low, high + 1))


def some(rng: Rng, members: Sequence[T], least: int = 0, most: int | None = None) -> list[T]:
    """Return some different members in random order."""
    most = len(members) if most is None else min(most, len(members))
    order = rng.permutation(len(members))[: between(rng, min(least, most), most)]
    return [members[int(i)] for i in order]


def names(rng: Rng, number: int, odd: float) -> list[str]:
    """Return different names of columns, a share of them odd."""
    found: dict[str, None] = {}
    while len(found) < number:
        found[pick(rng, ODD_NAMES if chance(rng, odd) else PLAIN_NAMES)] = None
    return list(found)


def word(rng: Rng, odd: float = 0.3) -> str:
    """Return a value of text."""
    return pick(rng, ODD_WORDS if chance(rng, odd) else WORDS)
