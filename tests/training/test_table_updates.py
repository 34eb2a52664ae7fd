"""Tables by row: what dense updates and dense decay would give, at the cost of touched rows."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from test_loop import read
from torch import Tensor, nn
from torch.nn import functional as F

from automlrank.architecture import Architecture
from automlrank.data.dataset import Dataset
from automlrank.model.network import build_model
from automlrank.training import tables as module
from automlrank.training.loop import fit
from automlrank.training.tables import LookUps, Runs, Tables

ROWS, DIM = 40, 3
Maker = type[torch.optim.Optimizer]
OPTIMIZERS: list[Maker] = [torch.optim.Adam, torch.optim.Adagrad]


class Net(nn.Module):
    """A table read twice, and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Parameter(torch.randn(ROWS, DIM))
        self.head = nn.Linear(DIM, 1)

    def forward(self, ids: Tensor) -> Tensor:
        vectors = F.embedding(ids, self.table).sum(dim=1) + F.embedding(ids[:, 0], self.table)
        loss: Tensor = self.head(vectors).sigmoid().sum()
        return loss


class TableRun:
    """A net that learns by row or densely."""

    def __init__(self, by_row: bool, maker: Maker, l2: float, monkeypatch: Any) -> None:
        monkeypatch.setattr(module, "ROW_WISE_ROWS", 1 if by_row else ROWS + 1)
        self.net = Net()
        self.optimizer = maker(self.net.parameters(), lr=0.05)  # type: ignore[call-arg]
        self.tables = Tables(self.net, {"table": l2}, (), self.optimizer)
        assert bool(self.tables.scales) is by_row

    def step(self, ids: Tensor, share: float = 0.01) -> Tensor:
        """A step clipped to a norm of 1; gives the norm before."""
        with self.tables.look_ups():
            loss = self.net(ids)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        with self.tables.lent():
            norm = nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self.optimizer.step()
        self.tables.decay(share)
        return norm

    def weight(self) -> Tensor:
        self.tables.settle()
        return self.net.table.detach().clone()


@pytest.fixture
def pair(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[TableRun, TableRun]:
    maker, l2 = request.param
    by_row, densely = (TableRun(kind, maker, l2, monkeypatch) for kind in (True, False))
    return by_row, densely


@pytest.mark.parametrize("pair", [(maker, 3.0) for maker in OPTIMIZERS], indirect=True)
def test_rows_touched_each_step_learn_as_they_do_densely(pair: tuple[TableRun, TableRun]) -> None:
    """Adam and Adagrad; every row, in another order each step, some of them often."""
    by_row, densely = pair
    for _ in range(30):
        ids = torch.cat([torch.randperm(ROWS), torch.randint(ROWS, (20,))]).view(-1, 2)
        torch.testing.assert_close(by_row.step(ids), densely.step(ids))
    torch.testing.assert_close(by_row.weight(), densely.weight(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pair", [(torch.optim.Adagrad, l2) for l2 in (0.0, 5.0)], indirect=True)
def test_rows_that_rest_owe_exactly_their_decay(pair: tuple[TableRun, TableRun]) -> None:
    """A row rests for up to 400 steps; dense Adagrad leaves it alone too, so all must be equal."""
    by_row, densely = pair
    for i in range(400):
        ids = torch.randint(5 if i % 50 else ROWS // 2, (4, 2))
        torch.testing.assert_close(by_row.step(ids), densely.step(ids))
    torch.testing.assert_close(by_row.weight(), densely.weight(), rtol=1e-6, atol=1e-6)


def test_a_resting_row_shrinks_by_exp_l2_over_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 3 steps or in 300, lazily or not, and where the scale would leave float32."""
    for by_row in (True, False):
        for n, l2 in ((3, 0.7), (300, 0.7), (300, 30.0)):
            run = TableRun(by_row, torch.optim.Adam, l2, monkeypatch)
            before = run.weight()
            for _ in range(n):
                run.step(torch.zeros(2, 2, dtype=torch.int64), 1 / n)
            torch.testing.assert_close(run.weight()[1:], before[1:] * math.exp(-l2))
            for scale in run.tables.scales.values():
                assert scale == 1.0


def test_moments_of_resting_rows_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    run = TableRun(True, torch.optim.Adam, 0.0, monkeypatch)
    run.step(torch.tensor([[1, 2]]))
    first = {k: v.clone() for k, v in run.optimizer.state[run.net.table].items()}
    run.step(torch.tensor([[2, 3]]))
    after = run.optimizer.state[run.net.table]
    for key in ("exp_avg", "exp_avg_sq"):
        assert first[key].shape == (ROWS, DIM)
        assert torch.equal(first[key][1], after[key][1])
        assert not torch.equal(first[key][2], after[key][2])
        assert not after[key][4:].any()


def test_sums_are_those_of_coalesce() -> None:
    ids, values = torch.randint(7, (50,)), torch.randn(50, 4)
    gradient = torch.sparse_coo_tensor(ids[None], values, (9, 4), check_invariants=True)
    runs, expected = Runs.of(ids), gradient.coalesce()
    assert torch.equal(runs.rows, expected.indices()[0])
    torch.testing.assert_close(runs.sums(values), expected.values())


def trained(architecture: Architecture, data: Dataset) -> list[dict[str, Tensor]]:
    """The weights at each quarter of an epoch and at the end."""
    model, weights = build_model(architecture, data.schema, 0), []
    rows = data.rows["train"]
    for progress in fit(model, architecture, data, seed=0):
        if progress.rows * 4 // rows > len(weights):
            weights.append({name: p.detach().clone() for name, p in model.named_parameters()})
    return [*weights, model.state_dict()]


OWN = "{mlp: {width: 8}, fields: [user_id, item_id], embedding: own}"


def test_all_tables_of_a_plan_have_sparse_gradients(dataset: Dataset) -> None:
    """A branch's own and an encoder's own, as the columns'; each row is one that was read."""
    architecture = read("bf16: false", f"{{parallel: [fm, {OWN}]}}, history: can")
    model = build_model(architecture, dataset.schema, 0)
    assert len(model.plan.tables) == 4
    with LookUps({}):
        model(next(dataset.batches("train", 8))).sum().backward()
    for name in model.plan.tables:
        table = model.get_parameter(name)
        assert table.grad is not None
        assert table.grad.is_sparse, name
        assert 0 < table.grad.coalesce().indices().shape[1] < len(table), name


@pytest.mark.parametrize(("history", "clip"), [("din", 10.0), ("din", 0.01), ("can", 10.0)])
def test_a_model_learns_by_row_as_it_does_densely(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, history: str, clip: float
) -> None:
    """Columns, bags, histories, a branch's and an encoder's own tables, main effects; Adagrad."""
    training = f"batch_size: 64, learning_rate: 0.05, optimizer: adagrad, epochs: 2, bf16: false, gradient_clip: {clip}"  # noqa: E501
    architecture = read(training, f"{{parallel: [linear, fm, {OWN}]}}, history: {history}")
    found = []
    for rows in (1, 10**9):
        monkeypatch.setattr(module, "ROW_WISE_ROWS", rows)
        found.append(trained(architecture, dataset))
    assert len(found[0]) > 4
    for by_row, densely in zip(*found, strict=True):
        for name, weight in by_row.items():
            torch.testing.assert_close(weight, densely[name], rtol=1e-4, atol=1e-5)
