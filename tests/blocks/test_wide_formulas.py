"""Cross products and FTRL-proximal against their formulas, a weight at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from formula_checks import TASKS, built, close, weights_of

from automlrank.blocks import BLOCKS
from automlrank.blocks.optimizer.ftrl import FtrlProximal
from automlrank.blocks.ports import Columns, Crosses, Targets

SIZES = (4, 6, 5)
IDS = torch.tensor([[3, 0, 2], [1, 5, 4], [3, 0, 2], [2, 2, 0]], dtype=torch.int32)
ALPHA, BETA, L1, L2 = 0.3, 0.5, 0.4, 0.2


def columns() -> Columns:
    return Columns(SIZES, 0, (), (), ())


def test_wide_has_a_weight_per_pair_of_ids() -> None:
    """Index ``a * size_b + b`` of the pair's own part of the table."""
    pairs = ((0, 1), (2, 0))
    module = built("wide", columns(), Crosses(pairs), Targets(TASKS))
    weight = weights_of(module)["weight"]
    assert len(weight) == 4 * 6 + 5 * 4
    expected = [weight[a * 6 + b] + weight[24 + c * 4 + a] for a, b, c in IDS.tolist()]
    close(module(IDS), expected)


@pytest.mark.parametrize(
    ("buckets", "pairs"), [(30, [(1, 2), (0, 1)]), (24, [(0, 1), (0, 2)]), (19, [(0, 2), (0, 1)])]
)
def test_wide_takes_the_largest_pairs_that_fit_where_none_are_named(
    buckets: int, pairs: list[tuple[int, int]]
) -> None:
    """Their products are 24, 20 and 30; where none fits, the smallest collide least."""
    module = built("wide", columns(), Crosses(()), Targets(TASKS), max_pairs=2, buckets=buckets)
    assert list(zip(module.first, module.second, strict=True)) == pairs


def test_wide_hashes_what_does_not_fit() -> None:
    """Few collide: 30 x 30 pairs in 500 buckets use nearly as many as chance would."""
    module = built(
        "wide", Columns((64, 64), 0, (), (), ()), Crosses(()), Targets(TASKS), buckets=500
    )
    assert module.weight.shape == (500, TASKS)
    grid = torch.cartesian_prod(torch.arange(30), torch.arange(30)).int()
    rows = {tuple(row) for row in module(grid).tolist()}
    assert len(rows) > 0.9 * 500 * (1 - math.exp(-900 / 500))


def plain_ftrl(gradients: np.ndarray, start: float) -> float:  # type: ignore[type-arg]
    """One weight, one gradient after the other."""
    n, w = 0.0, start
    z = -(w * (BETA / ALPHA + L2) + L1 * np.sign(w))
    for g in gradients:
        sigma = (math.sqrt(n + g * g) - math.sqrt(n)) / ALPHA
        z += g - sigma * w
        n += g * g
        rate = (BETA + math.sqrt(n)) / ALPHA + L2
        w = 0.0 if abs(z) <= L1 else -(z - np.sign(z) * L1) / rate
    return float(w)


@pytest.mark.parametrize("start", [0.0, 0.7])
@pytest.mark.parametrize("rows", [1, 3])
def test_ftrl_is_the_published_recursion(start: float, rows: int) -> None:
    gradients = np.random.default_rng(0).normal(size=(6, 5, 2))
    weight = torch.nn.Parameter(torch.full((5, 2), start, dtype=torch.double))
    ftrl = FtrlProximal([weight], ALPHA, BETA, L1, L2)
    ftrl.param_groups[0]["rows"] = rows
    for gradient in gradients:
        weight.grad = torch.from_numpy(gradient) / rows
        ftrl.step()
    flat = gradients.reshape(6, -1).T
    close(weight.flatten(), [plain_ftrl(each, start) for each in flat])


def test_sparse_gradients_train_as_dense_ones() -> None:
    """Rows that repeat in a batch are added up first; rows that rest stay."""
    dense, sparse = (torch.nn.Parameter(torch.zeros(6, 2)) for _ in range(2))
    optimizers = [FtrlProximal([weight], ALPHA, BETA, 0.01, L2) for weight in (dense, sparse)]
    draw = torch.Generator().manual_seed(0)
    for _ in range(5):
        rows = torch.randint(4, (8,), generator=draw)
        factor = torch.randn(8, 1, generator=draw)
        for weight, is_sparse in ((dense, False), (sparse, True)):
            weight.grad = None
            out = torch.nn.functional.embedding(rows, weight, sparse=is_sparse)
            (out * factor).sum().backward()
        assert sparse.grad is not None
        assert sparse.grad.is_sparse
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(sparse, dense)
    assert (sparse[4:] == 0).all()
    assert (sparse[:4] != 0).any()


def test_weak_evidence_leaves_exact_zeros() -> None:
    """A gradient within l1 gives zero, one beyond it does not; what had none does not count."""
    weight = torch.nn.Parameter(torch.zeros(4, 1))
    ftrl = FtrlProximal([weight], ALPHA, BETA, L1, L2)
    weight.grad = torch.tensor([[0.3], [-0.4], [0.5], [0.0]])
    ftrl.step()
    assert (weight == 0).flatten().tolist() == [True, True, False, True]
    assert ftrl.report() == {"zero_share": pytest.approx(2 / 3)}


def test_wide_names_ftrl_for_its_weights() -> None:
    block = BLOCKS["wide"](alpha=0.2, l1=3.0)
    assert block.optimizers() == {"weight": BLOCKS["ftrl"](alpha=0.2, l1=3.0)}
