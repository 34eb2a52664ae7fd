"""The architecture itself: a value with one canonical form and a fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from automlrank.architecture.canonical import folded, shared_once
from automlrank.architecture.drawing import Decide, draw_parts
from automlrank.architecture.parts import (
    NONE,
    Part,
    ScopedPart,
    blocks_of,
    gives_vector,
    part_data,
    phrase_of,
    readers,
)
from automlrank.blocks import Bce, Fixed
from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Domain, Scalar
from automlrank.blocks.embedding import Embedding
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Context, Fields, Scenario
from automlrank.blocks.training import Training
from automlrank.documents import dump
from automlrank.errors import Fault, SpaceError
from automlrank.space.parse import read_space
from automlrank.space.space import STAGES, Space


@dataclass(frozen=True)
class Architecture:
    """One candidate; make it with ``draw``, ``Architecture.read`` or ``canonical``.

    ``embedding`` is None where nothing reads fields (lr).
    """

    interaction: Part
    embedding: Embedding | None
    training: Training
    statistics: Part = NONE
    history: Part = NONE
    gate: Part = NONE
    scenario: Part = NONE
    tasks: Part = NONE
    tower: Part = NONE
    loss: Loss = dataclasses.field(default_factory=Bce)
    balance: Balance = dataclasses.field(default_factory=Fixed)
    name: str = dataclasses.field(default="architecture", compare=False)

    @staticmethod
    def read(source: str | Path | Mapping[str, object]) -> Architecture:
        """An architecture from YAML or a mapping; raises SpaceError where a choice is left."""
        return only_point(read_space(source))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical form, training settings included, the name left out."""
        data = {key: value for key, value in self.to_data().items() if key != "architecture"}
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_data(self) -> dict[str, object]:
        """Plain data in the DSL's words, every knob said; ``read`` gives an equal architecture."""
        data: dict[str, object] = {"architecture": self.name}
        if self.embedding:
            data["embedding"] = self.embedding.settings()
        for stage in STAGES:
            part = getattr(self, stage)
            if part != NONE or stage == "interaction":
                data[stage] = part_data(part)
        training = self.training.settings()
        data["training"] = {k: v for k, v in training.items() if k not in INHERITED}
        return data

    def to_yaml(self) -> str:
        """The same as YAML text."""
        return dump(self.to_data())

    @property
    def summary(self) -> str:
        """One readable line: ``emb16 · din · [linear, fm, mlp 2x128] · mmoe``."""
        stages = (getattr(self, stage) for stage in STAGES if stage not in ("loss", "balance"))
        parts = [phrase_of(part) for part in stages if part != NONE]
        parts += ["distilled"] if self.training.distillation else []
        return " · ".join([f"emb{self.embedding.dim}", *parts] if self.embedding else parts)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """Every block by its stage."""
        for stage in STAGES:
            for block in blocks_of(getattr(self, stage)):
                yield stage, block


INHERITED = ("dropout", "batch_norm")
"""Training settings that canonical blocks carry themselves."""


def draw(space: Space, decide: Decide) -> Architecture:
    """The architecture that ``decide`` chooses from ``space``."""
    parts = draw_parts(space, decide)
    return canonical(Architecture(name=space.name, **parts))  # type: ignore[arg-type]


def only_point(space: Space) -> Architecture:
    """The architecture of a space with one point; raises SpaceError naming what is left open."""
    left: list[Fault] = []

    def decide(path: str, domain: Domain) -> Scalar:
        if domain.count() > 1:
            problem = f"an architecture leaves nothing to choose, but got {domain}."
            left.append(Fault(problem, path))
        return domain.samples()[0]

    architecture = draw(space, decide)
    if left:
        raise SpaceError(left)
    return architecture


def canonical(drawn: Architecture) -> Architecture:
    """Defaults resolved, idle parts dropped, branches ordered, equal forms folded."""
    defaults = {name: getattr(drawn.training, name) for name in INHERITED}
    parts: dict[str, Any] = {stage: folded(getattr(drawn, stage), defaults) for stage in STAGES}
    if not gives_vector(parts["interaction"]):
        parts |= {"scenario": NONE, "tasks": NONE, "tower": NONE}
        if parts["balance"].reads_gradients:
            parts["balance"] = Fixed()  # no layer is shared
    found = list(readers(parts["interaction"]))
    if all(isinstance(part, ScopedPart) and part.own for part in found):
        parts["gate"] = NONE  # it weighs the shared table's fields
    roots = _roots(parts)
    some = all(isinstance(part, ScopedPart) and part.fields for part in found)
    if some and parts["gate"] == NONE and Fields not in roots:
        parts["history"] = NONE
        if gives_vector(parts["statistics"]):
            parts["statistics"] = NONE
    if found and parts["history"] == NONE == parts["gate"] and not roots:
        parts["interaction"] = folded(shared_once(parts["interaction"]), defaults)
    blank = Training()
    training = dataclasses.replace(
        drawn.training, **{name: getattr(blank, name) for name in INHERITED}
    )
    return dataclasses.replace(
        drawn, embedding=drawn.embedding if found else None, training=training, **parts
    )


def _roots(parts: Mapping[str, Part]) -> set[type]:
    """The inputs beside the flow that blocks make of the shared table."""
    ports = (
        port
        for part in parts.values()
        for block in blocks_of(part)
        for port in list(type(block).inputs().values())[1:]
    )
    return {port for port in ports if port in (Fields, Context, Scenario)}
