"""Gates and interactions against their papers' formulas, as plain loops over numpy arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from formula_checks import (
    DIM,
    ROWS,
    TASKS,
    N,
    built,
    close,
    drawn,
    relu,
    sigmoid,
    softmax,
    weights_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from automlrank.blocks import BLOCKS
from automlrank.blocks.parts.layers import MLP
from automlrank.blocks.ports import (
    Columns,
    Fields,
    Statistics,
    Targets,
)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_senet_weighs_fields_by_their_means(activation: str) -> None:
    module = built("senet", Fields(N, DIM), reduction=2, activation=activation)
    x, w = drawn(ROWS, N, DIM), weights_of(module)
    last = relu if activation == "relu" else sigmoid
    expected = []
    for row in x.numpy():
        means = np.array([sum(field) / DIM for field in row])
        weights = last(w["excite.2.weight"] @ relu(w["excite.0.weight"] @ means))
        expected.append([weights[i] * row[i] for i in range(N)])
    close(module(x), expected)


def test_fm_is_the_sum_over_pairs() -> None:
    module = built("fm", Fields(N, DIM), Targets(TASKS))
    x, w = drawn(ROWS, N, DIM), weights_of(module)
    pairs = [sum(row[i] @ row[j] for i in range(N) for j in range(i)) for row in x.numpy()]
    close(module(x), [[pair * scale for scale in w["scale"]] for pair in pairs])


@settings(max_examples=20)
@given(order=st.permutations(range(N)), seed=st.integers(0, 1000))
def test_fm_does_not_know_the_order_of_fields(order: list[int], seed: int) -> None:
    module, x = built("fm", Fields(N, DIM), Targets(TASKS)), drawn(ROWS, N, DIM, seed=seed)
    close(module(x[:, order]), module(x).detach().numpy())


def test_linear_adds_a_weight_per_value() -> None:
    """Ids by their column's offset, ``w x``, ``w . v`` or the null's weight, the bag's pool."""
    columns = Columns((4, 6), 2, (5, 7), ("mean", "sum"), (3, 1))
    module = built("linear", columns, Targets(TASKS))
    ids = torch.tensor([[3, 0], [1, 5], [2, 2]], dtype=torch.int32)
    numbers = torch.tensor([[0.5, torch.nan], [torch.nan, torch.nan], [-2.0, 1.0]]).double()
    bags = [torch.tensor([[1, 3, 0], [4, 4, 4], [0, 0, 0]]), torch.tensor([[6, 0], [0, 0], [1, 2]])]
    vectors = [drawn(3, size, seed=size) for size in columns.vectors]
    vectors[0][1] = torch.nan
    w, expected = weights_of(module), np.zeros((3, TASKS))
    for row in range(3):
        for column, offset in enumerate((0, 4)):
            expected[row] += w["weight"][offset + int(ids[row, column])]
        for column in range(2):
            x = float(numbers[row, column])
            null, per_unit = w["null_weight"][column], w["number_weight"][column]
            expected[row] += null if np.isnan(x) else x * per_unit
        for bag, offset, pool in zip(bags, (10, 15), columns.pools, strict=True):
            real = [int(i) for i in bag[row] if i > 0]
            total = sum(w["weight"][offset + i] for i in real)
            expected[row] += total / max(len(real), 1) if pool == "mean" else total
        for column, vector in enumerate(vectors):
            v, of = vector[row].numpy(), f"projections.{column}"
            expected[row] += w[f"{of}.null"] if np.isnan(v).any() else w[f"{of}.weight"] @ v
    close(module(ids, numbers, bags, vectors), expected)


def test_linear_trains_only_what_a_row_holds() -> None:
    """No gradient is NaN beside nulls, and padding has none."""
    module = built("linear", Columns((4,), 1, (5,), ("sum",), (2,)), Targets(TASKS))
    bag, nulls = torch.tensor([[2, 0]]), torch.full((1, 2), torch.nan).double()
    module(torch.tensor([[3]]), nulls[:, :1], [bag], [nulls]).sum().backward()
    rows = module.weight.grad.abs().sum(dim=1).nonzero().flatten().tolist()
    assert rows == [3, 4 + 2]
    assert module.number_weight.grad.abs().sum() == 0.0
    assert (module.null_weight.grad == 1.0).all()
    assert module.projections[0].weight.grad.abs().sum() == 0.0
    assert (module.projections[0].null.grad == 1.0).all()


def test_cin_crosses_every_map_with_every_field() -> None:
    maps, layers = 4, 3
    module = built("cin", Fields(N, DIM), maps=maps, layers=layers)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    for x0 in x.numpy():
        before, pooled = x0, []
        for layer in range(layers):
            weight, state = w[f"weights.{layer}"], np.zeros((maps, DIM))
            for h in range(maps):
                for i in range(len(before)):
                    for j in range(N):
                        state[h] += weight[h, i, j] * before[i] * x0[j]
            pooled.extend(state.sum(axis=1))
            before = state
        expected.append(pooled)
    close(module(x), expected)


def test_autoint_attends_per_head_and_adds_a_residual() -> None:
    heads, width, layers = 2, 3, 2
    module = built("autoint", Fields(N, DIM), heads=heads, width=width, layers=layers)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    for e in x.numpy():
        for layer in range(layers):
            q, k, v, r = (
                e @ w[f"layers.{layer}.{part}.weight"].T
                for part in ("query", "key", "value", "residual")
            )
            met = np.zeros((N, heads * width))
            for head in range(heads):
                part = slice(head * width, (head + 1) * width)
                for i in range(N):
                    shares = softmax([q[i, part] @ k[j, part] for j in range(N)])
                    met[i, part] = sum(shares[j] * v[j, part] for j in range(N))
            e = relu(met + r)
        expected.append(e.flatten())
    close(module(x), expected)


def test_mlp_without_layers_has_one_spelling() -> None:
    one, two = BLOCKS["mlp"](depth=0, width=8, activation="tanh"), BLOCKS["mlp"](depth=0)
    assert one.canonical() == two.canonical()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_mlp_is_linear_norm_activation(batch_norm: bool) -> None:
    torch.manual_seed(0)
    module = MLP(DIM, 4, 2, "tanh", batch_norm).double().eval()
    x, w = drawn(ROWS, DIM), weights_of(module)
    step = 3 if batch_norm else 2
    expected = []
    for row in x.numpy():
        state = row
        for layer in range(2):
            state = w[f"layers.{step * layer}.weight"] @ state
            if batch_norm:
                state = state / np.sqrt(1 + 1e-5)
            else:
                state = state + w[f"layers.{step * layer}.bias"]
            state = np.tanh(state)
        expected.append(state)
    close(module(x), expected)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("buckets", [0, 4])
def test_rate_fields_are_standardised_numbers_times_vectors_or_vectors_of_buckets(
    buckets: int, is_training: bool
) -> None:
    """By the batch in training, later by what the batches had on average."""
    module = built("rate_fields", Statistics(N, DIM), buckets=buckets).train(is_training)
    module.norm.running_mean += 3.0
    module.norm.running_var *= 25.0
    x, vectors = 5 * drawn(ROWS, N) + 3, weights_of(module)["vectors"]
    rows = x.double().numpy()
    mean, var = (rows.mean(axis=0), rows.var(axis=0)) if is_training else (3.0, 25.0)
    expected = [
        [
            vectors[j, min(max(int(np.floor((s / 3 + 1) / 2 * 4)), 0), 3)]
            if buckets
            else s * vectors[j, 0]
            for j, s in enumerate(row)
        ]
        for row in (rows - mean) / np.sqrt(var + 0.1)
    ]
    close(module(x), expected)


def test_a_count_that_hardly_varies_is_not_many_deviations_away() -> None:
    """New rows count more than training rows do by log 1.25: here where ids have a row each."""
    module = built("rate_fields", Statistics(1, DIM)).train()
    for _ in range(100):
        module(torch.zeros(ROWS, 1).double())
    vector = module.vectors.detach()[0, 0]
    new = module.eval()(torch.full((1, 1), float(np.log(1.25)), dtype=torch.float64))[0, 0]
    assert (new / vector).abs().max() < 0.8


def test_rate_logit_trusts_a_rate_by_its_count() -> None:
    columns = 3
    module = built("rate_logit", Statistics(columns * (TASKS + 1), 0), Targets(TASKS))
    x, w = drawn(ROWS, columns * (TASKS + 1)), weights_of(module)
    expected = []
    for row in x.numpy():
        logits = []
        for task in range(TASKS):
            total = sum(value * w["weight"][j, task] for j, value in enumerate(row))
            for c in range(columns):
                rate, count = row[c * (TASKS + 1) + task], row[c * (TASKS + 1) + TASKS]
                total += rate * count * w["trust"][c, task]
            logits.append(10 * total)
        expected.append(logits)
    close(module(x), expected)


def test_rate_logit_starts_as_the_mean_of_the_tasks_own_rates() -> None:
    module = BLOCKS["rate_logit"]().build(Statistics(2 * (TASKS + 1), 0), Targets(TASKS)).double()
    x = drawn(ROWS, 2 * (TASKS + 1))
    close(module(x), x.view(ROWS, 2, TASKS + 1)[:, :, :TASKS].mean(dim=1).numpy())
