"""One fingerprint whichever way an architecture is spelled; another one for what differs."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from space_strategies import CLOSED, SCHEMA, batch, expressions, spaces

from automlrank.architecture import (
    Architecture,
    ParallelPart,
    Part,
    ScopedPart,
    StackPart,
    draw,
    gives_vector,
)
from automlrank.architecture.architecture import canonical
from automlrank.architecture.drawing import draw_parts
from automlrank.blocks import BLOCKS
from automlrank.blocks.domains import Domain, Scalar
from automlrank.documents import parse_document
from automlrank.errors import SpaceError
from automlrank.model.cost import cost
from automlrank.model.network import build_model
from automlrank.model.wiring import wire
from automlrank.space.combinators import choose, optional, parallel, reading, some_of, stack, use
from automlrank.space.grammar import Expression
from automlrank.space.space import Space

MANY = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
Data = Any


# ---- other spellings ------------------------------------------------------------------------


def respelled(data: Data, rng: random.Random) -> Data:
    """The same architecture in other words."""
    again = dict(data)
    for stage in ("statistics", "history", "gate", "interaction", "scenario", "tasks", "tower"):
        if stage in data:
            again[stage] = other(data[stage], rng, data)
    keys = list(again)
    rng.shuffle(keys)
    return {key: again[key] for key in keys}


def other(node: Data, rng: random.Random, data: Data) -> Data:
    """An expression in other words: what is inside first, then what stands around it."""
    if isinstance(node, str):
        return wrapped({node: {}} if rng.random() < 0.3 else node, rng)
    reads = {key: node[key] for key in ("fields", "embedding") if key in node}
    body = {key: value for key, value in node.items() if key not in reads}
    if "fields" in reads:
        reads["fields"] = rng.sample(reads["fields"], len(reads["fields"]))
    if "stack" in body:
        body = {"stack": nested(body["stack"], rng, data)}
    elif "parallel" in body:
        body = side_by_side(body, rng, data)
    elif "repeat" in body:
        body = {**body, "repeat": other(body["repeat"], rng, data)}
    else:
        body = {name: knobs(name, said, rng, data) for name, said in body.items()}
    return wrapped({**body, **reads}, rng)


def nested(members: list[Data], rng: random.Random, data: Data) -> list[Data]:
    """Some neighbours as a stack of their own, and idle members in front."""
    members = [other(member, rng, data) for member in members]
    if len(members) > 2 and rng.random() < 0.5:
        cut = rng.randrange(1, len(members) - 1)
        members = [*members[:cut], {"stack": members[cut:]}]
    if len(members) > 1 and rng.random() < 0.3:
        members.insert(1, "none")  # before the last, which may give a logit
    return members


def side_by_side(body: Data, rng: random.Random, data: Data) -> Data:
    """Branches in another order; some of a concat as a concat of their own."""
    branches = [other(branch, rng, data) for branch in body["parallel"]]
    rng.shuffle(branches)
    if body.get("merge", "concat") == "concat" and len(branches) > 2 and rng.random() < 0.5:
        branches = [branches[0], {"parallel": branches[1:]}]
    return {**body, "parallel": branches}


def knobs(name: str, said: Data, rng: random.Random, data: Data) -> Data:
    """Defaults left out, or said; inherited ones said as the training has them."""
    known, said = BLOCKS[name].knobs(), dict(said or {})
    for key, item in known.items():
        if item.inherit and key not in said and rng.random() < 0.3:
            said[key] = data["training"][item.inherit]
        elif key in said and said[key] == item.default and rng.random() < 0.5:
            del said[key]
        elif key not in said and not item.inherit and rng.random() < 0.3:
            said[key] = item.default
    return dict(rng.sample(sorted(said.items()), len(said)))


def wrapped(node: Data, rng: random.Random) -> Data:
    """The node as the only one of a combinator; what says what it reads is not repeated."""
    kind = rng.choice(["", "", "", "stack", "choose", "repeat", "parallel", "some_of"])
    reads = '"fields"' in json.dumps(node) or '"embedding"' in json.dumps(node)
    if not kind or node == "none" or (kind == "repeat" and reads):
        return node
    return {"repeat": node, "times": 1} if kind == "repeat" else {kind: [node]}


def as_yaml(data: Data, rng: random.Random) -> str:
    """Flow or block style; what repeats behind an anchor."""
    if rng.random() < 0.5:
        return json.dumps(data)
    copies: dict[str, Data] = {}

    def shared(node: Data) -> Data:
        if isinstance(node, dict):
            node = {key: shared(value) for key, value in node.items()}
        elif isinstance(node, list):
            node = [shared(value) for value in node]
        else:
            return node
        return copies.setdefault(json.dumps(node, sort_keys=True), node)

    flow = rng.choice([True, False, None])
    text: str = yaml.safe_dump(shared(data), default_flow_style=flow, sort_keys=False)
    return text


def read(data: Data) -> Architecture:
    return Architecture.read(data)


@given(spaces(CLOSED, depth=3), st.randoms(use_true_random=False))
@MANY
def test_another_spelling_has_the_same_fingerprint(space: Space, rng: random.Random) -> None:
    """Nested stacks, none, permuted and nested branches, combinators of one, defaults said or not,
    the order of keys, YAML's styles and anchors."""
    assume(not space.faults())
    data = {**space.to_data(), "architecture": "a"}
    del data["name"]
    data["training"] = {"dropout": 0.0, "batch_norm": False, **data.get("training", {})}  # type: ignore[dict-item]
    before = read(data)
    text = as_yaml(respelled(data, rng), rng)
    again = read(parse_document(text).data)
    assert again.fingerprint == before.fingerprint, text


BASE = use("mlp", width=3, depth=1)


@given(expressions(("interaction",), CLOSED, 2))
@MANY
def test_what_is_optional_is_the_plain_part_or_none(body: Expression) -> None:
    """Taken it is the part itself, left out it leaves no branch and no member."""
    assume(body.label != "none")
    pairs = [
        (parallel(BASE, optional(body)), (parallel(BASE, body), BASE)),
        (stack(optional(body), BASE), (stack(body, BASE), BASE)),
        (parallel(BASE, some_of(body, min=0)), (parallel(BASE, body), BASE)),
        (choose(body, BASE), (body, BASE)),
    ]
    for space, plain in pairs:
        for i, expected in enumerate(plain):
            assert form(space, i) == form(expected, 0)


def form(expression: Expression, i: int) -> str:
    """The fingerprint where the first decision takes its ``i``-th sample, from its end on."""

    def decide(path: str, domain: Domain) -> Scalar:
        taken = domain.samples()
        if len(taken) != 2 or path.startswith("embedding"):
            return taken[0]
        return taken[i] if taken[0] not in ("none", "nothing") else taken[1 - i]

    space = Space(interaction=expression, embedding=use("embedding", dim=4), training=TRAINING)
    return draw(space, decide).fingerprint


EMBEDDING = use("embedding", dim=4)
TRAINING = use("training", learning_rate=1e-3, batch_size=256, dropout=0.0, batch_norm=False)


@given(spaces((), depth=0), st.data())
@MANY
def test_a_knob_that_matters_makes_another_fingerprint(space: Space, data: st.DataObject) -> None:
    """Of every block that is not folded away; idle knobs, at their defaults, make none."""
    architecture = draw(space, lambda path, domain: domain.samples()[0])
    stages = [stage for stage, _ in architecture.blocks()]
    stage = data.draw(st.sampled_from(stages))
    block = getattr(architecture, stage)
    knob = data.draw(st.sampled_from([*block.knobs().values()] or [None]))
    assume(knob is not None)
    value = data.draw(st.sampled_from(knob.legal.samples()))
    changed = dataclasses.replace(block, **{knob.name: value})
    said = architecture.to_data() | {stage: {changed.name: changed.settings()}}
    differs = changed.canonical() != block
    assert (read(said).fingerprint != architecture.fingerprint) == differs


@given(expressions(("interaction", "gate"), CLOSED, 3), st.sampled_from(["none", "senet"]))
@MANY
def test_folding_keeps_the_function_and_its_cost(body: Expression, gate: str) -> None:
    """With weights that are all alike, so that the order of branches is no difference, the logits
    are those of the parts before they are folded; parameters and products are as many."""
    space = Space(interaction=body, gate=use(gate), embedding=EMBEDDING, training=TRAINING)
    assume(not space.faults())
    parts = draw_parts(space, lambda path, domain: domain.samples()[0])
    try:
        keeps(parts)
    except SpaceError:
        reject()  # a parallel of one branch is wired as folded only


@pytest.mark.parametrize("gate", ["none", "senet"])
@pytest.mark.parametrize(
    "body",
    [
        parallel("fm", reading("cin", fields=["age"])),
        parallel("mlp", reading("cin", embedding="own")),
        parallel("fm", reading("cross_net", embedding="own"), reading("cin", fields=["age"])),
        stack(parallel("cin", reading("mlp", embedding="own"), merge="sum"), "mlp"),
    ],
)
def test_folding_keeps_what_branches_share_and_a_gate_weighs(body: Expression, gate: str) -> None:
    """A branch on the shared table stays on it, or on one of its own where nothing else reads it
    and nothing is gated."""
    space = Space(interaction=body, gate=use(gate), embedding=EMBEDDING, training=TRAINING)
    keeps(draw_parts(space, lambda path, domain: domain.samples()[0]))


def keeps(parts: dict[str, Any]) -> None:
    architecture = canonical(Architecture(**parts))
    unfolded = dataclasses.replace(architecture, interaction=resolved(parts["interaction"]))
    assert cost(wire(unfolded, SCHEMA), SCHEMA) == cost(wire(architecture, SCHEMA), SCHEMA)
    one, other = alike(unfolded), alike(architecture)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6, equal_nan=True)  # 20 crosses


def alike(architecture: Architecture) -> torch.Tensor:
    """The logits of a model in whose every tensor all weights are one."""
    model = build_model(architecture, SCHEMA).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.3 if parameter.ndim == 1 else 0.2)
        logits: torch.Tensor = model(batch())
    return logits


def resolved(part: Part) -> Part:
    """The part with inherited knobs filled in, and nothing else done to it."""
    match part:
        case StackPart(members):
            return StackPart(tuple(resolved(member) for member in members))
        case ParallelPart(branches, merge):
            vector = any(gives_vector(branch) for branch in branches)
            return ParallelPart(tuple(resolved(b) for b in branches), merge if vector else None)
        case ScopedPart(body):
            return dataclasses.replace(part, body=resolved(body))
        case _:
            return part.inherited({"dropout": 0.0, "batch_norm": False})


# ---- what branches read -----------------------------------------------------------------------

READS = [
    ("{mlp: {}, fields: [page, age]}", "{mlp: {}, fields: [age, page]}"),
    ("{stack: [senet, mlp], fields: [age]}", "{stack: [{senet: {}, fields: [age]}, mlp]}"),
    ("{stack: [{none: {}, fields: [age]}, mlp]}", "{mlp: {}, fields: [age]}"),
    (
        "{parallel: [fm, mlp], fields: [age]}",
        "{parallel: [{mlp: {}, fields: [age]}, {fm: {}, fields: [age]}]}",
    ),
    (
        "{parallel: [cin, {parallel: [fm, mlp], fields: [age]}]}",
        "{parallel: [{mlp: {}, fields: [age]}, {fm: {}, fields: [age]}, cin]}",
    ),
    ("{linear: {}, embedding: own}", "linear"),
    ("{parallel: [linear, mlp], embedding: own}", "{parallel: [linear, mlp]}"),
    (
        "{parallel: [linear, {mlp: {}, embedding: own, fields: [age]}]}",
        "{parallel: [linear, {stack: [{mlp: {}, embedding: own, fields: [age]}]}]}",
    ),
    ("{mlp: {}, embedding: own}", "mlp"),
    (
        "{parallel: [{fm: {}, embedding: own}, {mlp: {}, embedding: own}]}",
        "{parallel: [fm, {mlp: {}, embedding: own}]}",
    ),
]
READS += [
    ("{parallel: [fm, {mlp: {}, embedding: own}]}", "{parallel: [{fm: {}, embedding: own}, mlp]}"),
    (
        "{parallel: [fm, cin, linear, {mlp: {}, embedding: own}]}",
        "{parallel: [{parallel: [cin, linear, fm], embedding: own}, mlp]}",
    ),
    (
        "{parallel: [fm, {mlp: {}, embedding: own}, cin], merge: sum}",
        "{parallel: [{mlp: {}, embedding: own}, {fm: {}}, cin], merge: sum}",
    ),
    (
        "{stack: [{parallel: [cin, {mlp: {}, embedding: own}]}, mlp]}",
        "{stack: [{parallel: [{cin: {}, embedding: own}, mlp]}, mlp]}",
    ),
]
DIFFER = [
    "{parallel: [cin, {mlp: {}, fields: [age]}]}",
    "{parallel: [{cin: {}, embedding: own}, {mlp: {}, fields: [age]}]}",
    "{parallel: [fm, {mlp: {}, embedding: own}, cin], merge: sum}",
    "{parallel: [fm, {parallel: [mlp, cin], embedding: own}]}",
    "{parallel: [cin, {parallel: [mlp, fm], embedding: own}]}",
    "mlp",
    "{mlp: {}, fields: [age]}",
    "{mlp: {}, fields: [page]}",
    "{mlp: {}, fields: [age], embedding: own}",
    "{parallel: [fm, mlp]}",
    "{parallel: [fm, {mlp: {}, embedding: own}]}",
    "{parallel: [fm, mlp], fields: [age], embedding: own}",
    "{parallel: [{fm: {}, fields: [age], embedding: own}, {mlp: {}, embedding: own}]}",
    "{parallel: [{linear: {}, fields: [age]}, mlp]}",
    "{parallel: [linear, mlp]}",
]


@pytest.mark.parametrize(("one", "other"), READS)
def test_one_form_of_what_is_read(one: str, other: str) -> None:
    """Order of names, a stack's first member or the stack, a branch or the branches, one table."""
    assert of_text(one).fingerprint == of_text(other).fingerprint


def test_what_reads_otherwise_has_another_fingerprint() -> None:
    assert len({of_text(text).fingerprint for text in DIFFER}) == len(DIFFER)


def of_text(interaction: str) -> Architecture:
    return read(parse_document(f"architecture: a\ninteraction: {interaction}").data)
