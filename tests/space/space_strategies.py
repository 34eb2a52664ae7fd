"""Random spaces over every block of the registry, all their draws, and a batch to run them on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from automlrank.architecture import Architecture, draw
from automlrank.blocks import BLOCKS
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.blocks.stages import STAGES
from automlrank.data.synthetic import synthetic_schema
from automlrank.errors import SpaceError
from automlrank.model.cost import request_shapes
from automlrank.schema import HistoryFeature, Schema
from automlrank.space.combinators import (
    choose,
    optional,
    parallel,
    reading,
    repeat,
    some_of,
    stack,
    use,
)
from automlrank.space.grammar import Expression, Leaf
from automlrank.space.space import Space

IDS = 9


def _schema() -> Schema:
    """Every kind of root input: histories, context, scenario, crosses, statistics, two tasks."""
    schema = synthetic_schema()
    return schema.fitted(
        {f.name: IDS for f in schema.features if not isinstance(f, HistoryFeature)}
    )


SCHEMA = _schema()
COLUMNS = [f.name for f in SCHEMA.features if not isinstance(f, HistoryFeature)]


def batch(rows: int = 3) -> dict[str, Tensor]:
    """A request: ids of every column, numbers with nulls, lists of several lengths."""
    numbers = torch.Generator().manual_seed(0)
    filled = {}
    for key, zeros in request_shapes(SCHEMA, rows).items():
        if zeros.dtype == torch.int32:
            ids = torch.randint(1, 6, zeros.shape, generator=numbers)
            filled[key] = (ids * (torch.arange(zeros.shape[1]) < 4)).int()
        else:
            filled[key] = torch.randn(zeros.shape, generator=numbers)
    return filled


# ---- random expressions -------------------------------------------------------------------


def small(legal: Domain, default: Scalar) -> list[Scalar]:
    """A few values of a knob that make a small model."""
    if isinstance(legal, Choice):
        return list(legal.values)
    if legal.kind == "int":
        low, high = int(legal.low), int(legal.high)
        return [value for value in (low, low + 1, low + 3, 8) if low <= value <= high]
    return [legal.coerce(legal.low), default]


@st.composite
def blocks(draw: Any, families: tuple[str, ...], values: int = 1) -> Leaf:
    """A block of the families, each knob with one to ``values`` values."""
    names = sorted({name for family in families for name in BLOCKS.of(family)})
    name = draw(st.sampled_from(names))
    domains = {}
    for knob in BLOCKS[name].knobs().values():
        if knob.inherit:
            continue
        options = list(dict.fromkeys(small(knob.legal, knob.default)))
        few = st.lists(st.sampled_from(options), min_size=1, max_size=values, unique=True)
        domains[knob.name] = draw(few)
    return use(name, **domains)


Strategy = st.SearchStrategy[Expression]
ANY = ("choose", "some_of", "stack", "parallel", "repeat", "optional", "reading")
CLOSED = ("stack", "parallel", "repeat", "reading")


@st.composite
def expressions(
    draw: Any, families: tuple[str, ...], kinds: tuple[str, ...], depth: int, values: int = 1
) -> Expression:
    """An expression of these combinators; whether it can be wired is left to chance."""
    inner = expressions(families, kinds, depth - 1, values)
    kind = draw(st.sampled_from(("leaf", *kinds))) if depth else "leaf"
    if kind == "leaf":
        return draw(blocks(families, values))
    if kind == "repeat":
        times = [1, 2] if kinds == ANY else [2]
        return repeat(draw(inner), draw(st.sampled_from([[1], [2], times])))
    if kind in ("optional", "reading"):
        body = draw(inner)
        if kind == "optional":
            return body if body.label == "none" else optional(body)
        return draw(reads(body))
    members = draw(st.lists(inner, min_size=1, max_size=3))
    if kind == "choose":
        return choose(*members)
    if kind == "some_of":
        low, high = sorted(draw(st.tuples(*[st.integers(0, len(members))] * 2)))
        return some_of(*members, min=low, max=max(high, 1))
    if kind == "stack":
        return stack(*members)
    merge = draw(st.one_of(st.just(use("concat")), blocks(("merge",), values)))
    return parallel(*members, merge=merge)


@st.composite
def reads(draw: Any, body: Expression) -> Expression:
    """The body on some columns, on a table of its own, both or neither."""
    fields = draw(st.none() | st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True))
    try:
        return reading(body, fields=fields, embedding=draw(st.sampled_from([None, "own"])))
    except ValueError:
        return body  # it reads so already


@st.composite
def spaces(draw: Any, kinds: tuple[str, ...] = ANY, depth: int = 2, values: int = 1) -> Space:
    """A space whose stages are small; good and bad ones."""
    parts: dict[str, Any] = {
        name: draw(
            st.just(use("none"))
            | (
                blocks(stage.families)
                if not kinds
                else expressions(stage.families, kinds, 1, values)
            )
        )
        for name, stage in STAGES.items()
        if name not in ("interaction", "loss", "balance") and draw(st.integers(0, 3)) == 0
    }
    return Space(
        interaction=draw(expressions(STAGES["interaction"].families, kinds, depth, values)),
        embedding=use("embedding", dim=4, l2=0.1),
        training=use("training", learning_rate=1e-3, batch_size=256, dropout=0.0, batch_norm=False),
        loss=draw(blocks(("loss",))),
        balance=draw(blocks(("balance",))),
        **parts,
    )


# ---- their draws ----------------------------------------------------------------------------


def decisions(space: Space) -> Iterator[dict[str, Scalar]]:
    """The decisions of every draw, each once, found by walking the tree of them."""
    queue: list[list[Scalar]] = [[]]
    while queue:
        prefix = queue.pop()
        made: dict[str, Scalar] = {}
        options: list[list[Scalar]] = []

        def decide(path: str, domain: Domain) -> Scalar:
            values, i = list(domain.samples()), len(made)  # noqa: B023
            made[path] = prefix[i] if i < len(prefix) else values[0]  # noqa: B023
            options.append(values)  # noqa: B023
            return made[path]  # noqa: B023

        try:
            draw(space, decide)
        except SpaceError:
            made["failed"] = True
        yield made
        values = [value for path, value in made.items() if path != "failed"]
        for i in range(len(prefix), len(values)):
            queue += [[*values[:i], other] for other in options[i][1:]]


def drawn(space: Space, made: dict[str, Scalar]) -> Architecture:
    """The architecture that these decisions draw."""
    return draw(space, lambda path, _: made[path])
