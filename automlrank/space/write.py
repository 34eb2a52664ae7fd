"""Write expressions as plain data."""

from __future__ import annotations

from automlrank.blocks import BLOCKS
from automlrank.blocks.domains import Choice, Range
from automlrank.space.grammar import Expression, FieldScope, Leaf, is_node
from automlrank.space.node import Several


def expression_data(node: Expression) -> object:
    """Return an expression as plain data, without the domains that a space would assume."""
    match node:
        case Leaf(block):
            domains = domains_data(node)
            return {block: domains} if domains else block
        case FieldScope(body):
            return scoped(expression_data(body), node.beside())
        case Several(members):
            return {node.keyword: [expression_data(member) for member in members], **_beside(node)}
        case _:
            return {node.keyword: expression_data(node.body), **_beside(node)}


def scoped(body: object, scope: dict[str, object]) -> dict[str, object]:
    """Return the plain data of a branch with the keys for its columns and table."""
    return {**(body if isinstance(body, dict) else {str(body): {}}), **scope}


def domains_data(node: Leaf) -> dict[str, object]:
    """Return the domains of a block's knobs that differ from their search domains."""
    knobs = BLOCKS[node.block].knobs()
    return {
        name: domain.to_data()
        for name, domain in node.domains.items()
        if domain != knobs[name].search
    }


def _beside(node: Expression) -> dict[str, object]:
    """Return the values beside a combinator's keyword as plain data."""
    return {key: _plain(value) for key, value in node.beside().items()}


def _plain(value: object) -> object:
    if is_node(value):
        return expression_data(value)
    return value.to_data() if isinstance(value, Choice | Range) else value
