"""Balances against their formulas, and the laws that their papers state."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from automlrank.blocks import BLOCKS
from automlrank.blocks.balance.pareto import least_norm
from automlrank.blocks.ports import Labels

TASKS = 3


def labels(weights: tuple[float, ...] = (1.0,) * TASKS) -> Labels:
    n = len(weights)
    return Labels((-1,) * n, (0.5,) * n, (None,) * n, weights)


def losses_of(layer: Tensor, slopes: Tensor, levels: Tensor) -> Tensor:
    """Losses that are linear in a layer: their gradients are the rows of ``slopes``."""
    return slopes @ layer.flatten() + levels


def test_fixed_is_the_sum() -> None:
    assert BLOCKS["fixed"]().build(labels())(torch.tensor([0.5, 0.25, 1.0])) == 1.75


def test_fixed_takes_the_schemas_weights() -> None:
    module = BLOCKS["fixed"]().build(labels((1.0, 0.5, 2.0)))
    assert module(torch.tensor([0.5, 0.25, 1.0])) == 0.5 + 0.125 + 2.0


def test_uncertainty_is_its_formula_and_the_plain_sum_at_zero() -> None:
    module = BLOCKS["uncertainty"]().build(labels())
    losses = torch.tensor([0.5, 0.25, 1.0])
    assert module(losses) == losses.sum()
    assert torch.equal(module.weights, torch.ones(TASKS))
    s = [0.3, -1.0, 2.0]
    with torch.no_grad():
        module.learned.copy_(torch.tensor(s) / module.pace)
    expected = sum(loss * math.exp(-v) + v / 2 for loss, v in zip(losses.tolist(), s, strict=True))
    assert module(losses).item() == pytest.approx(expected)
    assert module.weights.tolist() == pytest.approx([math.exp(-v) for v in s])


def test_uncertainty_learns_the_losses_level() -> None:
    """The least value lies at ``exp(s) = 2 L``: a task's weight is ``1 / (2 L)``."""
    module = BLOCKS["uncertainty"]().build(labels())
    losses = torch.tensor([0.5, 0.25, 1.0])
    optimizer = torch.optim.Adam(module.parameters(), lr=0.005)
    for _ in range(500):
        optimizer.zero_grad()
        module(losses).backward()
        optimizer.step()
    assert module.weights.tolist() == pytest.approx([1.0, 2.0, 0.5], rel=1e-3)


def test_loss_scale_is_a_running_mean_in_a_loop() -> None:
    """A batch without rows of a task leaves its mean as it was; two steps are remembered."""
    module = BLOCKS["loss_scale"](memory=2).build(labels())
    steps = [[0.7, 0.1, 0.3], [0.5, 0.0, 0.3], [0.6, 0.2, 0.9], [0.1, 0.2, 0.4]]
    means, counts = [0.0] * TASKS, [0] * TASKS
    for losses in steps:
        for task, loss in enumerate(losses):
            if loss > 0:
                counts[task] += 1
                means[task] += (loss - means[task]) / min(counts[task], 2)
        inverse = [1 / m for m in means]
        weights = [TASKS * x / sum(inverse) for x in inverse]
        found = module(torch.tensor(losses))
        assert module.weights.tolist() == pytest.approx(weights)
        expected = sum(w * x for w, x in zip(weights, losses, strict=True))
        assert found.item() == pytest.approx(expected)


def test_loss_scale_waits_for_a_task_that_has_had_no_rows() -> None:
    module = BLOCKS["loss_scale"]().build(labels())
    assert module(torch.zeros(TASKS)) == 0.0
    assert torch.equal(module.weights, torch.ones(TASKS))
    module(torch.tensor([0.2, 0.0, 0.2]))
    assert module.weights.tolist() == pytest.approx([1.5, 0.0, 1.5])


def gradnorm_in_a_loop(
    weights: list[float], slopes: np.ndarray, losses: list[float], first: list[float]
) -> list[float]:
    """One step of the weights with alpha 1.2 and rate 0.05, by the paper's words."""
    n = len(weights)
    norms = [math.sqrt(sum(x * x for x in row)) for row in slopes]
    left = [now / then for now, then in zip(losses, first, strict=True)]
    pace = [x / (sum(left) / n) for x in left]
    sizes = [w * g for w, g in zip(weights, norms, strict=True)]
    target = [sum(sizes) / n * r**1.2 for r in pace]
    new = []
    for i in range(n):
        sign = (sizes[i] > target[i]) - (sizes[i] < target[i])
        new.append(weights[i] - 0.05 * sign * norms[i] / (sum(norms) / n))
    return [n * w / sum(new) for w in new]


def test_gradnorm_is_its_formula_and_its_weights_sum_to_the_tasks() -> None:
    torch.manual_seed(0)
    layer = torch.zeros(2, 4, requires_grad=True)
    slopes = torch.randn(TASKS, 8) * torch.tensor([[1.0], [5.0], [0.2]])
    module = BLOCKS["gradnorm"](alpha=1.2, rate=0.05).build(labels())
    module.watch([layer])
    first, weights = [0.7, 0.4, 0.1], [1.0] * TASKS
    for levels in ([0.7, 0.4, 0.1], [0.6, 0.35, 0.1], [0.5, 0.39, 0.02]):
        total = module(losses_of(layer, slopes, torch.tensor(levels)))
        expected = sum(w * x for w, x in zip(weights, levels, strict=True))
        assert total.item() == pytest.approx(expected, rel=1e-5)  # by the weights before the step
        weights = gradnorm_in_a_loop(weights, slopes.numpy(), levels, first)
        assert module.weights.tolist() == pytest.approx(weights, rel=1e-4)
        assert module.weights.sum().item() == pytest.approx(TASKS, rel=1e-6)


def test_gradnorm_evens_out_the_gradients() -> None:
    """At an equal pace and with alpha 0, ``w n`` becomes alike: weights go as ``1 / n``."""
    layer = torch.zeros(6, requires_grad=True)
    slopes = torch.eye(6)[:TASKS] * torch.tensor([[1.0], [2.0], [4.0]])
    module = BLOCKS["gradnorm"](alpha=0.0, rate=0.003).build(labels())
    module.watch([layer])
    for _ in range(2000):
        module(losses_of(layer, slopes, torch.ones(TASKS)))
        assert module.weights.min() > 0
    inverse = np.array([1.0, 0.5, 0.25])
    assert module.weights.tolist() == pytest.approx(TASKS * inverse / inverse.sum(), rel=0.03)


def test_gradnorm_without_a_gradient_stays_finite() -> None:
    """A batch in which no task has a row, and one where one has none."""
    layer = torch.ones(4, requires_grad=True)
    module = BLOCKS["gradnorm"]().build(labels())
    module.watch([layer])
    module((layer.sum() * 0.0).expand(TASKS))
    module(torch.stack([layer.sum(), layer.sum() * 0.0, layer[0]]))
    assert module.weights.isfinite().all()
    assert module.weights.sum().item() == pytest.approx(TASKS)


MOVING = [name for name in BLOCKS.of("balance") if BLOCKS[name].moves]


@pytest.mark.parametrize("name", MOVING)
def test_a_task_without_rows_leaves_the_others_alone(name: str) -> None:
    """Of four equal tasks the last has rows in one batch of ten: the others weigh the same and as
    much as if it were not there, and where it has rows it weighs about as much as they do."""
    module = BLOCKS[name]().build(labels((1.0,) * 4))
    layer = torch.zeros(4, requires_grad=True)
    if BLOCKS[name].reads_gradients:
        module.watch([layer])
    learned = list(module.parameters())
    optimizer = torch.optim.SGD(learned, lr=0.01) if learned else None
    for step in range(40):
        met = torch.tensor([1.0, 1.0, 1.0, float(step % 10 == 9)])
        loss = module((layer + 0.5) * met)
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        weights = module.weights.tolist()
        assert weights[0] == pytest.approx(weights[1], rel=1e-6)
        assert weights[0] > 0.24
        assert step % 10 != 9 or weights[3] == pytest.approx(weights[0], rel=0.4)
    assert loss.item() == pytest.approx(0.5 * sum(weights), rel=0.05)


def closed_form(a: np.ndarray, b: np.ndarray, least: float) -> float:
    """The first of two weights: ``(b - a) b / |a - b|^2``, within its bounds."""
    free = float((b - a) @ b / ((a - b) @ (a - b)))
    return min(max(free, least), 1 - least)


@pytest.mark.parametrize("least", [0.0, 0.2])
def test_two_tasks_have_the_closed_form(least: float) -> None:
    rng = np.random.default_rng(0)
    for scale in (1.0, 1e-4, 3e3):
        for _ in range(20):
            a, b = rng.normal(size=(2, 7)) * [[1.0], [scale]]
            gram = np.stack([a, b]) @ np.stack([a, b]).T
            weights = least_norm(torch.from_numpy(gram), least)
            first = closed_form(a, b, least)
            assert weights.tolist() == pytest.approx([first, 1 - first], abs=1e-7)


def test_opposed_gradients_are_weighted_by_each_others_length() -> None:
    """``g`` and ``-3 g``: three quarters of the first and the sum vanishes."""
    g = torch.tensor([[1.0, 2.0], [-3.0, -6.0]], dtype=torch.float64)
    weights = least_norm(g @ g.T, 0.0)
    assert weights.tolist() == pytest.approx([0.75, 0.25])
    assert (weights @ g).norm() < 1e-6


def test_no_task_is_hurt_to_first_order() -> None:
    """``g_i d >= |d|^2`` for every task, of ``d = sum w g``; the least norm of a fine grid."""
    rng = np.random.default_rng(1)
    for tasks in (2, 3, 5):
        for _ in range(20):
            g = rng.normal(size=(tasks, 6)) * rng.lognormal(size=(tasks, 1))
            weights = least_norm(torch.from_numpy(g @ g.T), 0.0).numpy()
            assert weights.sum() == pytest.approx(1.0)
            assert weights.min() >= -1e-12
            d = weights @ g
            assert (g @ d >= d @ d - 1e-4 * (g * g).sum(axis=1).max()).all()
            others = rng.dirichlet(np.ones(tasks), size=500) @ g
            assert (others * others).sum(axis=1).min() >= d @ d - 1e-9


def test_least_weights_are_kept() -> None:
    """Against every point of a grid of the three tasks' simplex above the bounds."""
    rng = np.random.default_rng(2)
    grid = [
        np.array([a, b, 1 - a - b])
        for a, b in itertools.product(np.linspace(0.1, 0.8, 71), repeat=2)
        if 1 - a - b >= 0.1
    ]
    for _ in range(10):
        g = rng.normal(size=(3, 4)) * rng.lognormal(size=(3, 1))
        weights = least_norm(torch.from_numpy(g @ g.T), 0.1).numpy()
        assert weights.min() >= 0.1 - 1e-9
        best = min(float((w @ g) @ (w @ g)) for w in grid)
        assert (weights @ g) @ (weights @ g) <= best + 1e-9


def test_pareto_weighs_the_losses_by_their_gradients_in_the_layer() -> None:
    """A step against ``d`` lowers each of two opposed, linear losses, or leaves it."""
    layer = torch.zeros(4, requires_grad=True)
    slopes = torch.tensor([[1.0, 0.5, 0.0, 0.0], [-2.0, 1.0, 0.0, 0.0]])
    module = BLOCKS["pareto"]().build(labels((1.0, 1.0)))
    module.watch([layer])
    before = losses_of(layer, slopes, torch.tensor([0.4, 0.6]))
    module(before).backward()
    first = closed_form(slopes[0].numpy(), slopes[1].numpy(), 0.0)
    assert module.weights.tolist() == pytest.approx([first, 1 - first])
    assert layer.grad is not None
    after = losses_of(layer - 0.01 * layer.grad, slopes, torch.tensor([0.4, 0.6]))
    assert (after <= before + 1e-9).all()


def test_pareto_without_gradients_weighs_alike() -> None:
    layer = torch.ones(4, requires_grad=True)
    module = BLOCKS["pareto"]().build(labels())
    module.watch([layer])
    module((layer.sum() * 0.0).expand(TASKS))
    assert module.weights.tolist() == pytest.approx([1 / TASKS] * TASKS)


def test_all_weights_are_equal_where_the_least_is_one() -> None:
    gram = torch.diag(torch.tensor([1.0, 5.0, 9.0], dtype=torch.float64))
    assert least_norm(gram, 1 / 3).tolist() == pytest.approx([1 / 3] * 3)
