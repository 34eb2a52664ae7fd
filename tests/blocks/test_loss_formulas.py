"""Losses and balances against their formulas, over labels that are there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from formula_checks import (
    ROWS,
    TASKS,
    close,
    drawn,
    sigmoid,
)

from automlrank.blocks import BLOCKS


@pytest.mark.parametrize("weighted", [False, True])
def test_bce_is_the_mean_over_labelled_rows(weighted: bool) -> None:
    module, logits = BLOCKS["bce"]().build(), drawn(ROWS, TASKS)
    labels = torch.tensor([[1, torch.nan], [0, 1], [torch.nan, 0], [1, 0]]).double()
    weight = torch.tensor([1.0, 2.0, 0.5, 0.0]).double() if weighted else None
    expected = []
    for task in range(TASKS):
        total = count = 0.0
        for row in range(ROWS):
            y, p = float(labels[row, task]), float(sigmoid(logits.numpy()[row, task]))
            if not np.isnan(y):
                w = float(weight[row]) if weight is not None else 1.0
                total -= w * (y * np.log(p) + (1 - y) * np.log(1 - p))
                count += w
        expected.append(total / count)
    close(module(logits, labels, weight), expected)


def test_bce_of_no_rows_is_zero_and_has_a_gradient() -> None:
    logits = (1e4 * drawn(ROWS, TASKS)).requires_grad_()
    labels = torch.full((ROWS, TASKS), torch.nan).double()
    labels[:, 0] = 1.0
    losses = BLOCKS["bce"]().build()(logits, labels, None)
    losses.sum().backward()
    assert losses[1] == 0.0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert not logits.grad[:, 1].any()
    assert logits.grad[:, 0].any()


def test_fixed_balance_is_the_sum() -> None:
    assert BLOCKS["fixed"]().build()(torch.tensor([0.5, 0.25, 1.0])) == 1.75
