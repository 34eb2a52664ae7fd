"""Find the choices that an expression leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from automlrank.documents import Document
from automlrank.errors import Fault
from automlrank.space.grammar import Expression, walk


def left_open(stages: Mapping[str, Expression], document: Document) -> Iterator[Fault]:
    """Yield the choices of an architecture, which must have none."""
    for stage, node in stages.items():
        for path, inner in walk(node, (stage,)):
            for below, choice in inner.left_open():
                here = tuple(part for part in below if part != path[-1])
                problem = f"an architecture has no choice, but {choice}."
                yield document.fault((*path, *here), problem)
