"""Spaces as the plain data and the YAML that read back to them."""

from __future__ import annotations

from automlrank.blocks import BLOCKS
from automlrank.space.grammar import (
    Choose,
    Expression,
    FieldScope,
    Leaf,
    Optional,
    Parallel,
    Repeat,
    SomeOf,
    Stack,
)
from automlrank.space.space import Space


def space_data(space: Space) -> dict[str, object]:
    """The plain data that ``read_space`` reads back to an equal space."""
    data: dict[str, object] = {"name": space.name, "references": list(space.references)}
    blank = Space(interaction=space.interaction)
    for stage, node in space.stages():
        if stage == "interaction" or node != getattr(blank, stage):
            written = expression_data(node)
            if stage in ("embedding", "training"):
                assert isinstance(node, Leaf)
                written = _domains(node)
            data[stage] = written
    limits = {k: v for k, v in vars(space.limits).items() if v is not None}
    return {**data, "limits": limits} if limits else data


def expression_data(node: Expression) -> object:
    """An expression as plain data; domains that a space would assume are left out."""
    match node:
        case Leaf(block):
            domains = _domains(node)
            return {block: domains} if domains else block
        case Choose(options):
            return {"choose": [expression_data(option) for option in options]}
        case SomeOf(options, low, high):
            return {
                "some_of": [expression_data(option) for option in options],
                "min": low,
                "max": high,
            }
        case Stack(members):
            return {"stack": [expression_data(member) for member in members]}
        case Parallel(branches, merge):
            return {
                "parallel": [expression_data(branch) for branch in branches],
                "merge": expression_data(merge),
            }
        case Repeat(body, times):
            return {"repeat": expression_data(body), "times": times.to_data()}
        case Optional(body):
            return {"optional": expression_data(body)}
        case FieldScope(body, fields, own):
            inner = expression_data(body)
            said: dict[str, object] = inner if isinstance(inner, dict) else {str(inner): {}}
            said |= {"fields": list(fields)} if fields else {}
            return said | ({"embedding": "own"} if own else {})


def _domains(node: Leaf) -> dict[str, object]:
    knobs = BLOCKS[node.block].knobs()
    return {
        name: domain.to_data()
        for name, domain in node.domains.items()
        if domain != knobs[name].search
    }
