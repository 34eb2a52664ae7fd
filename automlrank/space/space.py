"""The class ``Space``: one expression per stage of a model, and limits on its cost.

Where every domain has one value, the space is an architecture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automlrank.blocks.stages import Stages
from automlrank.documents import Document, as_document, dump
from automlrank.errors import Fault, SpaceError
from automlrank.space.check import distils, wiring_faults
from automlrank.space.choices import left_open
from automlrank.space.combinators import use
from automlrank.space.grammar import Expression, Leaf
from automlrank.space.parse import DEFAULT_REFERENCES, SpaceParser
from automlrank.space.write import domains_data, expression_data


@dataclass(frozen=True)
class Limits:
    """Upper bounds on the cost of an architecture; None sets no bound."""

    latency_ms: float | None = None
    parameters: int | None = None


@dataclass(frozen=True, kw_only=True)
class Space(Stages[Expression, Expression, Expression]):
    """One expression per stage, the domains of embedding and training, and the limits."""

    name: str = "space"
    embedding: Leaf = field(default_factory=lambda: use("embedding"))
    training: Leaf = field(default_factory=lambda: use("training"))
    limits: Limits = Limits()
    references: tuple[str, ...] = DEFAULT_REFERENCES

    @staticmethod
    def value_of(block: str) -> Leaf:
        return use(block)

    @staticmethod
    def read(source: str | Path | Mapping[str, object] | Document) -> Space:
        """Return the space of a YAML file, a mapping or a document.

        Raises SpaceError with every fault of form and of wiring.
        """
        document = as_document(source, strict=False) if not isinstance(source, Document) else source
        space, faults = Space.parse(document)
        if faults:
            raise SpaceError(faults)
        return space

    @staticmethod
    def parse(document: Document) -> tuple[Space, list[Fault]]:
        """Return what can be read of a space, and every fault by its line.

        A faulty expression is a hole that anything may flow through: what stands around it is
        wired and checked as if the hole were right.
        """
        parser = SpaceParser(document)
        given = parser.given()
        space = Space(**{**given, "limits": Limits(**given.get("limits", {}))})
        faults = [*document.faults, *parser.faults, *space.faults(document)]
        if parser.closed:
            faults += left_open(dict(space.stages()), document)
        return space, sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0)

    def faults(self, document: Document | None = None) -> list[Fault]:
        """Return every place where some draw of the space could not be wired."""
        return wiring_faults(dict(self.stages()), document or Document(None))

    def to_data(self) -> dict[str, object]:
        """Return plain data in the DSL's words; ``read`` gives an equal space."""
        data: dict[str, object] = {"name": self.name, "references": list(self.references)}
        blank = Space(interaction=self.interaction)
        for stage, node in self.stages():
            if stage == "interaction" or node != getattr(blank, stage):
                written = expression_data(node)
                if isinstance(node, Leaf) and node.block == stage:  # the key is its name
                    written = domains_data(node)
                data[stage] = written
        limits = {key: value for key, value in vars(self.limits).items() if value is not None}
        return {**data, "limits": limits} if limits else data

    def to_yaml(self) -> str:
        """Return the same as YAML text."""
        return dump(self.to_data())

    @property
    def distils(self) -> bool:
        """True if some draw learns from boosted trees."""
        return distils(dict(self.stages()))

    def stages(self) -> Iterator[tuple[str, Expression]]:
        """Yield every part in the order of drawing, by its name in YAML."""
        yield "embedding", self.embedding
        yield from self.by_stage().items()
        yield "training", self.training
