"""Random spaces over all blocks and combinators: the check tells the truth, every draw runs."""

from __future__ import annotations

import dataclasses
import itertools
import math

import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from space_strategies import ANY, SCHEMA, batch, decisions, drawn, expressions, spaces

from automlrank.architecture import Architecture
from automlrank.blocks.domains import Domain
from automlrank.documents import parse_document
from automlrank.errors import SpaceError
from automlrank.model.network import build_model
from automlrank.model.wiring import wire
from automlrank.space import grammar
from automlrank.space.combinators import some_of, use
from automlrank.space.count import count
from automlrank.space.grammar import Expression
from automlrank.space.requirements import needs_met
from automlrank.space.space import Space
from automlrank.study.suggest import params_of

STRICTER = (
    "reads the raw columns",  # it would run, and what flows into it would be lost
    "a branch may have `fields` or `embedding` once",  # it may fold away, as over raw columns
    "gives a Logit, so only",  # what follows may be none
    "stage gives",  # a vector for fields would run where only blocks for vectors follow
)
"""Faults of spaces whose draws may all be wired: refused because they do not say what they mean."""
MANY = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@given(spaces(), st.integers(0, 10**6))
@MANY
def test_the_check_tells_the_truth(space: Space, seed: int) -> None:
    """Where it finds no fault every draw is built and runs; where it finds one some draw fails,
    but for faults of meaning."""
    assume(count(space).draws <= 48 and is_served(space))
    faults = space.faults()
    made = list(decisions(space))
    if not faults:
        for decision in made if len(made) <= 4 else (made[0], made[seed % len(made)], made[-1]):
            runs(drawn(space, decision))
    real = [f for f in faults if not any(words in f.problem for words in STRICTER)]
    if real:
        if not any(fault.path.startswith("interaction") for fault in real):
            space = dataclasses.replace(space, interaction=use("mlp", width=2, depth=1))
        assert any(not is_wired(space, decision) for decision in decisions(space)), faults


def runs(architecture: Architecture) -> None:
    model = build_model(architecture, SCHEMA, seed=0).eval()
    with torch.no_grad():
        logits = model(batch())
    assert logits.shape == (3, 2)
    assert logits.isfinite().all()


def is_served(space: Space) -> bool:
    """Whether the schema has what the space needs; ``wide`` needs two columns to read."""
    try:
        needs_met(space, SCHEMA)
    except SpaceError:
        return False
    return True


def is_wired(space: Space, decision: dict[str, Domain]) -> bool:
    try:
        wire(drawn(space, decision), SCHEMA)
    except (SpaceError, AssertionError, KeyError):
        return False
    return True


@given(spaces(values=2), st.integers(0, 10**6))
@MANY
def test_every_draw_has_one_form(space: Space, seed: int) -> None:
    """Printed and read again a draw has its fingerprint; its params in the space draw it again."""
    assume(count(space).draws <= 200 and not space.faults())
    made = list(decisions(space))
    architecture = drawn(space, made[seed % len(made)])
    assert Architecture.read(architecture.to_data()).fingerprint == architecture.fingerprint
    again = Architecture.read(parse_document(architecture.to_yaml()).data)  # type: ignore[arg-type]
    assert again == architecture
    assert architecture.summary
    params = params_of(space, architecture)
    if params is not None:
        assert drawn(space, params).fingerprint == architecture.fingerprint


@given(spaces(values=2))
@MANY
def test_a_space_survives_its_own_data(space: Space) -> None:
    """As a mapping and as YAML; also where knobs and merges are left to choose."""
    assume(not space.faults())
    assert Space.read(space.to_data()) == space
    assert Space.read(parse_document(space.to_yaml()).data) == space  # type: ignore[arg-type]


@given(expressions(("interaction", "gate"), ANY, 3, values=2))
@MANY
def test_count_is_that_of_all_draws_listed(expression: Expression) -> None:
    """Every combination of choices, listed by loops; and as many decisions, told apart."""
    space = Space(
        interaction=expression,
        embedding=use("embedding", dim=4, l2=0.1),
        training=use("training", learning_rate=1e-3, batch_size=256, dropout=0.0, batch_norm=False),
    )
    assume(count(space).draws <= 300)
    assert count(space).draws == len(listed(expression))
    assert count(space).draws == sum(1 for _ in decisions(space))
    assert count(space).continuous == ()


def listed(node: Expression) -> list[object]:
    """Every draw of an expression, by loops over its choices."""
    match node:
        case grammar.Leaf(block, domains):
            return [(block, v) for v in itertools.product(*(d.samples() for d in domains.values()))]
        case grammar.Choose(options):
            return [(i, one) for i, option in enumerate(options) for one in listed(option)]
        case grammar.SomeOf(options, low, high):
            return [
                (chosen, one)
                for n in range(low, high + 1)
                for chosen in itertools.combinations(range(len(options)), n)
                for one in itertools.product(*(listed(options[i]) for i in chosen))
            ]
        case grammar.Repeat(body, times):
            return list(itertools.product(times.samples(), listed(body)))
        case grammar.Optional(body):
            return [None, *listed(body)]
        case _:
            return list(itertools.product(*(listed(inner) for _, inner in node.inside())))


@given(st.data())
@settings(max_examples=5)
def test_count_is_exact_beyond_64_subsets(data: st.DataObject) -> None:
    """There each member has a switch; what is drawn are as many subsets as are counted."""
    n = 7
    low, high = sorted(data.draw(st.tuples(st.integers(1, n), st.integers(1, n))))
    options = [use("mlp", width=width, depth=1) for width in range(1, n + 1)]
    space = Space(
        interaction=some_of(*options, min=low, max=high),
        embedding=use("embedding", dim=4, l2=0.1),
        training=use("training", learning_rate=1e-3, batch_size=256, dropout=0.0, batch_norm=False),
    )
    subsets = sum(math.comb(n, size) for size in range(low, high + 1))
    assert count(space).draws == subsets
    assert len({drawn(space, made).fingerprint for made in decisions(space)}) == subsets
