"""The space itself: one expression per stage of a model, and the limits of a candidate.

Where every domain has one value, the space is an architecture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automlrank.documents import dump
from automlrank.space.combinators import use
from automlrank.space.grammar import Expression, Leaf


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

    @property
    def distils(self) -> bool:
        """Whether some draw learns from boosted trees."""
        return any(value != 0 for value in self.training.domains["distillation"].samples())

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
