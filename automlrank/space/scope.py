"""Check the places of branches with ``fields`` or an embedding table of their own."""

from __future__ import annotations

from collections.abc import Iterator

from automlrank.documents import Path_
from automlrank.space.grammar import Expression, FieldScope


def misplaced(node: Expression, path: Path_, *, begins: bool) -> Iterator[Path_]:
    """Yield the places of branches that say what they read where they may not.

    ``begins`` is true if the node is given the fields that the stage begins with.
    """
    if isinstance(node, FieldScope) and not begins:
        yield (*path, "fields" if node.fields else "embedding")
    for place, inner in node.inside():
        flows = begins and node.flows_into(place)
        yield from misplaced(inner, (*path, *place), begins=flows)
