"""What the context and the scenario change: gates, towers and scenario towers, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from formula_checks import (
    DIM,
    ROWS,
    Array,
    N,
    built,
    close,
    dense,
    drawn,
    gate,
    relu,
    sigmoid,
    tower,
    under,
    weights_of,
)

from automlrank.blocks.ports import FIRST_ID, Context, Fields, Scenario, Vector

GIVEN = 4


def gated_tower(name: str) -> tuple[Any, torch.Tensor, torch.Tensor]:
    knobs = {"scale": 1.5} if name == "poso" else {}
    module = built(name, Vector(GIVEN), Context(2, DIM), width=5, depth=2, **knobs)
    return module, drawn(ROWS, GIVEN), drawn(ROWS, 2, DIM, seed=1)


def test_ppnet_gates_the_input_of_every_layer() -> None:
    module, x, context = gated_tower("ppnet")
    w, expected = weights_of(module), []
    for row in range(ROWS):
        state = x.numpy()[row]
        given = np.concatenate([context.numpy()[row].flatten(), state])
        for layer in range(2):
            factor = 2.0 * gate(w, f"gates.{layer}", given)
            state = relu(dense(w, f"layers.{layer}.layers.0", state * factor))
        expected.append(state)
    close(module(x, context), expected)


@pytest.mark.parametrize("name", ["lhuc", "poso"])
def test_lhuc_and_poso_scale_the_units_of_every_layer(name: str) -> None:
    module, x, context = gated_tower(name)
    w, expected = weights_of(module), []
    for row in range(ROWS):
        state, given = x.numpy()[row], context.numpy()[row].flatten()
        for layer in range(2):
            if name == "poso":
                factor = 1.5 * gate(w, f"gates.{layer}", given)
            else:
                factor = 2.0 * sigmoid(dense(w, f"amplitudes.{layer}", given))
            state = factor * relu(dense(w, f"layers.{layer}.layers.0", state))
        expected.append(state)
    close(module(x, context), expected)


def epnet() -> tuple[Any, torch.Tensor, torch.Tensor]:
    module = built("epnet", Fields(N, DIM), Scenario(FIRST_ID + 2, 3), width=6)
    return module, drawn(ROWS, N, DIM), drawn(ROWS, 3, seed=1)


def test_epnet_gates_every_entry_by_the_scenario_and_the_fields() -> None:
    """An id that training did not see counts as a vector of zeros."""
    module, x, scenario = epnet()
    ids = torch.tensor([FIRST_ID, FIRST_ID + 1, FIRST_ID - 1, 0])
    w, expected = weights_of(module), []
    for row in range(ROWS):
        fields = x.numpy()[row].flatten()
        s = scenario.numpy()[row] * (ids[row].item() >= FIRST_ID)
        factors = 2.0 * gate(w, "gate", np.concatenate([s, fields]))
        expected.append((fields * factors).reshape(N, DIM))
    close(module(x, scenario, ids), expected)


def gradients_of_factors(module: Any, gates: Any, *inputs: torch.Tensor) -> list[Any]:
    """What reaches the inputs through the gates' factors alone: None is no path at all."""
    factors: list[torch.Tensor] = []
    for each in gates:
        each.register_forward_hook(lambda _, __, factor: factors.append(factor))
    given = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
    module(*given)
    leaves = [x for x in given if x.requires_grad]
    total = sum(factor.sum() for factor in factors)
    return list(torch.autograd.grad(total, leaves, allow_unused=True))


def test_no_gradient_flows_into_the_fields_through_epnets_gate() -> None:
    module, x, scenario = epnet()
    ids = torch.full((ROWS,), FIRST_ID)
    fields, of_scenario = gradients_of_factors(module, [module.gate], x, scenario, ids)
    assert fields is None
    assert of_scenario.any()


def test_no_gradient_flows_into_the_vector_through_ppnets_gates() -> None:
    """Not even by the layers below a gate: the context alone is trained by it."""
    module, x, context = gated_tower("ppnet")
    vector, of_context = gradients_of_factors(module, module.gates, x, context)
    assert vector is None
    assert of_context.any()
    x.grad = None
    module(x, context).sum().backward()
    assert x.grad is not None
    assert x.grad.any()


def towers_of(mode: str, groups: int = 0, scenarios: int = 3) -> Any:
    return built("scenario_towers", Vector(DIM), Scenario(FIRST_ID + scenarios, 4), width=4,
                 depth=2, mode=mode, groups=groups)  # fmt: skip


def shared_tower(w: dict[str, Array], row: Array) -> Array:
    for layer in (0, 2):
        row = relu(dense(w, f"shared.layers.{layer}", row))
    return row


def star_tower(w: dict[str, Array], row: Array, place: int | None) -> Array:
    """Shared weights times own ones, shared biases plus own ones; None has the shared alone."""
    for layer in range(2):
        weight, bias = w[f"towers.weights.{layer}"][0], w[f"towers.biases.{layer}"][0, 0]
        if place is not None:
            weight = weight * w[f"towers.own_weights.{layer}"][place]
            bias = bias + w[f"towers.own_biases.{layer}"][place, 0]
        row = relu(row @ weight + bias)
    return row


@pytest.mark.parametrize("groups", [0, 2])
@pytest.mark.parametrize("mode", ["sum", "gated", "star"])
def test_scenario_towers_add_the_scenario_to_what_is_shared(mode: str, groups: int) -> None:
    """Ids below FIRST_ID were not seen: the shared part only. Of two groups, the second holds
    every scenario but the most frequent."""
    module = towers_of(mode, groups)
    ids = torch.tensor([FIRST_ID, FIRST_ID + 2, 0, FIRST_ID - 1])
    x, w, expected = drawn(ROWS, DIM), weights_of(module), []
    for row, number in zip(x.numpy(), ids.tolist(), strict=True):
        place = number - FIRST_ID if number >= FIRST_ID else None
        if place and groups:
            place = 1
        if mode == "star":
            expected.append(star_tower(w, row, place))
            continue
        shared = shared_tower(w, row)
        own = 0.0 if place is None else tower(under(w, "towers."), row, place)
        if place is None or mode == "sum":
            expected.append(shared + own)
        else:
            share = sigmoid(dense(w, "gate", row))
            expected.append((1 - share) * shared + share * own)
    close(module(x, ids), expected)


def test_a_star_begins_as_one_tower_for_all() -> None:
    torch.manual_seed(0)
    module = type(towers_of("star"))(DIM, 3, FIRST_ID, "star", 4, 2, "relu", 0.0)
    x = torch.randn(ROWS, DIM)
    seen, unseen = torch.arange(FIRST_ID, FIRST_ID + 3), torch.zeros(3, dtype=torch.int32)
    assert torch.equal(module(x[:3], seen), module(x[:3], unseen))


@pytest.mark.parametrize("mode", ["sum", "star"])
def test_a_scenario_does_not_train_the_others(mode: str) -> None:
    module = towers_of(mode)
    module(drawn(64, DIM), torch.full((64,), FIRST_ID + 1)).sum().backward()
    weights = module.towers.own_weights if mode == "star" else module.towers.weights
    touched = weights[0].grad.abs().sum(dim=(1, 2)) > 0
    assert touched.tolist() == [False, True, False]
