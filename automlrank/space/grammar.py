"""Expressions of a space as values: blocks, and combinators of expressions.

A combinator declares its keyword; its first field stands behind the keyword in YAML, its others
stand beside it under their own names. Reading, writing, walking and rewriting follow from that.
Where the meaning differs by node, a ``match`` stands in ``flow`` (ports), ``architecture/drawing``
(parts) and ``study/matching`` (params).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from automlrank.blocks.domains import Domain, short
from automlrank.documents import Path_
from automlrank.space.node import Around, Combinator, Node, Several

MAX_SUBSETS = 64  # beyond, some_of is one switch per member: TPE learns little from 100 names


@dataclass(frozen=True)
class Leaf(Node["Expression"]):
    """A block with a domain for every knob."""

    block: str
    domains: Mapping[str, Domain]

    def __hash__(self) -> int:
        return hash((self.block, tuple(self.domains.items())))

    @property
    def label(self) -> str:
        return self.block

    def with_members(self, members: Sequence[Expression]) -> Expression | None:
        return self

    def draws(self, each: Sequence[int]) -> int:
        return math.prod(_discrete(domain) for domain in self.domains.values())

    def left_open(self) -> Iterator[tuple[Path_, str]]:
        for name, domain in self.domains.items():
            if domain.count() > 1:
                yield (self.block, name), f"{name} may be {domain}"


@dataclass(frozen=True)
class Choose(Several["Expression"]):
    """One of the members."""

    keyword = "choose"
    meaning = "one of"

    @property
    def labels(self) -> tuple[str, ...]:
        return unique_labels(self.members)

    def with_members(self, members: Sequence[Expression]) -> Expression | None:
        return members[0] if len(members) == 1 else super().with_members(members)

    def draws(self, each: Sequence[int]) -> int:
        return sum(each)

    def left_open(self) -> Iterator[tuple[Path_, str]]:
        if len(self.members) > 1:
            yield (self.keyword,), f"this may be one of {len(self.members)}"


@dataclass(frozen=True)
class SomeOf(Several["Expression"]):
    """Between ``min`` and ``max`` of the members, side by side."""

    min: int
    max: int
    keyword = "some_of"

    @property
    def meaning(self) -> str:
        return f"{self.min} to {self.max} of"

    def subsets(self) -> dict[str, tuple[int, ...]]:
        """Return every subset by its name, such as ``fm+cin``.

        The empty one is ``none``, or ``nothing`` where ``none`` is a member.
        """
        labels = unique_labels(self.members)
        empty = "nothing" if "none" in labels else "none"
        return {
            "+".join(labels[i] for i in chosen) or empty: chosen
            for size in range(self.min, self.max + 1)
            for chosen in itertools.combinations(range(len(labels)), size)
        }

    @property
    def n_subsets(self) -> int:
        return sum(math.comb(len(self.members), n) for n in range(self.min, self.max + 1))

    def with_members(self, members: Sequence[Expression]) -> Expression | None:
        n = len(members)
        return SomeOf(tuple(members), min(self.min, n), min(self.max, n)) if members else None

    def draws(self, each: Sequence[int]) -> int:
        """Return the sum of the coefficients of ``prod(1 + draws_i x)`` from min to max."""
        sums = [1]
        for draws in each:
            sums = [a + draws * b for a, b in zip([*sums, 0], [0, *sums], strict=True)]
        return sum(sums[self.min : self.max + 1])

    def left_open(self) -> Iterator[tuple[Path_, str]]:
        if self.n_subsets > 1:
            yield (self.keyword,), f"this may be one of {self.n_subsets} subsets"


@dataclass(frozen=True)
class Stack(Several["Expression"]):
    """One after the other."""

    keyword = "stack"
    meaning = "one after the other"

    def flows_into(self, place: Path_) -> bool:
        return place == (self.keyword, 0)

    def draws(self, each: Sequence[int]) -> int:
        return math.prod(each)


@dataclass(frozen=True)
class Parallel(Several["Expression"]):
    """Side by side: vectors are merged, logits summed."""

    merge: Expression
    keyword = "parallel"
    meaning = "side by side"

    def flows_into(self, place: Path_) -> bool:
        return place != ("merge",)

    def draws(self, each: Sequence[int]) -> int:
        return math.prod(each)


@dataclass(frozen=True)
class Repeat(Around["Expression"]):
    """``times`` copies, one after the other: the same knobs, weights of their own."""

    times: Domain
    keyword = "repeat"

    @property
    def meaning(self) -> str:
        return f"{short(self.times)} times"

    def flows_into(self, place: Path_) -> bool:
        return False  # each copy but the first is given another's output

    def draws(self, each: Sequence[int]) -> int:
        return each[0] * _discrete(self.times)

    def left_open(self) -> Iterator[tuple[Path_, str]]:
        if self.times.count() > 1:
            yield ("times",), f"times may be {self.times}"


@dataclass(frozen=True)
class Optional(Around["Expression"]):
    """The body, or nothing."""

    keyword = "optional"
    meaning = "or nothing"

    def draws(self, each: Sequence[int]) -> int:
        return 1 + each[0]

    def left_open(self) -> Iterator[tuple[Path_, str]]:
        yield (self.keyword,), "this may be left out"


@dataclass(frozen=True)
class FieldScope(Around["Expression"]):
    """The body on some columns only (``fields``), on a table of its own (``own``), or both."""

    fields: tuple[str, ...] | None
    own: bool

    @property
    def label(self) -> str:
        return self.body.label

    def beside(self) -> dict[str, Any]:
        return scope_data(self.fields, self.own)

    def placed(self) -> list[tuple[Path_, Expression]]:
        return [((), self.body)]

    def flows_into(self, place: Path_) -> bool:
        return False  # the body is given what the scope says


NODES: Mapping[str, type[Combinator[Any]]] = {
    cls.keyword: cls for cls in (Choose, SomeOf, Stack, Parallel, Repeat, Optional)
}
"""Every combinator by its keyword."""
SCOPE_KEYS = ("fields", "embedding")
"""Keys that may stand beside any expression: the columns and table of a branch."""
Expression = Leaf | Choose | SomeOf | Stack | Parallel | Repeat | Optional | FieldScope


def is_node(value: object) -> TypeGuard[Expression]:
    """Return True if the value is an expression."""
    return isinstance(value, Node)


def scope_data(fields: tuple[str, ...] | None, own: bool) -> dict[str, object]:
    """Return the keys for the columns and table of a branch, as plain data."""
    data: dict[str, object] = {"fields": list(fields)} if fields else {}
    return data | ({"embedding": "own"} if own else {})


def unique_labels(members: tuple[Expression, ...]) -> tuple[str, ...]:
    """Return each member's label; the second ``mlp`` is ``mlp_2``."""
    labels: list[str] = []
    for member in members:
        n = sum(other.label == member.label for other in members[: len(labels)])
        labels.append(member.label if n == 0 else f"{member.label}_{n + 1}")
    return tuple(labels)


def walk(node: Expression, path: Path_ = ()) -> Iterator[tuple[Path_, Expression]]:
    """Yield the expression at ``path`` and all that is inside, each with its place."""
    yield path, node
    for place, inner in node.inside():
        yield from walk(inner, (*path, *place))


def leaves(node: Expression) -> Iterator[Leaf]:
    """Yield every block that the expression may hold."""
    return (inner for _, inner in walk(node) if isinstance(inner, Leaf))


def rewritten(
    node: Expression, change: Callable[[Expression], Expression | None]
) -> Expression | None:
    """Return the expression changed from its leaves upwards; ``change`` leaves out by None."""
    members = (rewritten(member, change) for member in node.behind())
    whole = node.with_members([member for member in members if member is not None])
    return None if whole is None else change(whole)


def _discrete(domain: Domain) -> int:
    """Return the number of a domain's values; a float range counts as one."""
    return 1 if domain.count() == math.inf else int(domain.count())
