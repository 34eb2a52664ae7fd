"""Draw an architecture: a space and a function that decides its choices give the parts."""

from __future__ import annotations

from collections.abc import Callable

from automlrank.architecture.parts import CONCAT, NOTHING, ParallelPart, Part, ScopedPart, StackPart
from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.space import grammar
from automlrank.space.grammar import MAX_SUBSETS, Expression, Leaf
from automlrank.space.space import Space

Decide = Callable[[str, Domain], Scalar]


def draw_parts(space: Space, decide: Decide) -> dict[str, Part]:
    """Return the part of every stage that ``decide`` chooses."""
    return {stage: _draw(node, stage, node.label, decide) for stage, node in space.stages()}


def _draw(node: Expression, path: str, label: str, decide: Decide) -> Part:
    """Draw the expression at ``path``; ``label`` names a block among its peers."""
    match node:
        case Leaf():
            return _draw_block(node, path, label, decide)
        case grammar.Choose(options):
            chosen = str(_value(path, Choice(node.labels), decide))
            return _draw_inside(options[node.labels.index(chosen)], path, chosen, decide)
        case grammar.SomeOf(options):
            labels = grammar.unique_labels(options)
            taken = _members(node, path, labels, decide)
            drawn = [_draw_inside(options[i], path, labels[i], decide) for i in taken]
            return ParallelPart(tuple(drawn), CONCAT)
        case grammar.Stack(members):
            return StackPart(tuple(_draw_each(members, path, decide)))
        case grammar.Parallel(branches, merge):
            joined = _draw(merge, f"{path}.merge", merge.label, decide)
            assert isinstance(joined, Block)
            drawn = _draw_each(branches, path, decide)
            return ParallelPart(tuple(_spliced(drawn, branches)), joined)
        case grammar.Repeat(body, times):
            n = _value(f"{path}.times", times, decide)
            assert isinstance(n, int)
            return StackPart((_draw_inside(body, path, body.label, decide),) * n)
        case grammar.Optional(body):
            chosen = str(_value(path, Choice(("none", body.label)), decide))
            return NOTHING if chosen == "none" else _draw_inside(body, path, chosen, decide)
        case grammar.FieldScope(body, fields, own):
            return ScopedPart(_draw(body, path, label, decide), fields, own)


def _draw_block(node: Leaf, path: str, label: str, decide: Decide) -> Block:
    stem = path if path == node.block else f"{path}.{label}"  # embedding.dim, not twice
    values = {name: _value(f"{stem}.{name}", d, decide) for name, d in node.domains.items()}
    return BLOCKS[node.block](**values)


def _draw_each(members: tuple[Expression, ...], path: str, decide: Decide) -> list[Part]:
    """Draw members that each have a place of their own."""
    return [_draw(member, f"{path}.{i}", member.label, decide) for i, member in enumerate(members)]


def _draw_inside(node: Expression, path: str, label: str, decide: Decide) -> Part:
    """Draw an expression at its parent's place: a combinator adds its label to the path."""
    if isinstance(node, Leaf):
        return _draw(node, path, label, decide)
    if isinstance(node, grammar.FieldScope):
        return ScopedPart(_draw_inside(node.body, path, label, decide), node.fields, node.own)
    return _draw(node, f"{path}.{label}", node.label, decide)


def _value(path: str, domain: Domain, decide: Decide) -> Scalar:
    value = domain.samples()[0] if domain.count() == 1 else decide(path, domain)
    assert value in domain, (path, value, domain)
    return value


def _members(
    node: grammar.SomeOf, path: str, labels: tuple[str, ...], decide: Decide
) -> tuple[int, ...]:
    """Return the members that a ``some_of`` takes: a subset by name, or a switch each beyond 64."""
    if node.n_subsets <= MAX_SUBSETS:
        subsets = node.subsets()
        return subsets[str(_value(path, Choice(tuple(subsets)), decide))]
    switches = [bool(decide(f"{path}.{label}.taken", Choice((False, True)))) for label in labels]
    on = [i for i, switch in enumerate(switches) if switch][: node.max]
    off = [i for i in range(len(labels)) if i not in on]
    return tuple(sorted(on + off[: max(0, node.min - len(on))]))


def _spliced(drawn: list[Part], branches: tuple[Expression, ...]) -> list[Part]:
    """Return the branches; the members of a ``some_of`` replace it."""
    result: list[Part] = []
    for part, node in zip(drawn, branches, strict=True):
        inside = isinstance(node, grammar.SomeOf) and isinstance(part, ParallelPart)
        result += part.branches if inside and isinstance(part, ParallelPart) else (part,)
    return result
