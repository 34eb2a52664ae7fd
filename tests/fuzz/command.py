"""Run commands in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import NamedTuple

from automlrank.cli import main

from .judge import check_sentence


class Ended(NamedTuple):
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


def command(*arguments: object) -> Ended:
    """Return how ``automlrank`` ends with these arguments: 0, or 2 with sentences."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["automlrank", *map(str, arguments)]
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    finally:
        sys.argv = before
    result = Ended(code, out.getvalue(), err.getvalue())
    assert code in (0, 2), result
    if code == 2:
        for line in result.err.splitlines():
            assert line.isprintable(), repr(line)
            check_sentence(line)
    return result
