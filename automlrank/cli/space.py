"""``automlrank space``: check, count and show a search space or an architecture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from automlrank.cli.command import command
from automlrank.cli.console import Console, Format
from automlrank.errors import Fault, SpaceError, did_you_mean
from automlrank.jobs.options import SpaceOptions
from automlrank.printable import printable

if TYPE_CHECKING:
    from rich.tree import Tree

    from automlrank.documents import Document
    from automlrank.space.count import Size
    from automlrank.space.grammar import Expression, Leaf
    from automlrank.space.space import Space


@command(SpaceOptions)
def check(console: Console, options: SpaceOptions) -> None:
    """Report every mistake of a file, with its line."""
    space = _open(options.file)
    size = _count(space)
    console.data(lambda: {"file": options.file, "valid": True, **_size_data(size)})
    console.say(f"{options.file}: {_kind(space, size)}; every draw can be wired.")


@command(SpaceOptions)
def count(console: Console, options: SpaceOptions) -> None:
    """Print how many draws a space has, and its continuous knobs."""
    size = _count(_open(options.file))
    console.data(lambda: _size_data(size))
    console.say(f"{size.draws:,} draws of the discrete choices")
    knobs = ", ".join(size.continuous) or "none"
    console.say(f"{len(size.continuous)} continuous knobs on top: {knobs}")
    console.brief(size.draws)


@command(SpaceOptions)
def show(console: Console, options: SpaceOptions) -> None:
    """Show the parts of a space as a tree, with the choices that are open."""
    space = _open(options.file)
    console.data(space.to_data)
    if console.format is Format.human:
        console.show(tree(space))
    console.brief(space.to_yaml().rstrip())


def _open(file: str) -> Space:
    """Return a space without mistakes; raises SpaceError with all of them."""
    from automlrank.documents import read_document
    from automlrank.space.shipped import find
    from automlrank.space.space import Space

    document = read_document(find(file), strict=False)
    space, faults = Space.parse(document)
    faults += _reference_faults(space, document)
    if faults:
        raise SpaceError(sorted(faults, key=lambda fault: fault.line or 0))
    return space


def _reference_faults(space: Space, document: Document) -> list[Fault]:
    from automlrank.candidates.trees import BOOSTED
    from automlrank.space.shipped import shipped
    from automlrank.space.space import Space

    known, faults = shipped(), []
    for i, name in enumerate(space.references):
        if name in BOOSTED:
            continue
        path = known.get(name, Path(name))
        if not path.is_file():
            problem, hint = f"no architecture {name!r}.", did_you_mean(name, [*known, *BOOSTED])
            faults.append(document.fault(("references", i), problem, hint))
        elif _count(Space.read(path)).is_open:
            problem = f"{name} is a space: a reference leaves nothing to choose."
            faults.append(document.fault(("references", i), problem))
    return faults


def _count(space: Space) -> Size:
    from automlrank.space.count import count as count_draws

    return count_draws(space)


def _size_data(size: Size) -> dict[str, object]:
    return {"draws": size.draws, "continuous": list(size.continuous)}


def _kind(space: Space, size: Size) -> str:
    from automlrank.architecture import only_point

    if not size.is_open:
        return f"an architecture, {only_point(space).summary}"
    return f"a space of {size.draws:,} draws and {len(size.continuous)} continuous knobs"


def tree(space: Space) -> Tree:
    """Return a branch per stage that is not left out, without what is fixed at its default."""
    from rich.tree import Tree

    from automlrank.space.combinators import use

    result = Tree(f"{printable(space.name)}: {_kind(space, _count(space))}")
    for stage, node in space.stages():
        if node != use("none"):
            _grow(result, node, f"{stage}: " if stage != getattr(node, "block", "") else "")
    limits = {name: f"{value:,}" for name, value in vars(space.limits).items() if value}
    if limits:
        result.add("limits: " + ", ".join(f"{name} {value}" for name, value in limits.items()))
    result.add(f"references: {', '.join(map(printable, space.references)) or 'none'}")
    return result


def _grow(tree: Tree, node: Expression, prefix: str = "", scope: str = "") -> None:
    """Add an expression to the tree; ``scope`` says which columns it reads."""
    from automlrank.space import grammar

    match node:
        case grammar.Leaf():
            tree.add(f"{prefix}{_leaf(node)}{scope}")
        case grammar.FieldScope(body, fields, own):
            names = f", reads {', '.join(map(printable, fields))}" if fields else ""
            _grow(tree, body, prefix, f"{names}, own table" if own else names)
        case _:
            branch = tree.add(f"{prefix}{node.keyword}: {node.meaning}{scope}")
            for (key, *_), inner in node.inside():
                _grow(branch, inner, "" if key == node.keyword else f"{key}: ")


def _leaf(leaf: Leaf) -> str:
    from automlrank.blocks import BLOCKS
    from automlrank.blocks.domains import Choice, short

    knobs = BLOCKS[leaf.block].knobs()
    said = [
        f"{name} {short(domain)}"
        for name, domain in leaf.domains.items()
        if domain != Choice((knobs[name].default,))
    ]
    return f"{leaf.block} ({', '.join(said)})" if said else leaf.block
