"""Write plain data as YAML in random styles, with odd tags, values and bytes."""

from __future__ import annotations

import re
from typing import Any

import yaml

from automlrank.documents import dump

from .draws import below, between, chance, pick
from .judge import Rng
from .mutate import changed_bytes, cut_bytes

TAGS = ("int", "float", "bool", "null", "str", "binary", "timestamp", "set", "omap", "pairs", "seq")
TAGS = (*TAGS, "map", "merge", "value", "python/none", "python/object:os.system", "nothing")
TAGGED = ("", "''", "x", "_", "0b", "0x", "1:60", "-", "+", ".", "1e999", "///", "[a]", "{a: 1}")
TAGGED = (*TAGGED, "2024-99-99", "2024-01-01T25:00:00Z", "[[a]]", "[a: 1]", "{a}", "9" * 5000, "=")
VALUES = (
    *("&a [*a]", "*nowhere", "&b {<<: *b}", "{<<: 5}", "{<<: [a]}", "{? [a] : b}", "{[a]: b}"),
    *(
        "{1: a}",
        "{null: a}",
        "{true: a}",
        "{a: 1, a: 2}",
        "0o17",
        "0x1F",
        "1_000",
        "1:60",
        "12:30:61",
    ),
    *(
        "2001-13-45",
        "2024-01-01",
        "2024-01-01 25:61:61",
        "2024-01-01T00:00:00+99:99",
        "~",
        "=",
        "<<",
    ),
    *(
        '"\\q"',
        '"\\uD800"',
        '"\\x41',
        "'",
        "|",
        ">-",
        "- -",
        "{",
        "]",
        "[,]",
        "@",
        "`",
        "%",
        "? ",
        "!",
    ),
    *(
        "!local x",
        "!<x> y",
        "!!",
        ".inf",
        "-.INF",
        ".nan",
        "1e400",
        "-1e-400",
        "9" * 5000,
        "0x" + "f" * 5000,
        "-0b" + "1" * 99,
        "0" * 300,
        "1e-999",
        "[" * 200,
    ),
    *(
        '"\\0"',
        '"\\e[31m"',
        '"\\u202e"',
        '"\\u2028"',
        "\N{ROCKET}",
        "yes",
        "No",
        "on",
        "NULL",
        "True",
    ),
    *(
        "- a\n- b",
        "a: b: c",
        "{}",
        "[]",
        "''",
        "#",
        "a #b",
        "&",
        "*",
        "&a",
        "&a &b c",
        "*a",
        "\t",
        "\0",
    ),
)
LINES = (
    "---",
    "...",
    "%YAML 9.9",
    "%TAG ! x",
    "? a",
    ": b",
    "- a",
    "\t- a",
    "#",
    "<<: *a",
    "  a: 1",
)
LINES = (
    *LINES,
    "a: &x [*x]",
    "name: twice",
    "? {a: b}\n: c",
    "'a': 1",
    '"a": 1',
    "1: 2",
    "null: 1",
)
VALUE = re.compile(
    r"(?<=: )[^\n{}\[\],]+|(?<=- )[^\n{}\[\],]+|(?<=\[)[^\n{}\[\],]+|[\w.]+(?=[,\]}])"
)


def yaml_text(rng: Rng, data: Any) -> str:
    """Return the data as YAML in one of several styles."""
    if chance(rng, 0.5):
        return dump(data)
    return yaml.safe_dump(
        data,
        sort_keys=chance(rng, 0.2),
        default_flow_style=pick(rng, (True, False, None)),
        allow_unicode=chance(rng, 0.5),
        width=pick(rng, (20, 80, 10_000)),
        default_style=pick(rng, (None, None, None, '"', "'")),
        explicit_start=chance(rng, 0.1),
    )


def changed_text(rng: Rng, text: str, times: int) -> str:
    """Return the text with odd values and lines in places of others."""
    for _ in range(times):
        found = list(VALUE.finditer(text))
        if found and chance(rng, 0.7):
            at = pick(rng, found)
            text = text[: at.start()] + _value(rng) + text[at.end() :]
        else:
            lines = text.split("\n")
            place = below(rng, len(lines))
            lines[place : place + below(rng, 2)] = [pick(rng, LINES)]
            text = "\n".join(lines)
    return text


def as_bytes(rng: Rng, text: str) -> bytes:
    """Return the bytes of a file of the text: now and then damaged, or of another encoding."""
    data = text.encode(errors="surrogatepass")
    match below(rng, 24):
        case 0 | 1 | 2:
            return changed_bytes(rng, data, between(rng, 1, 4))
        case 3:
            return cut_bytes(rng, data)
        case 4:
            return text.encode("utf-16", errors="surrogatepass")
        case 5:
            return b"\xef\xbb\xbf" + data
        case 6:
            return data.replace(b"\n", pick(rng, (b"\r\n", b"\r", b"\n\n", b"\n\t")))
        case _:
            return data


def _value(rng: Rng) -> str:
    if chance(rng, 0.4):
        return f"!!{pick(rng, TAGS)} {pick(rng, TAGGED)}"
    return pick(rng, VALUES)
