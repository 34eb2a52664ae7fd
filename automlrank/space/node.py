"""Base classes of expressions: label, keyword, inner expressions, number of draws.

They are generic in the inner expressions: ``grammar``, which imports this file, closes their union.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from automlrank.documents import Path_

E = TypeVar("E")
"""An expression inside."""


class Node(Generic[E]):
    """An expression: a value with a label and expressions inside."""

    keyword: ClassVar[str] = ""
    """Key in YAML; empty for what is written without one."""

    @property
    def label(self) -> str:
        """Name among its peers, which paths of decisions contain."""
        return self.keyword

    @property
    def meaning(self) -> str:
        """The node in a few words, before the expressions inside."""
        return ""

    def behind(self) -> tuple[E, ...]:
        """Return the expressions behind the keyword."""
        return ()

    def beside(self) -> dict[str, Any]:
        """Return the values beside the keyword, by their keys."""
        return {}

    def inside(self) -> list[tuple[Path_, E]]:
        """Return the expressions directly inside, each with its place below the node."""
        return []

    def flows_into(self, place: Path_) -> bool:
        """Return True if the expression at this place is given what flows into the node."""
        return True

    def with_members(self, members: Sequence[E]) -> E | None:
        """Return the node with these expressions behind its keyword; None if there are none."""
        raise NotImplementedError

    def draws(self, each: Sequence[int]) -> int:
        """Return the number of draws, given those of the expressions directly inside."""
        raise NotImplementedError

    def left_open(self) -> Iterator[tuple[Path_, str]]:
        """Yield the node's own choices, each with its place below the node."""
        yield from ()


class Combinator(Node[E]):
    """A node with a keyword; its other fields stand beside the keyword, under their names."""

    @classmethod
    def beside_keys(cls) -> tuple[str, ...]:
        """Return the keys that may stand beside the keyword."""
        return tuple(field.name for field in dataclasses.fields(cls)[1:])  # type: ignore[arg-type]

    def beside(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.beside_keys()}

    def inside(self) -> list[tuple[Path_, E]]:
        beside = [((key,), v) for key, v in self.beside().items() if isinstance(v, Node)]
        return [*self.placed(), *beside]  # type: ignore[list-item]

    def placed(self) -> list[tuple[Path_, E]]:
        """Return the expressions behind the keyword with their places."""
        raise NotImplementedError


@dataclass(frozen=True)
class Several(Combinator[E]):
    """A combinator of a list of expressions."""

    members: tuple[E, ...]

    def behind(self) -> tuple[E, ...]:
        return self.members

    def placed(self) -> list[tuple[Path_, E]]:
        return [((self.keyword, i), member) for i, member in enumerate(self.members)]

    def with_members(self, members: Sequence[E]) -> E | None:
        return _changed(self, members=tuple(members)) if members else None


@dataclass(frozen=True)
class Around(Combinator[E]):
    """A combinator of one expression."""

    body: E

    def behind(self) -> tuple[E, ...]:
        return (self.body,)

    def placed(self) -> list[tuple[Path_, E]]:
        return [((self.keyword,), self.body)]

    def with_members(self, members: Sequence[E]) -> E | None:
        return _changed(self, body=members[0]) if members else None

    def draws(self, each: Sequence[int]) -> int:
        return each[0]


def _changed(node: Any, **changes: object) -> Any:
    return dataclasses.replace(node, **changes)
