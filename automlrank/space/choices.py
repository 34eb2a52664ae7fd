"""What an expression leaves open, which an architecture must not."""

from __future__ import annotations

from collections.abc import Iterator

from automlrank.documents import Document, Path_
from automlrank.errors import Fault
from automlrank.space.grammar import Choose, Expression, Leaf, Optional, Repeat, SomeOf
from automlrank.space.scope import places
from automlrank.space.space import Space


def left_open(space: Space, document: Document) -> Iterator[Fault]:
    """The choices of an architecture, which has none."""
    for stage, node in space.stages():
        for path, inner in places(node, (stage,)):
            for below, open_ in _choices(inner):
                here = tuple(part for part in below if part != path[-1])
                yield document.fault((*path, *here), f"an architecture has no choice, but {open_}.")


def _choices(node: Expression) -> Iterator[tuple[Path_, str]]:
    """What one node leaves open, by its place under the node."""
    match node:
        case Leaf(block, domains):
            for name, domain in domains.items():
                if domain.count() > 1:
                    yield (block, name), f"{name} may be {domain}"
        case Choose(options) if len(options) > 1:
            yield ("choose",), f"this may be one of {len(options)}"
        case SomeOf() if node.n_subsets > 1:
            yield ("some_of",), f"this may be one of {node.n_subsets} subsets"
        case Repeat(_, times) if times.count() > 1:
            yield ("times",), f"times may be {times}"
        case Optional():
            yield ("optional",), "this may be left out"
