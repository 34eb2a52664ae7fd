"""The expressions of the DSL; each combinator takes expressions and is one again.

    use("mlp", width=[64, 128])       a block; knobs not named keep their search domain
    choose("none", "senet")           one of them
    some_of("fm", "cin", max=2)       one to two of them, side by side
    stack("nfm", use("mlp"))          one after the other
    parallel("linear", "fm", "mlp")   side by side; vectors merged, logits summed
    repeat("cross_net", times=[1, 2]) the same knobs each time, weights of its own
    optional("senet")                 or nothing
    reading("mlp", fields=["user_id", "age"])   it reads these columns only
    reading("mlp", embedding="own")             it has an embedding table of its own

A ``Space`` holds one expression per stage of a model. Where every domain has one value, the
space is an architecture.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Choice, Domain, domain_of, ints
from automlrank.documents import dump
from automlrank.errors import did_you_mean, shown

MAX_SUBSETS = 64  # beyond, some_of is one switch per member: TPE learns little from 100 names


@dataclass(frozen=True)
class Leaf:
    """A block with a domain for every knob."""

    block: str
    domains: Mapping[str, Domain]

    def __hash__(self) -> int:
        return hash((self.block, tuple(self.domains.items())))

    @property
    def label(self) -> str:
        return self.block


@dataclass(frozen=True)
class Choose:
    """One of the options."""

    options: tuple[Expression, ...]
    label = "choose"

    @property
    def labels(self) -> tuple[str, ...]:
        return unique_labels(self.options)


@dataclass(frozen=True)
class SomeOf:
    """Between ``low`` and ``high`` of the options, side by side."""

    options: tuple[Expression, ...]
    low: int
    high: int
    label = "some_of"

    def subsets(self) -> dict[str, tuple[int, ...]]:
        """Every subset by its name, such as ``fm+cin``; the empty one is ``none``, or ``nothing``
        where ``none`` is an option."""
        labels = unique_labels(self.options)
        empty = "nothing" if "none" in labels else "none"
        return {
            "+".join(labels[i] for i in chosen) or empty: chosen
            for size in range(self.low, self.high + 1)
            for chosen in itertools.combinations(range(len(labels)), size)
        }

    @property
    def n_subsets(self) -> int:
        return sum(math.comb(len(self.options), n) for n in range(self.low, self.high + 1))


@dataclass(frozen=True)
class Stack:
    """One after the other."""

    members: tuple[Expression, ...]
    label = "stack"


@dataclass(frozen=True)
class Parallel:
    """Side by side: vectors are merged, logits summed."""

    branches: tuple[Expression, ...]
    merge: Expression
    label = "parallel"


@dataclass(frozen=True)
class Repeat:
    """``times`` copies, one after the other: the same knobs, weights of their own."""

    body: Expression
    times: Domain
    label = "repeat"


@dataclass(frozen=True)
class Maybe:
    """The body, or nothing."""

    body: Expression
    label = "optional"


@dataclass(frozen=True)
class Reading:
    """The body on some columns only (``fields``), on a table of its own (``own``), or both."""

    body: Expression
    fields: tuple[str, ...] | None
    own: bool

    @property
    def label(self) -> str:
        return self.body.label


Expression = Leaf | Choose | SomeOf | Stack | Parallel | Repeat | Maybe | Reading
Like = Expression | Block | str


@dataclass(frozen=True)
class Limits:
    """What a candidate must not exceed; None sets no limit."""

    latency_ms: float | None = None
    parameters: int | None = None


STAGES: dict[str, tuple[str, ...]] = {
    "statistics": ("statistics",),
    "history": ("history",),
    "gate": ("gate",),
    "interaction": ("interaction", "gate"),
    "scenario": ("scenario",),
    "tasks": ("tasks",),
    "tower": ("tower",),
    "loss": ("loss",),
    "balance": ("balance",),
}
"""The stages of a model in their order, and the families that each may hold."""

DEFAULT_REFERENCES = ("lr", "deepfm", "dcn_v2", "lightgbm", "lightgbm_rates")


@dataclass(frozen=True)
class Space:
    """One expression per stage, the embedding's and the training's domains, and the limits."""

    interaction: Expression
    name: str = "space"
    embedding: Leaf = field(default_factory=lambda: use("embedding"))
    statistics: Expression = field(default_factory=lambda: use("none"))
    history: Expression = field(default_factory=lambda: use("none"))
    gate: Expression = field(default_factory=lambda: use("none"))
    scenario: Expression = field(default_factory=lambda: use("none"))
    tasks: Expression = field(default_factory=lambda: use("none"))
    tower: Expression = field(default_factory=lambda: use("none"))
    loss: Expression = field(default_factory=lambda: use("bce"))
    balance: Expression = field(default_factory=lambda: use("fixed"))
    training: Leaf = field(default_factory=lambda: use("training"))
    limits: Limits = Limits()
    references: tuple[str, ...] = DEFAULT_REFERENCES

    @staticmethod
    def read(source: str | Path | Mapping[str, object]) -> Space:
        """A space from a YAML file or a mapping; raises SpaceError with every fault."""
        from automlrank.space.parse import read_space

        return read_space(source)

    def to_data(self) -> dict[str, object]:
        """Plain data in the DSL's words; ``read`` gives an equal space."""
        from automlrank.space.write import space_data

        return space_data(self)

    def to_yaml(self) -> str:
        """The same as YAML text."""
        return dump(self.to_data())

    def stages(self) -> Iterator[tuple[str, Expression]]:
        """Every part in the order of drawing, by its name in YAML."""
        yield "embedding", self.embedding
        for stage in STAGES:
            yield stage, getattr(self, stage)
        yield "training", self.training


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


def optional(body: Like) -> Maybe:
    """The body, or nothing."""
    inner = expression(body)
    if inner.label == "none":
        raise ValueError("optional takes something that can be left out, but got none.")
    return Maybe(inner)


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
    if isinstance(inner, Reading):
        raise ValueError("fields and embedding are said once, not of a branch that says them too.")
    return Reading(inner, None if fields is None else columns(fields), embedding == "own")


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


def unique_labels(options: tuple[Expression, ...]) -> tuple[str, ...]:
    """Each option's label; the second ``mlp`` is ``mlp_2``."""
    labels: list[str] = []
    for option in options:
        n = sum(other.label == option.label for other in options[: len(labels)])
        labels.append(option.label if n == 0 else f"{option.label}_{n + 1}")
    return tuple(labels)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside."""
    match node:
        case Leaf():
            return ()
        case Choose(options) | SomeOf(options):
            return options
        case Stack(members):
            return members
        case Parallel(branches, merge):
            return (*branches, merge)
        case Repeat(body) | Maybe(body) | Reading(body):
            return (body,)


def leaves(node: Expression) -> Iterator[Leaf]:
    """Every block that the expression may hold."""
    if isinstance(node, Leaf):
        yield node
    for child in children(node):
        yield from leaves(child)
