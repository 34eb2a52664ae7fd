"""Merges against their formulas, row by row."""

from __future__ import annotations

import numpy as np
import pytest
from formula_checks import ROWS, built, close, drawn, sigmoid, weights_of

from automlrank.blocks.ports import Vector

BRANCHES = (Vector(3), Vector(1), Vector(5))


@pytest.mark.parametrize("name", ["concat", "sum", "gated_sum"])
def test_merges_combine_branches_row_by_row(name: str) -> None:
    """A branch of one row (the request's) counts for every row."""
    module = built(name, *BRANCHES, **({} if name == "concat" else {"width": 4}))
    xs = [drawn(1 if i == 1 else ROWS, port.dim, seed=i) for i, port in enumerate(BRANCHES)]
    w, expected = weights_of(module), []
    for row in range(ROWS):
        parts = [x.numpy()[row if len(x) > 1 else 0] for x in xs]
        if name == "concat":
            expected.append(np.concatenate(parts))
            continue
        total = np.zeros(4)
        for i, part in enumerate(parts):
            projected = w[f"projections.{i}.weight"] @ part
            if name == "gated_sum":
                projected = projected + w[f"projections.{i}.bias"]
                projected = projected[:4] * sigmoid(projected[4:])
            total += projected
        expected.append(total)
    close(module(*xs), expected)
