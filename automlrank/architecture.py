"""An architecture: a space with nothing left to choose, in its one canonical form.

``draw(space, decide)`` is the whole interface between a space and whatever searches it:
``decide(path, domain)`` gives a value of the domain for the name ``path``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.blocks.embedding import Embedding
from automlrank.blocks.ports import Columns, Logit
from automlrank.blocks.training import Training
from automlrank.documents import dump
from automlrank.errors import Fault, SpaceError
from automlrank.space import grammar
from automlrank.space.grammar import MAX_SUBSETS, STAGES, Expression, Leaf, Space
from automlrank.space.parse import read_space

Decide = Callable[[str, Domain], Scalar]


@dataclass(frozen=True)
class Stack:
    """Parts one after the other."""

    members: tuple[Part, ...]


@dataclass(frozen=True)
class Parallel:
    """Parts side by side; ``merge`` is None where no branch gives a vector."""

    branches: tuple[Part, ...]
    merge: Block | None


Part = Block | Stack | Parallel
NONE = BLOCKS["none"]()
CONCAT = BLOCKS["concat"]()


@dataclass(frozen=True)
class Architecture:
    """One candidate; make it with ``draw``, ``Architecture.read`` or ``canonical``.

    ``embedding`` is None where nothing reads fields (lr).
    """

    interaction: Part
    embedding: Embedding | None
    training: Training
    history: Part = NONE
    gate: Part = NONE
    scenario: Part = NONE
    tasks: Part = NONE
    tower: Part = NONE
    loss: Block = dataclasses.field(default_factory=lambda: BLOCKS["bce"]())
    balance: Block = dataclasses.field(default_factory=lambda: BLOCKS["fixed"]())
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
        parts = [_phrase(part) for part in stages if part != NONE]
        return " · ".join([f"emb{self.embedding.dim}", *parts] if self.embedding else parts)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """Every block by its stage."""
        for stage in STAGES:
            for block in _blocks(getattr(self, stage)):
                yield stage, block


INHERITED = ("dropout", "batch_norm")
"""Training settings that canonical blocks carry themselves."""


def draw(space: Space, decide: Decide) -> Architecture:
    """The architecture that ``decide`` chooses from ``space``."""
    parts = {stage: _draw(node, stage, node.label, decide) for stage, node in space.stages()}
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


def _draw(node: Expression, path: str, label: str, decide: Decide) -> Part:
    """Draw one expression that stands at ``path``; ``label`` names a block among its peers."""
    match node:
        case Leaf(block, domains):
            stem = path if path == block else f"{path}.{label}"  # embedding.dim, not twice
            values = {name: _value(f"{stem}.{name}", d, decide) for name, d in domains.items()}
            return BLOCKS[block](**values)
        case grammar.Choose(options):
            chosen = str(_value(path, Choice(node.labels), decide))
            return _draw_inside(options[node.labels.index(chosen)], path, chosen, decide)
        case grammar.SomeOf(options):
            labels = grammar.unique_labels(options)
            chosen_ones = _members(node, path, labels, decide)
            return Parallel(
                tuple(_draw_inside(options[i], path, labels[i], decide) for i in chosen_ones),
                CONCAT,
            )
        case grammar.Stack(members):
            return Stack(
                tuple(
                    _draw(member, f"{path}.{i}", member.label, decide)
                    for i, member in enumerate(members)
                )
            )
        case grammar.Parallel(branches, merge):
            joined = _draw(merge, f"{path}.merge", merge.label, decide)
            assert isinstance(joined, Block)
            drawn = [_draw(b, f"{path}.{i}", b.label, decide) for i, b in enumerate(branches)]
            return Parallel(tuple(_spliced(drawn, branches)), joined)
        case grammar.Repeat(body, times):
            n = _value(f"{path}.times", times, decide)
            assert isinstance(n, int)
            return Stack((_draw_inside(body, path, body.label, decide),) * n)
        case grammar.Maybe(body):
            taken = _value(path, Choice(("none", body.label)), decide) != "none"
            return _draw_inside(body, path, body.label, decide) if taken else NOTHING


def _draw_inside(node: Expression, path: str, label: str, decide: Decide) -> Part:
    """Draw an expression at its parent's place: a combinator adds its label to the path."""
    if isinstance(node, Leaf):
        return _draw(node, path, label, decide)
    return _draw(node, f"{path}.{label}", node.label, decide)


NOTHING = Stack(())
"""What an ``optional`` that was not taken leaves: no branch, no member."""


def _value(path: str, domain: Domain, decide: Decide) -> Scalar:
    value = domain.samples()[0] if domain.count() == 1 else decide(path, domain)
    assert value in domain, (path, value, domain)
    return value


def _members(
    node: grammar.SomeOf, path: str, labels: tuple[str, ...], decide: Decide
) -> tuple[int, ...]:
    """Which options a ``some_of`` takes: one name of a subset, or a switch each beyond 64."""
    if node.n_subsets <= MAX_SUBSETS:
        subsets = node.subsets()
        return subsets[str(_value(path, Choice(tuple(subsets)), decide))]
    switches = [bool(decide(f"{path}.{label}.taken", Choice((False, True)))) for label in labels]
    on = [i for i, switch in enumerate(switches) if switch][: node.high]
    off = [i for i in range(len(labels)) if i not in on]
    return tuple(sorted(on + off[: max(0, node.low - len(on))]))


def _spliced(drawn: list[Part], branches: tuple[Expression, ...]) -> list[Part]:
    """The members of a ``some_of`` are branches of the parallel that it stands in."""
    result: list[Part] = []
    for part, node in zip(drawn, branches, strict=True):
        inside = isinstance(node, grammar.SomeOf) and isinstance(part, Parallel)
        result += part.branches if inside and isinstance(part, Parallel) else (part,)
    return result


# ---- canonical form -----------------------------------------------------------------------


def canonical(drawn: Architecture) -> Architecture:
    """Defaults resolved, idle parts dropped, branches ordered, equal forms folded."""
    defaults = {name: getattr(drawn.training, name) for name in INHERITED}
    parts: dict[str, Any] = {stage: _fold(getattr(drawn, stage), defaults) for stage in STAGES}
    if not gives_vector(parts["interaction"]):
        parts |= {"scenario": NONE, "tasks": NONE, "tower": NONE}
    reads = reads_fields(parts["interaction"])
    if not reads:
        parts |= {"history": NONE, "gate": NONE}
    blank = Training()
    training = dataclasses.replace(
        drawn.training, **{name: getattr(blank, name) for name in INHERITED}
    )
    return dataclasses.replace(
        drawn, embedding=drawn.embedding if reads else None, training=training, **parts
    )


def _fold(part: Part, defaults: Mapping[str, Scalar]) -> Part:
    match part:
        case Stack(members):
            folded = [_fold(member, defaults) for member in members]
            return _fold_stack(folded)
        case Parallel(branches, merge):
            folded = [_fold(branch, defaults) for branch in branches if branch != NOTHING]
            return _fold_parallel(folded, merge.inherited(defaults).canonical() if merge else None)
        case Block():
            return part.inherited(defaults).canonical()


def _fold_stack(members: list[Part]) -> Part:
    flat: list[Part] = []
    for member in members:
        flat += member.members if isinstance(member, Stack) else (member,)
    kept = [member for member in flat if member != NONE]
    return kept[0] if len(kept) == 1 else Stack(tuple(kept)) if kept else NONE


def _fold_parallel(branches: list[Part], merge: Block | None) -> Part:
    if not branches:
        raise SpaceError("a parallel needs at least one branch, but every option was left out.")
    flat: list[Part] = []
    for branch in branches:
        nested = isinstance(branch, Parallel) and branch.merge in (None, CONCAT)
        flat += branch.branches if nested and merge == CONCAT else (branch,)  # type: ignore[union-attr]
    flat.sort(key=lambda branch: json.dumps(part_data(branch), sort_keys=True))
    if not any(gives_vector(branch) for branch in flat):
        merge = None
    if len(flat) == 1 and merge in (None, CONCAT):
        return flat[0]
    return Parallel(tuple(flat), merge)


def gives_vector(part: Part) -> bool:
    """Whether fields or a vector come out, not only logits."""
    match part:
        case Stack(members):
            return gives_vector(members[-1])
        case Parallel(branches):
            return any(gives_vector(branch) for branch in branches)
        case Block():
            return type(part).gives() is not Logit


def reads_fields(part: Part) -> bool:
    """Whether the embedding's fields flow into some block."""
    match part:
        case Stack(members):
            return reads_fields(members[0])
        case Parallel(branches):
            return any(reads_fields(branch) for branch in branches)
        case Block():
            return Columns not in type(part).inputs().values()


def _blocks(part: Part) -> Iterator[Block]:
    match part:
        case Stack(inner) | Parallel(inner):
            for member in inner:
                yield from _blocks(member)
            if isinstance(part, Parallel) and part.merge:
                yield part.merge
        case Block():
            yield part


def part_data(part: Part) -> object:
    """A part as plain data in the DSL's words."""
    match part:
        case Stack(members):
            return {"stack": [part_data(member) for member in members]}
        case Parallel(branches, merge):
            data = [part_data(branch) for branch in branches]
            return {"parallel": data, "merge": part_data(merge)} if merge else {"parallel": data}
        case Block():
            settings = part.settings()
            return {part.name: settings} if settings else part.name


def _phrase(part: Part) -> str:
    match part:
        case Stack(members):
            return " > ".join(_phrase(member) for member in members)
        case Parallel(branches, merge):
            inner = ", ".join(_phrase(branch) for branch in branches)
            return f"[{inner}]" + (f" {merge.name}" if merge not in (None, CONCAT) else "")
        case Block():
            return part.phrase()
