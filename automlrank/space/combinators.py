"""Python functions that build spaces: each combinator takes expressions and returns one.

    use("mlp", width=[64, 128])       a block; knobs not named keep their search domain
    choose("none", "senet")           one of the members
    some_of("fm", "cin", max=2)       one to two of the members, side by side
    stack("nfm", use("mlp"))          one after the other
    parallel("linear", "fm", "mlp")   side by side; vectors merged, logits summed
    repeat("cross_net", times=[1, 2]) the same knobs each time, weights of its own
    optional("senet")                 the body, or nothing
    reading("mlp", fields=["user_id", "age"])   the branch reads these columns only
    reading("mlp", embedding="own")             the branch has an embedding table of its own

A block's name stands for the block with all knobs open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Choice, Domain, domain_of, ints
from automlrank.errors import did_you_mean, shown
from automlrank.space import grammar
from automlrank.space.grammar import Expression, FieldScope, Leaf

Like = Expression | Block | str


def use(block: str, /, **domains: object) -> Leaf:
    """Return a block; each knob named takes a value, a list or a range, others their search domain.

    Raises ValueError for a domain that exceeds the legal one.
    """
    return leaf(block, domains, closed=False)


def leaf(block: str, domains: Mapping[str, object], *, closed: bool) -> Leaf:
    """Return a block; ``closed``: other knobs take their default, not their search domain."""
    cls = BLOCKS[block]
    for name in domains:
        if name not in cls.knobs():
            raise ValueError(f"{block} has no knob {name!r}. {did_you_mean(name, cls.knobs())}")
    open_ = {k.name: Choice((k.default,)) if closed else k.search for k in cls.knobs().values()}
    named = {name: knob_domain(block, name, data) for name, data in domains.items()}
    return Leaf(block, {**open_, **named})


def knob_domain(block: str, name: str, data: object) -> Domain:
    """Return a knob's domain from its YAML form; raises ValueError if it exceeds the legal one."""
    item = BLOCKS[block].knobs()[name]
    domain = domain_of(data)
    inherits = Choice((None,)) if item.inherit else None
    if domain == inherits:
        return domain
    if not domain.within(item.legal):
        raise ValueError(f"{block}.{name} must be {item.legal}, but got {shown(domain.to_data())}.")
    if isinstance(domain, Choice):
        return Choice(tuple(item.legal.coerce(value) for value in domain.values))
    return domain


def choose(*members: Like) -> grammar.Choose:
    """Return a choice of one of the members."""
    return grammar.Choose(_expressions(members))


def some_of(*members: Like, min: int = 1, max: int | None = None) -> grammar.SomeOf:
    """Return a choice of ``min`` to ``max`` (default: all) of the members, side by side."""
    high = len(members) if max is None else max
    if {type(min), type(high)} != {int} or not 0 <= min <= high <= len(members):
        raise ValueError(
            f"0 <= min <= max <= {len(members)} must hold, "
            f"but got min={shown(min)}, max={shown(high)}."
        )
    return grammar.SomeOf(_expressions(members), min, high)


def stack(*members: Like) -> grammar.Stack:
    """Return the members one after the other."""
    return grammar.Stack(_expressions(members))


def parallel(*members: Like, merge: Like = "concat") -> grammar.Parallel:
    """Return the members side by side: vectors are merged, logits summed."""
    return grammar.Parallel(_expressions(members), expression(merge))


def repeat(body: Like, times: object = 2) -> grammar.Repeat:
    """Return ``times`` copies of the body, one after the other."""
    domain = domain_of(times)
    if not domain.within(ints(1, 16)):
        raise ValueError(f"times must be a whole number from 1 to 16, but got {shown(times)}.")
    return grammar.Repeat(expression(body), domain)


def optional(body: Like) -> grammar.Optional:
    """Return a choice of the body or nothing."""
    inner = expression(body)
    if inner.label == "none":
        raise ValueError("optional takes a block that can be left out, but got none.")
    return grammar.Optional(inner)


COMBINATORS: Mapping[str, Callable[..., Expression]] = {
    function.__name__: function for function in (choose, some_of, stack, parallel, repeat, optional)
}
"""Each combinator by its keyword."""


def reading(
    body: Like, *, fields: Iterable[str] | None = None, embedding: str | None = None
) -> Expression:
    """Return the body on the columns ``fields`` only; ``embedding="own"`` gives it its own table.

    It stands where the fields of the stage interaction flow in. A ``some_of`` read this way is one
    branch: its members are concatenated.
    """
    inner = expression(body)
    if embedding not in (None, "own"):
        raise ValueError(
            f"embedding takes own (a table of the branch), but got {shown(embedding)}."
        )
    if fields is None and embedding is None:
        return inner
    if isinstance(inner, FieldScope):
        raise ValueError(
            "fields and embedding cannot be repeated around a branch that has them already."
        )
    return FieldScope(inner, None if fields is None else columns(fields), embedding == "own")


def columns(names: object) -> tuple[str, ...]:
    """Return names of columns in their one order; raises ValueError for anything else."""
    known = names if isinstance(names, list | tuple | set | frozenset) else ()
    if not known or not all(isinstance(name, str) for name in known):
        raise ValueError(f"fields takes a list of names of columns, but got {shown(names)}.")
    if twice := [name for i, name in enumerate(known) if name in tuple(known)[:i]]:
        raise ValueError(f"fields names {twice[0]!r} twice.")
    return tuple(sorted(known))


def expression(like: Like) -> Expression:
    """Return an expression of a block's name (all knobs open) or a block (all knobs fixed)."""
    if isinstance(like, str):
        return use(like)
    if isinstance(like, Block):
        return Leaf(like.name, {name: Choice((v,)) for name, v in like.settings().items()})
    return like


def _expressions(members: Iterable[Like]) -> tuple[Expression, ...]:
    return tuple(expression(member) for member in members)
