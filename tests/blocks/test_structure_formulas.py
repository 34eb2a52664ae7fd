"""Towers, scenarios, tasks and merges against their formulas, row by row."""

from __future__ import annotations

from typing import Any

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
    tower,
    under,
    weights_of,
)

from automlrank.blocks.ports import (
    FIRST_ID,
    Context,
    Fields,
    Scenario,
    Targets,
    Vector,
)


def ppnet() -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor]:
    module = built("ppnet", Vector(4), Context(2, DIM), Fields(N, DIM), width=5, depth=2)
    return module, drawn(ROWS, 4), drawn(ROWS, 2, DIM, seed=1), drawn(ROWS, N, DIM, seed=2)


def test_ppnet_gates_the_input_of_every_layer() -> None:
    module, x, context, fields = ppnet()
    w, expected = weights_of(module), []
    for row in range(ROWS):
        state = x.numpy()[row]
        given = np.concatenate([context.numpy()[row].flatten(), fields.numpy()[row].flatten()])
        for layer in range(2):
            gate, linear = f"gates.{layer}.layers", f"layers.{layer}.layers.0"
            hidden = relu(w[f"{gate}.0.weight"] @ given + w[f"{gate}.0.bias"])
            factor = 2.0 * sigmoid(w[f"{gate}.2.weight"] @ hidden + w[f"{gate}.2.bias"])
            state = relu(w[f"{linear}.weight"] @ (state * factor) + w[f"{linear}.bias"])
        expected.append(state)
    close(module(x, context, fields), expected)


def test_ppnet_sends_no_gradient_into_the_fields() -> None:
    """Exactly none through the gates; the context and the input have theirs."""
    module, x, context, fields = ppnet()
    for tensor in (x, context, fields):
        tensor.requires_grad_()
    module(x, context, fields).sum().backward()
    assert fields.grad is None or not fields.grad.any()
    assert x.grad is not None
    assert x.grad.any()
    assert context.grad is not None
    assert context.grad.any()


@pytest.mark.parametrize("mode", ["sum", "gated"])
def test_scenario_towers_add_the_scenario_to_what_is_shared(mode: str) -> None:
    """Ids below FIRST_ID were not seen in training: they have the shared part only."""
    module = built("scenario_towers", Vector(DIM), Scenario(FIRST_ID + 2, 4), width=4, depth=2,
                   mode=mode)  # fmt: skip
    ids = torch.tensor([FIRST_ID, FIRST_ID + 1, 0, FIRST_ID - 1])
    x, w, expected = drawn(ROWS, DIM), weights_of(module), []
    for row, place in zip(x.numpy(), ids.tolist(), strict=True):
        shared = row
        for layer in (0, 2):
            linear = f"shared.layers.{layer}"
            shared = relu(w[f"{linear}.weight"] @ shared + w[f"{linear}.bias"])
        if place < FIRST_ID:
            expected.append(shared)
            continue
        own = tower(under(w, "towers."), row, place - FIRST_ID)
        if mode == "sum":
            expected.append(shared + own)
        else:
            gate = sigmoid(w["gate.weight"] @ row + w["gate.bias"])
            expected.append((1 - gate) * shared + gate * own)
    close(module(x, ids), expected)


def test_a_scenario_does_not_train_the_others() -> None:
    module = built("scenario_towers", Vector(DIM), Scenario(FIRST_ID + 3, 4), width=4)
    module(drawn(ROWS, DIM), torch.full((ROWS,), FIRST_ID + 1)).sum().backward()
    touched = module.towers.weights[0].grad.abs().sum(dim=(1, 2)) > 0
    assert touched.tolist() == [False, True, False]


def test_shared_bottom_is_the_same_for_every_task() -> None:
    module, x = built("shared_bottom", Vector(DIM), Targets(TASKS), width=4), drawn(ROWS, DIM)
    w = weights_of(module)
    bottom = [
        relu(w["bottom.layers.0.weight"] @ row + w["bottom.layers.0.bias"]) for row in x.numpy()
    ]
    close(module(x), [[row] * TASKS for row in bottom])


def test_mmoe_mixes_the_experts_for_each_task() -> None:
    n = 3
    module = built("mmoe", Vector(DIM), Targets(TASKS), experts=n, width=4, depth=2)
    x, w, expected = drawn(ROWS, DIM), weights_of(module), []
    for row in x.numpy():
        experts = [tower(under(w, "experts."), row, e) for e in range(n)]
        mixed = []
        for task in range(TASKS):
            shares = softmax(w["gates.weight"][task * n : (task + 1) * n] @ row)
            mixed.append(sum(shares[e] * experts[e] for e in range(n)))
        expected.append(mixed)
    close(module(x), expected)


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
