"""The expressions of the DSL, as values: blocks, and combinators of expressions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automlrank.blocks.domains import Domain

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
class Optional:
    """The body, or nothing."""

    body: Expression
    label = "optional"


@dataclass(frozen=True)
class FieldScope:
    """The body on some columns only (``fields``), on a table of its own (``own``), or both."""

    body: Expression
    fields: tuple[str, ...] | None
    own: bool

    @property
    def label(self) -> str:
        return self.body.label


Expression = Leaf | Choose | SomeOf | Stack | Parallel | Repeat | Optional | FieldScope


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
        case Repeat(body) | Optional(body) | FieldScope(body):
            return (body,)


def leaves(node: Expression) -> Iterator[Leaf]:
    """Every block that the expression may hold."""
    if isinstance(node, Leaf):
        yield node
    for child in children(node):
        yield from leaves(child)
