"""History encoders against their formulas, one behaviour at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from formula_checks import (
    DIM,
    ROWS,
    built,
    close,
    drawn,
    sigmoid,
    softmax,
    weights_of,
)

from automlrank.blocks.ports import (
    History,
)


def masks() -> torch.Tensor:
    return torch.arange(6) < torch.tensor([[6], [3], [1], [0]])


def test_mean_pool_counts_real_behaviours_only() -> None:
    module, keys, mask = built("mean_pool", History(DIM, 6)), drawn(ROWS, 6, DIM), masks()
    expected = []
    for row in range(ROWS):
        real = [keys.numpy()[row, t] for t in range(6) if mask[row, t]]
        expected.append(sum(real, np.zeros(DIM)) / max(len(real), 1))
    close(module(keys, mask), expected)


@pytest.mark.parametrize("softmax_on", [False, True])
def test_din_scores_each_behaviour_against_the_target(softmax_on: bool) -> None:
    module = built("din", History(DIM, 6), width=4, depth=2, softmax=softmax_on)
    keys, target, mask = drawn(ROWS, 6, DIM), drawn(ROWS, DIM, seed=1), masks()
    w, expected = weights_of(module), []
    for row in range(ROWS):
        q, result, scores = target.numpy()[row], np.zeros(DIM), []
        real = [keys.numpy()[row, t] for t in range(6) if mask[row, t]]
        for k in real:
            state = np.concatenate([q, k, q - k, q * k])
            for linear in ("meet.joint", "unit.1.layers.0"):
                state = sigmoid(w[f"{linear}.weight"] @ state + w[f"{linear}.bias"])
            bias = 0.0 if softmax_on else w["score.bias"][0]
            scores.append(w["score.weight"][0] @ state + bias)
        shares = softmax(scores) if softmax_on and scores else scores
        for share, k in zip(shares, real, strict=True):
            result += share * k
        expected.append(result)
    close(module(keys, target, mask), expected)
