"""The words of the DSL; each combinator takes expressions and gives one again.

    use("mlp", width=[64, 128])       a block; knobs not named keep their search domain
    choose("none", "senet")           one of them
    some_of("fm", "cin", max=2)       one to two of them, side by side
    stack("nfm", use("mlp"))          one after the other
    parallel("linear", "fm", "mlp")   side by side; vectors merged, logits summed
    repeat("cross_net", times=[1, 2]) the same knobs each time, weights of its own
    optional("senet")                 or nothing
    reading("mlp", fields=["user_id", "age"])   it reads these columns only
    reading("mlp", embedding="own")             it has an embedding table of its own

A block's name stands for the block with all knobs open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Choice, Domain, domain_of, ints
from automlrank.errors import did_you_mean, shown
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

Like = Expression | Block | str


def use(block: str, /, **domains: object) -> Leaf:
    """A block; each knob named takes a value, a list, or a range, the others their search domain.

    Raises ValueError where a domain is not within what the block can do.
    """
    return leaf(block, domains, closed=False)


def leaf(block: str, domains: Mapping[str, object], *, closed: bool) -> Leaf:
    """A block; ``closed``: knobs not named take their default instead of their search domain."""
    cls = BLOCKS[block]
    for name in domains:
        if name not in cls.knobs():
            raise ValueError(f"{block} has no knob {name!r}. {did_you_mean(name, cls.knobs())}")
    open_ = {k.name: Choice((k.default,)) if closed else k.search for k in cls.knobs().values()}
    named = {name: knob_domain(block, name, data) for name, data in domains.items()}
    return Leaf(block, {**open_, **named})


def knob_domain(block: str, name: str, data: object) -> Domain:
    """A knob's domain from its YAML form; raises ValueError where it exceeds the legal one."""
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


def choose(*options: Like) -> Choose:
    """One of the options."""
    return Choose(tuple(expression(option) for option in options))


def some_of(*options: Like, min: int = 1, max: int | None = None) -> SomeOf:
    """Between ``min`` and ``max`` (default: all) of the options, side by side."""
    high = len(options) if max is None else max
    if {type(min), type(high)} != {int} or not 0 <= min <= high <= len(options):
        raise ValueError(
            f"0 <= min <= max <= {len(options)} must hold, "
            f"but got min={shown(min)}, max={shown(high)}."
        )
    return SomeOf(tuple(expression(option) for option in options), min, high)


def stack(*members: Like) -> Stack:
    """One after the other."""
    return Stack(tuple(expression(member) for member in members))


def parallel(*branches: Like, merge: Like = "concat") -> Parallel:
    """Side by side: vectors are merged, logits summed."""
    return Parallel(tuple(expression(branch) for branch in branches), expression(merge))


def repeat(body: Like, times: object) -> Repeat:
    """``times`` copies, one after the other."""
    domain = domain_of(times)
    if not domain.within(ints(1, 16)):
        raise ValueError(f"times must be a whole number from 1 to 16, but got {shown(times)}.")
    return Repeat(expression(body), domain)


def optional(body: Like) -> Optional:
    """The body, or nothing."""
    inner = expression(body)
    if inner.label == "none":
        raise ValueError("optional takes something that can be left out, but got none.")
    return Optional(inner)


def reading(
    body: Like, *, fields: Iterable[str] | None = None, embedding: str | None = None
) -> Expression:
    """The body on the columns ``fields`` only; ``embedding="own"`` gives it a table of its own.

    It stands where the fields of the stage interaction flow in. A ``some_of`` read so is one
    branch: its members are concatenated.
    """
    inner = expression(body)
    if embedding not in (None, "own"):
        raise ValueError(
            f"embedding takes own, a table of the branch's own, but got {shown(embedding)}."
        )
    if fields is None and embedding is None:
        return inner
    if isinstance(inner, FieldScope):
        raise ValueError("fields and embedding are said once, not of a branch that says them too.")
    return FieldScope(inner, None if fields is None else columns(fields), embedding == "own")


def columns(names: object) -> tuple[str, ...]:
    """Names of columns in order: which comes first is no difference; ValueError for others."""
    known = names if isinstance(names, list | tuple | set | frozenset) else ()
    if not known or not all(isinstance(name, str) for name in known):
        raise ValueError(f"fields takes a list of names of columns, but got {shown(names)}.")
    if twice := [name for i, name in enumerate(known) if name in tuple(known)[:i]]:
        raise ValueError(f"fields names {twice[0]!r} twice.")
    return tuple(sorted(known))


def expression(like: Like) -> Expression:
    """An expression from a block's name (all knobs open) or a block (all knobs fixed)."""
    if isinstance(like, str):
        return use(like)
    if isinstance(like, Block):
        return Leaf(like.name, {name: Choice((v,)) for name, v in like.settings().items()})
    return like
