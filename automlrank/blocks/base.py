"""Base class of blocks: one frozen declaration each, from which everything else is derived.

A block's file holds an ``nn.Module`` (the maths: plain numbers in, torch and
``blocks/parts`` only) and its declaration::

    @block("cross_net_v2", family="interaction")
    class CrossNetV2(Block):
        \"\"\"Bounded-degree feature crosses: ``x <- x0 * (W x + b) + x``, repeated.\"\"\"

        paper = "Wang et al., DCN V2, WWW 2021, https://arxiv.org/abs/2008.13535"
        module = MatrixCross
        layers: int = knob(3, legal=ints(1, 8), search=one_of(1, 2, 3), help="crosses in all")

        def out(self, x: Vector) -> Vector: ...
        def arguments(self, x: Vector) -> dict[str, object]: ...

The first parameter of ``out`` is what flows in, the others are root inputs by name (see
``ports``). ``arguments`` takes the same ports and gives the module's constructor arguments.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.blocks.entry_points import load_entry_points
from automlrank.blocks.ports import Port
from automlrank.blocks.stages import STAGES
from automlrank.errors import BlockError, did_you_mean

FAMILIES = (
    *dict.fromkeys(family for stage in STAGES.values() for family in stage.families),
    *("merge", "optimizer", "embedding", "training"),
)
"""Families of the stages, in their order, then those of blocks outside the stages."""


@dataclass(frozen=True)
class Knob:
    """One setting of a block: its default, its legal domain, its search domain."""

    name: str
    default: Scalar
    legal: Domain
    search: Domain
    help: str
    inherit: str | None = None
    recommended: Scalar = None
    """Value of a search's first trials where measurements prefer it to the default, or None."""


def knob(
    default: Any,
    *,
    legal: Domain,
    search: Domain | None = None,
    help: str,
    inherit: str | None = None,
    recommended: Scalar = None,
) -> Any:
    """Declare a knob; ``search`` defaults to the default alone.

    ``inherit`` names a training setting (``dropout``, ``batch_norm``) whose value stands in
    where the knob is left at None. ``recommended`` is the value of a search's first trials where
    measurements prefer it to the default.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "legal": legal,
            "search": search or Choice((default,)),
            "help": help,
            "inherit": inherit,
            "recommended": recommended,
        },
    )


class Block:
    """A part of a model as a value: it compares, hashes and prints, and holds no weights."""

    name: ClassVar[str]
    families: ClassVar[tuple[str, ...]]
    paper: ClassVar[str]
    module: ClassVar[Callable[..., Any]]
    recommended: ClassVar[bool] = False
    """True if a search's first trials take the block for its stage."""

    def __post_init__(self) -> None:
        for item in self.knobs().values():
            value = getattr(self, item.name)
            if value is None and item.inherit:
                continue
            if value not in item.legal:
                raise ValueError(
                    f"{self.name}.{item.name} must be {item.legal}, but got {value!r}."
                )
            object.__setattr__(self, item.name, item.legal.coerce(value))

    @classmethod
    @cache
    def knobs(cls) -> Mapping[str, Knob]:
        """Return the block's knobs by name, in the order of declaration."""
        return {f.name: Knob(f.name, f.default, **f.metadata) for f in dataclasses.fields(cls)}  # type: ignore[arg-type]

    @classmethod
    def gives(cls) -> Any:
        """Return the port, or ports, that ``out`` declares to give."""
        return typing.get_type_hints(cls.out)["return"]

    def phrase(self) -> str:
        """Return the block in a summary's line: its name, and ``depth x width`` where it has them.

        A block whose ``width`` is not that of its layers overrides it.
        """
        settings = self.settings()
        sizes = "x".join(str(settings[key]) for key in ("depth", "width") if key in settings)
        return f"{self.name} {sizes}" if sizes else self.name

    @classmethod
    @cache
    def inputs(cls) -> Mapping[str, type[Port]]:
        """Return the parameters of ``out`` and their ports; the flow comes first."""
        hints = typing.get_type_hints(cls.out)
        return {name: port for name, port in hints.items() if name != "return"}

    def out(self, *ports: Any) -> Any:
        """Return the port that comes out for the ports that go in."""
        raise NotImplementedError(f"{type(self).__name__} declares no out")

    def arguments(self, *ports: Any) -> dict[str, Any]:
        """Return the module's constructor arguments: numbers, words, and tuples of them."""
        raise NotImplementedError(f"{type(self).__name__} declares no arguments")

    def build(self, *ports: Any, **roots: Any) -> Any:
        """Return the module with weights of its own; root inputs may be passed by name."""
        return self.module(**self.arguments(*ports, **roots))

    def settings(self) -> dict[str, Scalar]:
        """Return the knobs' values by name."""
        return {name: getattr(self, name) for name in self.knobs()}

    def inherited(self, defaults: Mapping[str, Scalar]) -> Self:
        """Return the same block with every open knob taken from ``defaults``."""
        changes = {
            item.name: defaults[item.inherit]
            for item in self.knobs().values()
            if item.inherit and getattr(self, item.name) is None
        }
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def canonical(self) -> Block:
        """Return the one spelling of this function at this cost: idle knobs at their defaults."""
        return self

    def tables(self) -> tuple[str, ...]:
        """Return the module's parameters that are embedding tables: a row for each id."""
        return ()

    def decay(self) -> dict[str, float]:
        """Return decoupled L2 per epoch by the name of the module's parameter."""
        return {}

    def coupled_decay(self) -> dict[str, float]:
        """Return L2 inside the gradient, ``g + l2 w``, by the name of the module's parameter."""
        return {}

    def optimizers(self) -> dict[str, Block]:
        """Return optimizers of parameters that the training's does not train, by their names."""
        return {}


B = TypeVar("B", bound=type[Block])


class Registry(Mapping[str, type[Block]]):
    """Every block by name; ``of(family)`` gives a family's.

    Blocks of other packages (see ``entry_points``) are loaded when the registry is first read, not
    before: such a package may be imported first, and is then half imported while ours is.
    """

    def __init__(self) -> None:
        self._blocks: dict[str, type[Block]] = {}
        self._complete = False

    def add(self, cls: type[Block]) -> None:
        """Register a block under its name; raise ValueError if the name is taken."""
        if cls.name in self._blocks:
            raise ValueError(f"a block named {cls.name!r} is already registered.")
        self._blocks[cls.name] = cls

    def _all(self) -> dict[str, type[Block]]:
        """Return the blocks with those of other packages, all of them or none."""
        if not self._complete:
            self._complete = True  # a package may read the registry while it is loaded
            before = dict(self._blocks)
            try:
                load_entry_points()
            except BlockError:
                self._complete, self._blocks = False, before
                raise
        return self._blocks

    def __getitem__(self, name: str) -> type[Block]:
        blocks = self._all()
        if name not in blocks:
            raise KeyError(f"no block {name!r}. {did_you_mean(name, blocks)}")
        return blocks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def of(self, family: str) -> dict[str, type[Block]]:
        """Return the blocks of one family by name."""
        return {name: cls for name, cls in self._all().items() if family in cls.families}


BLOCKS = Registry()


@dataclass_transform(frozen_default=True, kw_only_default=True)
def block(name: str, *, family: str | tuple[str, ...]) -> Callable[[B], B]:
    """Make a class a frozen declaration and register it; a name is used once."""
    families = (family,) if isinstance(family, str) else family
    assert set(families) <= set(FAMILIES), families

    def register(cls: B) -> B:
        cls.name, cls.families = name, families
        dataclass(frozen=True, kw_only=True)(cls)  # in place: the class itself comes back
        BLOCKS.add(cls)
        return cls

    return register
