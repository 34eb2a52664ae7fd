"""Seeds of the many streams of random numbers in a search."""

from __future__ import annotations

import numpy as np


def seed_of(base: int, *stream: int) -> int:
    """A seed for one stream of random numbers: never the same for two of them."""
    return int(np.random.SeedSequence([base, *stream]).generate_state(1)[0])
