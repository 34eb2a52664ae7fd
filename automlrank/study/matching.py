"""Find Optuna parameters under which a space draws a given architecture."""

from __future__ import annotations

from collections.abc import Iterator

from automlrank.architecture import NONE, ParallelPart, Part, StackPart
from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Domain, Scalar
from automlrank.blocks.training import Training
from automlrank.space import grammar
from automlrank.space.grammar import Expression, Leaf

Params = dict[str, Scalar]


def matches(node: Expression, part: Part, path: str, label: str) -> Iterator[Params]:
    """Yield params under which ``node``, which stands at ``path``, may draw ``part``."""
    match node:
        case Leaf():
            yield from _match_leaf(node, part, path, label)
        case grammar.Choose(options):
            for option, name in zip(options, node.labels, strict=True):
                for params in _inside(option, part, path, name):
                    yield {path: name, **params}
        case grammar.Optional(body):
            if part == NONE:
                yield {path: "none"}
            for params in _inside(body, part, path, body.label):
                yield {path: body.label, **params}
        case grammar.Stack(members):
            yield from _match_stack(members, part, path)
        case grammar.Parallel(branches, merge):
            yield from _match_parallel(branches, merge, part, path)
        case grammar.SomeOf():
            parts = part.branches if isinstance(part, ParallelPart) else (part,)
            yield from (params for params, left in _take_some(node, parts, path) if not left)
        case grammar.FieldScope(body):
            yield from matches(body, part, path, label)
        case grammar.Repeat(body):
            parts = part.members if isinstance(part, StackPart) else (part,)
            if len(set(parts)) == 1:
                for params in _inside(body, parts[0], path, body.label):
                    yield {f"{path}.times": len(parts), **params}


def _inside(node: Expression, part: Part, path: str, label: str) -> Iterator[Params]:
    """Match at the parent's place, as ``drawing`` does: a combinator adds its label to the path."""
    if isinstance(node, grammar.FieldScope):
        return _inside(node.body, part, path, label)
    if isinstance(node, Leaf):
        return matches(node, part, path, label)
    return matches(node, part, f"{path}.{label}", node.label)


def _match_leaf(node: Leaf, part: Part, path: str, label: str) -> Iterator[Params]:
    stem = path if path == node.block else f"{path}.{label}"
    if isinstance(part, Block) and part.name == node.block:
        yield {
            f"{stem}.{name}": _nearest(getattr(part, name), domain)
            for name, domain in node.domains.items()
        }
    elif part == NONE:  # an mlp of depth 0 is drawn as a block and folded away
        for name, domain in node.domains.items():
            values = {
                **{k: d.samples()[0] for k, d in node.domains.items()},
                name: domain.samples()[0],
            }
            block = BLOCKS[node.block](**values)
            if block.inherited(Training().settings()).canonical() == NONE:
                yield {f"{stem}.{key}": value for key, value in values.items()}
                return


def _nearest(value: Scalar, domain: Domain) -> Scalar:
    """Return the value if the domain has it; else any: it is inherited, or the draw will differ."""
    return value if value in domain else domain.samples()[0]


def _match_stack(members: tuple[Expression, ...], part: Part, path: str) -> Iterator[Params]:
    parts = part.members if isinstance(part, StackPart) else (part,)
    if len(parts) == len(members):
        places = [(member, f"{path}.{i}", member.label) for i, member in enumerate(members)]
        yield from _match_each(places, parts)


def _match_each(
    places: list[tuple[Expression, str, str]], parts: tuple[Part, ...]
) -> Iterator[Params]:
    if not places:
        yield {}
        return
    node, path, label = places[0]
    for params in matches(node, parts[0], path, label):
        for others in _match_each(places[1:], parts[1:]):
            yield {**params, **others}


def _match_parallel(
    branches: tuple[Expression, ...], merge: Expression, part: Part, path: str
) -> Iterator[Params]:
    """Match branches in any order: each takes the parts that it can, none may be left."""
    parts = part.branches if isinstance(part, ParallelPart) else (part,)
    joined = part.merge if isinstance(part, ParallelPart) else None
    merges = (
        list(matches(merge, joined, f"{path}.merge", merge.label))
        if joined
        else [_first_of(merge, f"{path}.merge")]
    )
    for params in _match_branches(list(enumerate(branches)), parts, path):
        for merged in merges:
            yield {**params, **merged}


def _match_branches(
    branches: list[tuple[int, Expression]], parts: tuple[Part, ...], path: str
) -> Iterator[Params]:
    if not branches:
        if not parts:
            yield {}
        return
    (i, node), rest = branches[0], branches[1:]
    here = f"{path}.{i}"
    for params, left in _take(node, parts, here):
        for others in _match_branches(rest, left, path):
            yield {**params, **others}


def _take(
    node: Expression, parts: tuple[Part, ...], path: str
) -> Iterator[tuple[Params, tuple[Part, ...]]]:
    """Yield params under which a branch draws some of ``parts``, with the parts that are left."""
    if isinstance(node, grammar.SomeOf):
        yield from _take_some(node, parts, path)
        return
    bare = node.body if isinstance(node, grammar.FieldScope) else node
    if isinstance(bare, grammar.Optional):
        yield {path: "none"}, parts
    if isinstance(bare, grammar.SomeOf):  # one branch, or in a concat as many as its members
        yield from _take_some(bare, parts, path)
    for i, part in enumerate(parts):
        for params in matches(node, part, path, node.label):
            yield params, (*parts[:i], *parts[i + 1 :])


def _take_some(
    node: grammar.SomeOf, parts: tuple[Part, ...], path: str
) -> Iterator[tuple[Params, tuple[Part, ...]]]:
    if node.n_subsets > grammar.MAX_SUBSETS:
        return  # switches: such a reference runs beside the study
    labels = grammar.unique_labels(node.members)
    for name, chosen in node.subsets().items():
        taken: list[tuple[Params, tuple[Part, ...]]] = [({path: name}, parts)]
        for option in chosen:
            taken = [
                ({**params, **more}, (*left[:i], *left[i + 1 :]))
                for params, left in taken
                for i, part in enumerate(left)
                for more in _inside(node.members[option], part, path, labels[option])
            ]
        yield from taken


def _first_of(node: Expression, path: str) -> Params:
    """Return any params of an expression whose draw is dropped."""
    params: Params = {}
    if isinstance(node, grammar.Choose):
        params[path] = node.labels[0]
        node = node.members[0]
    if isinstance(node, Leaf):
        params |= {
            f"{path}.{node.block}.{name}": domain.samples()[0]
            for name, domain in node.domains.items()
        }
    return params
