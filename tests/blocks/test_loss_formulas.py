"""Losses against loops over rows, over labels that are there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from formula_checks import ROWS, TASKS, close, drawn, sigmoid
from torch import Tensor

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.ports import Labels

PLAIN = Labels((-1,) * TASKS, (0.25,) * TASKS, (None,) * TASKS, (1.0,) * TASKS)
LABELS = torch.tensor([[1, torch.nan], [0, 1], [torch.nan, 0], [1, 0]]).double()
WEIGHT = torch.tensor([1.0, 2.0, 0.5, 0.0]).double()
Row = Callable[[float, float], float]


def loss_of(block: Block, labels: Labels = PLAIN) -> torch.nn.Module:
    module: torch.nn.Module = block.build(labels)
    return module


def mean_of(row: Row, logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> list[float]:
    """The weighted mean of a row's loss, given its label and its logit, for each task."""
    means = []
    for task in range(labels.shape[1]):
        total = count = 0.0
        for i in range(len(labels)):
            y, z = float(labels[i, task]), float(logits[i, task])
            if not math.isnan(y):
                w = 1.0 if weight is None else float(weight[i])
                total += w * row(y, z)
                count += w
        means.append(total / count)
    return means


def entropy(y: float, z: float, w1: float = 1.0, w0: float = 1.0) -> float:
    p = float(sigmoid(np.array(z)))
    return -(w1 * y * math.log(p) + w0 * (1 - y) * math.log(1 - p))


def focal(y: float, z: float, gamma: float, alpha: float) -> float:
    p = float(sigmoid(np.array(z)))
    p, a = (p, alpha) if y == 1 else (1 - p, 1 - alpha)
    return -a * (1 - p) ** gamma * math.log(p)


ROW_LOSSES: dict[str, tuple[Block, Row]] = {
    "bce": (BLOCKS["bce"](), entropy),
    "esmm": (BLOCKS["esmm"](), entropy),
    "weighted": (
        BLOCKS["weighted_bce"](w1=3.0, w0=0.5, prior=False),
        lambda y, z: entropy(y, z, 3.0, 0.5),
    ),
    "weighted, prior": (  # a quarter of the labels are positive
        BLOCKS["weighted_bce"](w1=3.0, w0=1.0, prior=True),
        lambda y, z: entropy(y, z, 3.0 / (2 * 0.25), 1.0 / (2 * 0.75)),
    ),
    "focal": (BLOCKS["focal"](gamma=1.5, alpha=0.3), lambda y, z: focal(y, z, 1.5, 0.3)),
    "focal, prior": (
        BLOCKS["focal"](gamma=2.0, prior=True),
        lambda y, z: focal(y, z, 2.0, 0.75),
    ),
    "focal without focus": (
        BLOCKS["focal"](gamma=0.0, alpha=0.5),
        lambda y, z: 0.5 * entropy(y, z),
    ),
    "mse": (BLOCKS["mse"](), lambda y, z: (float(sigmoid(np.array(z))) - y) ** 2),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ROW_LOSSES)
def test_a_loss_is_the_mean_over_labelled_rows(name: str, weighted: bool) -> None:
    block, row = ROW_LOSSES[name]
    logits, weight = drawn(ROWS, TASKS), WEIGHT if weighted else None
    expected = mean_of(row, logits, LABELS, weight)
    close(loss_of(block)(logits, LABELS, weight), expected)


@pytest.mark.parametrize("name", ROW_LOSSES)
def test_no_rows_are_zero_and_have_a_gradient(name: str) -> None:
    """However far the logits are; the task with rows has a finite gradient that is not zero."""
    logits = (1e4 * drawn(ROWS, TASKS)).requires_grad_()
    near = (logits * 1e-4) if name in ("mse",) else logits
    labels = torch.full((ROWS, TASKS), torch.nan).double()
    labels[:, 0] = 1.0
    losses = loss_of(ROW_LOSSES[name][0])(near, labels, None)
    losses.sum().backward()
    assert losses[1] == 0.0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert not logits.grad[:, 1].any()
    assert logits.grad[:, 0].any()


@pytest.mark.parametrize("name", ["bce", "weighted_bce", "focal", "mse"])
def test_a_task_after_another_counts_where_the_other_happened(name: str) -> None:
    """Not where the parent's label is 0 or null: then the child's is as if it were null."""
    labels = torch.tensor([[1, 1], [0, 1], [torch.nan, 0], [1, 0]]).double()
    masked = torch.tensor([[1, 1], [0, torch.nan], [torch.nan, torch.nan], [1, 0]]).double()
    child = Labels((-1, 0), (0.5, 0.5), (None, None), (1.0, 1.0))
    logits, block = drawn(ROWS, TASKS), BLOCKS[name]()
    plain = Labels((-1, -1), (0.5, 0.5), (None, None), (1.0, 1.0))
    close(
        loss_of(block, child)(logits, labels, WEIGHT),
        loss_of(block, plain)(logits, masked, WEIGHT),
    )


def test_the_entire_space_counts_every_labelled_row() -> None:
    child = Labels((-1, 0), (0.5, 0.5), (None, None), (1.0, 1.0))
    logits = drawn(ROWS, TASKS)
    close(loss_of(BLOCKS["esmm"](), child)(logits, LABELS, None), mean_of(entropy, logits, LABELS))


@pytest.mark.parametrize("name", ["bce", "weighted_bce", "focal", "mse"])
def test_a_regression_task_has_the_squared_error_under_every_loss(name: str) -> None:
    """In units of the label's variance; the binary task beside it has its own loss."""
    mixed = Labels((-1, -1), (0.25, 0.25), (None, 20.0), (1.0, 1.0))
    labels = torch.tensor([[1, 300.0], [0, torch.nan], [0, -4000.0], [1, 0.5]]).double()
    logits = drawn(ROWS, TASKS).requires_grad_()
    losses = loss_of(BLOCKS[name](), mixed)(logits, labels, WEIGHT)
    squares = mean_of(lambda y, z: ((y - z) / 20.0) ** 2, logits.detach(), labels, WEIGHT)
    binary = loss_of(BLOCKS[name]())(logits.detach(), labels[:, :1].expand(-1, 2), WEIGHT)
    close(losses.detach(), [float(binary[0]), squares[1]])
    losses.sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", [name for name in ROW_LOSSES if "prior" not in name])
def test_down_sampled_negatives_are_odds_of_the_first_task_and_weights_of_the_others(
    name: str,
) -> None:
    """By a loop: the first task at ``z - log w``, others with ``1 / w`` for its kept negatives."""
    w = 0.25
    block, row = ROW_LOSSES[name]
    kept = Labels((-1, -1), (0.5, 0.5), (None, None), (1.0, 1.0), negatives=w)
    logits = drawn(ROWS, TASKS)
    first = mean_of(row, logits - math.log(w), LABELS[:, :1], WEIGHT)
    stands = torch.where(LABELS[:, 0] == 0, WEIGHT / w, WEIGHT)
    other = mean_of(row, logits[:, 1:], LABELS[:, 1:], stands)
    close(loss_of(block, kept)(logits, LABELS, WEIGHT), [*first, *other])


def test_the_other_tasks_losses_are_those_of_all_rows_on_the_mean() -> None:
    """Over every pair of two of four negatives that may be kept, weights and losses summed."""
    labels = torch.tensor([[0, 1], [0, 0], [0, torch.nan], [0, 1], [1, 1], [torch.nan, 0]]).double()
    kept = Labels((-1, -1), (0.5, 0.5), (None, None), (1.0, 1.0), negatives=0.5)
    module, logits = loss_of(BLOCKS["bce"](), kept), drawn(6, 2)
    whole = torch.tensor(mean_of(entropy, logits[:, 1:], labels[:, 1:]))
    total = count = 0.0
    for pair in itertools.combinations(range(4), 2):
        rows = torch.tensor([*pair, 4, 5])
        found = module(logits[rows], labels[rows], None)[1]
        standing = sum(2.0 for i in pair if not labels[i, 1].isnan()) + 2
        total, count = total + float(found) * standing, count + standing
    assert total / count == pytest.approx(float(whole))


def test_weights_of_one_are_the_plain_loss() -> None:
    """One spelling of one function: the architectures are equal."""
    assert BLOCKS["weighted_bce"](prior=False).canonical() == BLOCKS["bce"]()
    assert BLOCKS["weighted_bce"](prior=True).canonical().name == "weighted_bce"
    assert BLOCKS["focal"](prior=True, alpha=0.3).canonical() == BLOCKS["focal"](prior=True)
