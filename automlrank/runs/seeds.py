"""Seeds of the random streams of a search."""

from __future__ import annotations

import numpy as np


def seed_of(base: int, *stream: int) -> int:
    """Return the seed of one stream of random numbers; no two streams share one."""
    return int(np.random.SeedSequence([base, *stream]).generate_state(1)[0])
