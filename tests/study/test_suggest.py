"""References inside a space become the params that draw exactly them."""

from __future__ import annotations

import numpy as np
import pytest

from automlrank.architecture import Architecture, draw
from automlrank.blocks.domains import Domain, Range, Scalar
from automlrank.documents import parse_document
from automlrank.space.shipped import shipped
from automlrank.space.space import Space
from automlrank.study.suggest import params_of

SPACE = Space.read(shipped()["ctr"])


BRANCHES = """
name: branches
gate: {choose: [none, senet]}
interaction:
  parallel:
    - {choose: [{linear: {}, fields: [user_id]}, linear]}
    - {choose: [mlp, {mlp: {}, fields: [user_id, page]}, {mlp: {}, embedding: own}]}
    - {optional: {stack: [senet, {mlp: {width: 8}}]}, fields: [item_id]}
    - {some_of: [fm, cin, {stack: [cross_net_v2, {mlp: {width: 9}}]}], min: 0, embedding: own}
  merge: {choose: [concat, sum]}
tower: {mlp: {width: [32, 64], depth: [0, 1]}}
"""
SPACES = {"ctr": SPACE, "branches": Space.read(parse_document(BRANCHES, strict=False))}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("name", SPACES)
def test_whatever_a_space_draws_is_found_inside_it(name: str, seed: int) -> None:
    space = SPACES[name]
    rng = np.random.default_rng(seed)

    def decide(path: str, domain: Domain) -> Scalar:
        if isinstance(domain, Range):
            return domain.coerce(float(rng.uniform(domain.low, domain.high)))
        return domain.values[int(rng.integers(len(domain.values)))]

    drawn = draw(space, decide)
    params = params_of(space, drawn)
    assert params is not None
    assert draw(space, lambda path, _: params[path]).fingerprint == drawn.fingerprint


@pytest.mark.parametrize(("name", "inside"), [("deepfm", True), ("dcn_v2", True), ("lr", False)])
def test_references_of_the_default_space(name: str, inside: bool) -> None:
    """The zoo trains on plateaus: inside a space that does so, beside the one that is shipped."""
    reference = Architecture.read(shipped()[name])
    text = shipped()["ctr"].read_text(encoding="utf-8")
    plateaus = text.replace("linear\n  epochs: [1, 2, 4, 8]", "plateau\n  epochs: 20")
    assert plateaus != text
    space = Space.read(parse_document(plateaus).data)  # type: ignore[arg-type]
    assert (params_of(space, reference) is not None) == inside
    assert params_of(SPACE, reference) is None


def test_a_setting_outside_puts_it_outside() -> None:
    data = parse_document("architecture: a\ninteraction: {mlp: {width: 77}}").data
    assert params_of(SPACE, Architecture.read(data)) is None  # type: ignore[arg-type]
