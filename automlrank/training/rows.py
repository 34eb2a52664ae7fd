"""Choose and weight the training rows of an epoch."""

from __future__ import annotations

import numpy as np

from automlrank.data.batches import Rows
from automlrank.data.values import Array
from automlrank.training.recipe import Recipe


def kept_in_epoch(labels: Array, recipe: Recipe, seed: int) -> Rows:
    """Return the training rows that an epoch keeps, in their order; ``labels`` [rows, tasks]."""
    if recipe.negatives == 1.0:
        return np.arange(len(labels))
    from automlrank.training.negatives import kept_rows

    return kept_rows(labels, recipe.negatives, seed)


def row_weights(scenarios: Array | None, recipe: Recipe) -> Array | None:
    """Return the training rows' weights beside the table's own; None if all count the same.

    ``scenarios`` are the ids of the rows' scenarios.
    """
    if recipe.scenarios == "rows":
        return None
    from automlrank.training.scenarios import scenario_weights

    assert scenarios is not None, "an architecture is not built without a scenario"
    return scenario_weights(scenarios)
