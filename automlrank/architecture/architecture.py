"""The class ``Architecture``: a frozen value with a canonical form and a fingerprint."""

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
from automlrank.blocks import BLOCKS, Fixed
from automlrank.blocks.balance.base import Balance
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Domain, Scalar
from automlrank.blocks.embedding import Embedding
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.ports import Context, Fields, Scenario, Vector
from automlrank.blocks.stages import STAGES, Stages
from automlrank.blocks.training import Training
from automlrank.documents import dump
from automlrank.errors import Fault, SpaceError
from automlrank.space.space import Space


@dataclass(frozen=True, kw_only=True)
class Architecture(Stages[Part, Loss, Balance]):
    """One point of a space; make it with ``draw``, ``Architecture.read`` or ``canonical``."""

    embedding: Embedding | None
    """The embedding of the columns; None where nothing reads fields (lr)."""
    training: Training
    name: str = dataclasses.field(default="architecture", compare=False)

    @staticmethod
    def value_of(block: str) -> Block:
        return BLOCKS[block]()

    @staticmethod
    def read(source: str | Path | Mapping[str, object]) -> Architecture:
        """Return an architecture of YAML or a mapping; raises SpaceError if a choice is left."""
        return only_point(Space.read(source))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical form, training settings included, the name left out."""
        data = {key: value for key, value in self.to_data().items() if key != "architecture"}
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_data(self) -> dict[str, object]:
        """Return plain data with every knob named; ``read`` gives an equal architecture."""
        data: dict[str, object] = {"architecture": self.name}
        if self.embedding:
            data["embedding"] = self.embedding.settings()
        for stage, part in self.by_stage().items():
            if part != NONE or stage == "interaction":
                data[stage] = part_data(part)
        training = self.training.settings()
        data["training"] = {k: v for k, v in training.items() if k not in INHERITED}
        return data

    def to_yaml(self) -> str:
        """Return the same as YAML text."""
        return dump(self.to_data())

    @property
    def summary(self) -> str:
        """One readable line: ``emb16 · din · [linear, fm, mlp 2x128] · mmoe``."""
        flow = (part for stage, part in self.by_stage().items() if STAGES[stage].takes)
        parts = [phrase_of(part) for part in flow if part != NONE]
        parts += ["distilled"] if self.training.distillation else []
        return " · ".join([f"emb{self.embedding.dim}", *parts] if self.embedding else parts)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """Yield every block with its stage."""
        for stage, part in self.by_stage().items():
            for block in blocks_of(part):
                yield stage, block


INHERITED = ("dropout", "batch_norm")
"""Training settings that canonical blocks carry themselves."""


def draw(space: Space, decide: Decide) -> Architecture:
    """Return the architecture that ``decide`` chooses from ``space``."""
    parts = draw_parts(space, decide)
    return canonical(Architecture(name=space.name, **parts))  # type: ignore[arg-type]


def only_point(space: Space) -> Architecture:
    """Return the architecture of a space with one point; raises SpaceError for every choice."""
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
    """Return the one form: defaults resolved, idle parts dropped, branches ordered and folded."""
    defaults = {name: getattr(drawn.training, name) for name in INHERITED}
    parts: dict[str, Any] = {
        name: folded(part, defaults) for name, part in drawn.by_stage().items()
    }
    if not gives_vector(parts["interaction"]):
        parts |= {name: NONE for name, stage in STAGES.items() if stage.takes is Vector}
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
    usual = {name: getattr(Training(), name) for name in INHERITED}
    training = dataclasses.replace(drawn.training, **usual)
    embedding = drawn.embedding if found else None
    return dataclasses.replace(drawn, embedding=embedding, training=training, **parts)


def _roots(parts: Mapping[str, Part]) -> set[type]:
    """Return the inputs beside the flow that blocks make of the shared table."""
    ports = (
        port
        for part in parts.values()
        for block in blocks_of(part)
        for port in list(type(block).inputs().values())[1:]
    )
    return {port for port in ports if port in (Fields, Context, Scenario)}
