"""The architectures that exports are tried on: the zoo, and composites of the default space."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import automlrank
from automlrank.architecture import Architecture, draw
from automlrank.blocks.domains import Choice, Domain, Scalar
from automlrank.space.parse import read_space

SPACES = Path(automlrank.__file__).parent / "search_spaces"
ZOO = sorted(path.stem for path in (SPACES / "zoo").glob("*.yaml"))
DRAWN = ("drawn 3", "drawn 5")


def architecture_of(name: str) -> Architecture:
    """A zoo model by its name, or ``drawn SEED`` from the default space."""
    if name in ZOO:
        return Architecture.read(SPACES / "zoo" / f"{name}.yaml")
    rng = random.Random(int(name.removeprefix("drawn ")))

    def decide(path: str, domain: Domain) -> Scalar:
        if isinstance(domain, Choice):
            return rng.choice(domain.values)
        return domain.coerce(rng.uniform(domain.low, domain.high))

    drawn = draw(read_space(SPACES / "ctr.yaml"), decide)
    settings = dataclasses.replace(drawn.training, epochs=3)
    return dataclasses.replace(drawn, training=settings)
