"""Spaces and architectures, valid ones and changed ones."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from automlrank.architecture import Architecture, draw
from automlrank.blocks import BLOCKS
from automlrank.blocks.domains import RANGES, Choice, Domain, Scalar
from automlrank.blocks.stages import STAGES
from automlrank.data.synthetic import synthetic_schema
from automlrank.documents import as_document
from automlrank.errors import SpaceError, UsageError
from automlrank.model.cost import cost, request_shapes
from automlrank.model.network import build
from automlrank.model.wiring import wire
from automlrank.schema import HistoryFeature, Schema
from automlrank.space.count import count
from automlrank.space.requirements import needs_met
from automlrank.space.shipped import open_space, shipped
from automlrank.space.space import Space

from .command import command
from .draws import ODD_DATA, below, between, chance, pick, some
from .judge import Rng
from .mutate import changed_data
from .yaml_text import as_bytes, changed_text, yaml_text

KEYWORDS = ("choose", "some_of", "stack", "parallel", "repeat", "optional")
KEYS = (*STAGES, *KEYWORDS, *RANGES, "name", "architecture", "references", "embedding", "training")
KEYS = (
    *KEYS,
    "limits",
    "latency_ms",
    "parameters",
    "fields",
    "merge",
    "times",
    "min",
    "max",
    "own",
)
BUILT = 0.15  # share of accepted spaces of which a model is built
MOST_PARAMETERS = 3_000_000


@dataclass(frozen=True)
class SpaceCase:
    """The file of a space, and the seed of what is drawn from it."""

    content: bytes
    seed: int
    build: bool
    typed: str
    """Command of ``automlrank space`` that is given the file; empty for none."""


@functools.cache
def words() -> tuple[str, ...]:
    """Return the words of the grammar: keys, blocks, knobs."""
    knobs = {name for cls in BLOCKS.values() for name in cls.knobs()}
    return (*KEYS, *BLOCKS, *sorted(knobs))


@functools.cache
def known() -> tuple[Any, ...]:
    """Return the data of every space that ships."""
    return tuple(as_document(path).data for path in shipped().values())


@functools.cache
def schema() -> Schema:
    """Return a fitted schema with every kind of column."""
    bare = synthetic_schema()
    sizes = {f.name: 9 for f in bare.features if not isinstance(f, HistoryFeature)}
    return bare.fitted(sizes)


def case(rng: Rng) -> SpaceCase:
    """Draw a file."""
    data = pick(rng, known()) if chance(rng, 0.2) else space_data(rng)
    change = pick(rng, ("none", "none", "data", "text", "bytes"))
    if change == "data":
        data = changed_data(rng, data, words(), between(rng, 1, 3))
    text = yaml_text(rng, data)
    if change == "text":
        text = changed_text(rng, text, between(rng, 1, 2))
    typed = pick(rng, ("check", "count", "show")) if chance(rng, 0.2) else ""
    content = as_bytes(rng, text) if change == "bytes" else text.encode()
    return SpaceCase(content, below(rng, 2**31), chance(rng, BUILT), typed)


def attempt(case: SpaceCase, folder: Path) -> Space:
    """Read the file."""
    file = folder / "space.yaml"
    file.write_bytes(case.content)
    space, _ = open_space(file)
    return space


def refused(case: SpaceCase, error: UsageError, folder: Path) -> None:
    """Every fault has the file and, where the YAML has values, the line; commands say the same."""
    for fault in error.faults:
        assert "space.yaml" in str(fault), f"no file: {fault}"
        no_values = ("file is empty", "cannot be read as UTF-8", "levels")
        assert fault.line or any(words in fault.problem for words in no_values), f"no line: {fault}"
    if case.typed:
        ended = command("space", case.typed, folder / "space.yaml", "--format", "json")
        assert ended.code == 2, ended


def hold(case: SpaceCase, space: Space, folder: Path) -> None:
    """What is read can be printed, counted, drawn, and read again as the same."""
    assert Space.read(space.to_data()) == space
    (folder / "again.yaml").write_text(space.to_yaml(), encoding="utf-8")
    assert Space.read(folder / "again.yaml") == space
    size = count(space)
    assert size.draws >= 1
    try:
        architecture = draw(space, _decider(case.seed))
    except SpaceError as error:
        raise AssertionError(f"a draw of a checked space is refused: {error}") from error
    assert size.is_open or architecture == draw(space, _decider(case.seed + 1))
    for again in (Architecture.read(architecture.to_data()), _read_text(architecture, folder)):
        assert again == architecture
        assert again.fingerprint == architecture.fingerprint
    if case.build and _is_served(space):
        _build(architecture)
    if case.typed:
        _type(case.typed, folder)


def _type(name: str, folder: Path) -> None:
    """Run a command on the file; a reference that is not there is refused by name."""
    ended = command("space", name, folder / "space.yaml", "--format", "json")
    assert ended.code == 0 or (ended.code == 2 and "references" in ended.err), ended
    shown = command("space", name, folder / "space.yaml")
    assert shown.code == ended.code, shown


def _read_text(architecture: Architecture, folder: Path) -> Architecture:
    file = folder / "architecture.yaml"
    file.write_text(architecture.to_yaml(), encoding="utf-8")
    return Architecture.read(file)


def _decider(seed: int) -> Any:
    def decide(path: str, domain: Domain) -> Scalar:
        if isinstance(domain, Choice):
            return rng.choice(domain.values)
        return domain.coerce(
            min(max(rng.uniform(domain.low, domain.high), domain.low), domain.high)
        )

    rng = random.Random(seed)
    return decide


def _is_served(space: Space) -> bool:
    """Return True if the table of the synthetic schema has what the space needs."""
    try:
        needs_met(space, schema(), as_document(space.to_data()))
    except UsageError:
        return False
    return True


def _build(architecture: Architecture) -> None:
    """Count the model's parameters and, where they are few, score a request of three items."""
    plan = wire(architecture, schema())
    if cost(plan, schema(), candidates=3).parameters > MOST_PARAMETERS:
        return
    model = build(plan, seed=0).eval()
    shapes = request_shapes(schema(), 3)
    logits = model({key: torch.ones_like(zeros) for key, zeros in shapes.items()})
    assert logits.shape == (3, len(schema().tasks))
    assert bool(torch.isfinite(logits).all())


# ---- random spaces ------------------------------------------------------------------------------


def space_data(rng: Rng) -> dict[str, Any]:
    """Return the plain data of a space, mostly one that can be wired."""
    data: dict[str, Any] = {pick(rng, ("name", "name", "architecture")): "drawn"}
    for name, stage in STAGES.items():
        if name == "interaction" or chance(rng, 0.2):
            depth = between(rng, 0, 2) if name == "interaction" else 0
            data[name] = expression(rng, stage.families, depth)
    for name in ("embedding", "training"):
        if chance(rng, 0.3):
            data[name] = knobs(rng, name)
    if chance(rng, 0.2):
        data["limits"] = {"latency_ms": pick(rng, (1, 5.5, 1e-3)), "parameters": 10**6}
    if chance(rng, 0.3):
        data["references"] = some(rng, ("lr", "deepfm", "lightgbm", "din", "nothing"), most=2)
    return data


def expression(rng: Rng, families: Sequence[str], depth: int) -> Any:
    """Return an expression of the families' blocks."""
    kind = pick(rng, ("block", *KEYWORDS)) if depth else "block"
    if kind == "block":
        name = pick(rng, sorted({b for family in families for b in BLOCKS.of(family)}))
        body: Any = name if chance(rng, 0.4) else {name: knobs(rng, name)}
    elif kind in ("repeat", "optional"):
        body = {kind: expression(rng, families, depth - 1)}
    else:
        n = between(rng, 1, 4)
        body = {kind: [expression(rng, families, depth - 1) for _ in range(n)]}
    if isinstance(body, dict):
        body |= _beside(rng, kind, families)
    return body


def _beside(rng: Rng, kind: str, families: Sequence[str]) -> dict[str, Any]:
    if kind == "repeat":
        return {"times": pick(rng, (1, 2, [1, 2], {"int": [1, 3]}))}
    if kind == "some_of":
        return {"min": between(rng, 0, 2), "max": between(rng, 1, 3)}
    if kind == "parallel" and chance(rng, 0.3):
        return {"merge": expression(rng, ("merge",), 0)}
    if chance(rng, 0.1):
        return {"fields": some(rng, [f.name for f in schema().features], least=1, most=3)}
    return {"embedding": "own"} if chance(rng, 0.05) else {}


def knobs(rng: Rng, block: str) -> dict[str, Any]:
    """Return some knobs of a block with values, choices, ranges, and now and then nonsense."""
    held = list(BLOCKS[block].knobs().values())
    return {knob.name: _domain(rng, knob.legal, knob.default) for knob in some(rng, held, most=3)}


def _domain(rng: Rng, legal: Domain, default: Scalar) -> Any:
    values = [*legal.samples(), default]
    match below(rng, 40):
        case 0:
            return pick(rng, ODD_DATA)
        case n if n < 8:
            return list(dict.fromkeys(some(rng, values, least=1)))
        case n if n < 14 and not isinstance(legal, Choice):
            ends = sorted(some(rng, legal.samples(), least=1, most=2))  # type: ignore[type-var]
            return {legal.kind: [ends[0], ends[-1]]}
        case _:
            return pick(rng, values)
