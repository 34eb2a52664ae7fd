"""Text as a person sees it."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text on one line, with an escape for each character that is not seen.

    A control character may colour or erase what a terminal shows, and a mark of direction may turn
    it around; characters of no width make two names look alike.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
