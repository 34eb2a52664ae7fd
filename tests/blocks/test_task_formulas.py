"""Task structures against their formulas, row by row and expert by expert."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from formula_checks import (
    DIM,
    ROWS,
    TASKS,
    Array,
    built,
    close,
    dense,
    drawn,
    gate,
    relu,
    shares,
    softmax,
    tower,
    under,
    weights_of,
)

from automlrank.blocks.ports import FIRST_ID, Context, Scenario, Targets, Vector

WIDTH = 4
every_gate = pytest.mark.parametrize("gate_width", [0, 5])


def test_shared_bottom_is_the_same_for_every_task() -> None:
    module, x = built("shared_bottom", Vector(DIM), Targets(TASKS), width=WIDTH), drawn(ROWS, DIM)
    bottom = [relu(dense(weights_of(module), "bottom.layers.0", row)) for row in x.numpy()]
    close(module(x), [[row] * TASKS for row in bottom])


def experts_of(w: dict[str, Array], row: Array, n: int) -> list[Array]:
    return [tower(under(w, "experts."), row, e) for e in range(n)]


def mixed(weights: Array, experts: list[Array]) -> Array:
    return np.asarray(sum(weight * expert for weight, expert in zip(weights, experts, strict=True)))


def test_omoe_mixes_the_experts_for_all_tasks_alike() -> None:
    module = built("omoe", Vector(DIM), Targets(TASKS), experts=3, width=WIDTH, depth=2)
    x, w, expected = drawn(ROWS, DIM), weights_of(module), []
    for row in x.numpy():
        expected.append([mixed(shares(w, "gate", 0, row), experts_of(w, row, 3))] * TASKS)
    close(module(x), expected)


@every_gate
def test_mmoe_mixes_the_experts_for_each_task(gate_width: int) -> None:
    module = built("mmoe", Vector(DIM), Targets(TASKS), experts=3, width=WIDTH, depth=2,
                   gate_width=gate_width)  # fmt: skip
    x, w, expected = drawn(ROWS, DIM), weights_of(module), []
    for row in x.numpy():
        experts = experts_of(w, row, 3)
        expected.append([mixed(shares(w, "gates", t, row), experts) for t in range(TASKS)])
    close(module(x), expected)


def test_poso_mmoe_masks_the_experts_by_the_context() -> None:
    module = built("poso_mmoe", Vector(DIM), Targets(TASKS), Context(2, DIM), experts=3,
                   width=WIDTH, depth=2, scale=1.5)  # fmt: skip
    x, context, w = drawn(ROWS, DIM), drawn(ROWS, 2, DIM, seed=1), weights_of(module)
    expected = []
    for row, c in zip(x.numpy(), context.numpy(), strict=True):
        masks, experts = gate(w, "mask", c.flatten()), experts_of(w, row, 3)
        masked = [1.5 * mask * expert for mask, expert in zip(masks, experts, strict=True)]
        expected.append([mixed(shares(w, "gates", t, row), masked) for t in range(TASKS)])
    close(module(x, context), expected)


def extracted(w: dict[str, Array], states: list[Array], shared: int, own: int) -> list[Array]:
    """One level of one row: the shared state first, then the tasks'; two layers an expert."""
    of_all = [tower(under(w, "shared."), states[0], e) for e in range(shared)]
    of_tasks = [
        [tower(under(w, "own."), states[1 + t], t * own + e) for e in range(own)]
        for t in range(TASKS)
    ]
    result = []
    if "shared_gate.weight" in w:
        everyone = of_all + [expert for experts in of_tasks for expert in experts]
        result.append(mixed(shares(w, "shared_gate", 0, states[0]), everyone))
    for t in range(TASKS):
        result.append(mixed(shares(w, "gates", t, states[1 + t]), of_all + of_tasks[t]))
    return result


@every_gate
@pytest.mark.parametrize(("name", "levels"), [("cgc", 1), ("ple", 2), ("ple", 3)])
def test_cgc_and_ple_extract_level_by_level(name: str, levels: int, gate_width: int) -> None:
    knobs = {"levels": levels} if name == "ple" else {}
    module = built(name, Vector(DIM), Targets(TASKS), shared=2, own=3, width=WIDTH, depth=2,
                   gate_width=gate_width, **knobs)  # fmt: skip
    x, w, expected = drawn(ROWS, DIM), weights_of(module), []
    for row in x.numpy():
        states = [row] * (1 + TASKS)
        for level in range(levels):
            states = extracted(under(w, f"levels.{level}."), states, 2, 3)
        assert len(states) == TASKS
        expected.append(states)
    close(module(x), expected)


def reached(parameter: Any) -> list[bool]:
    """Along the first axis, where a gradient is not exactly zero."""
    return [bool(gradient.any()) for gradient in parameter.grad]


@pytest.mark.parametrize("task", range(TASKS))
def test_no_gradient_of_another_task_reaches_a_tasks_own_experts(task: int) -> None:
    """Exactly none in experts and gates; the task itself and the shared experts have theirs."""
    own = 3
    module = built("cgc", Vector(DIM), Targets(TASKS), shared=2, own=own, width=8)
    module(drawn(64, DIM))[:, task].sum().backward()
    level = module.levels[0]
    mine = [t == task for t in range(TASKS)]
    for parameter in (*level.own.weights, *level.own.biases):
        assert reached(parameter) == [is_mine for is_mine in mine for _ in range(own)]
    assert reached(level.gates.weight) == mine
    assert all(reached(level.shared.weights[0]))


def test_the_shared_bottom_of_ple_is_what_tasks_meet_in() -> None:
    """In the lower level a task reaches the others' experts, in the last one it does not."""
    module = built("ple", Vector(DIM), Targets(TASKS), shared=1, own=1, width=8)
    module(drawn(64, DIM))[:, 0].sum().backward()
    of_levels = [reached(level.own.weights[0]) for level in module.levels]
    assert of_levels == [[True, True], [True, False]]


KNOWLEDGE = 3


def m2m() -> Any:
    return built("m2m", Vector(DIM), Targets(TASKS), Scenario(FIRST_ID + 2, KNOWLEDGE), experts=3,
                 width=WIDTH, depth=2, meta_depth=2)  # fmt: skip


def meta(w: dict[str, Array], name: str, s: Array, x: Array) -> Array:
    """``relu(W x + b)`` with ``W, b`` reshaped from ``V s + v``, entry by entry."""
    made = [w[f"{name}.shared"][k] + s @ w[f"{name}.special"][:, k]
            for k in range(len(x) * WIDTH + WIDTH)]  # fmt: skip
    result = np.array(made[len(x) * WIDTH :])
    for i, value in enumerate(x):
        for j in range(WIDTH):
            result[j] += value * made[i * WIDTH + j]
    return relu(result)


def test_m2m_attends_and_goes_on_with_weights_of_the_scenario() -> None:
    module = m2m()
    x, s = drawn(ROWS, DIM), drawn(ROWS, KNOWLEDGE, seed=1)
    ids = torch.tensor([FIRST_ID, FIRST_ID + 1, FIRST_ID - 1, 0])  # the last two were not seen
    w, expected = weights_of(module), []
    for row in range(ROWS):
        known = s.numpy()[row] * (ids[row].item() >= FIRST_ID)
        experts, of_tasks = experts_of(w, x.numpy()[row], 3), []
        for t in range(TASKS):
            pairs = [np.concatenate([expert, w["tasks"][0, t, 0]]) for expert in experts]
            scores = [meta(w, "attend", known, pair) @ w["score"][:, 0] for pair in pairs]
            state = mixed(softmax(scores), experts)
            for layer in range(2):
                state = relu(meta(w, f"tower.{layer}", known, state) + state)
            of_tasks.append(state)
        expected.append(of_tasks)
    close(module(x, s, ids), expected)


def test_an_unseen_scenario_has_the_weights_that_all_share() -> None:
    """Whatever its vector, and exactly those of a scenario whose vector is zero."""
    module, x, s = m2m(), drawn(ROWS, DIM), drawn(ROWS, KNOWLEDGE)
    unseen, known = torch.full((ROWS,), FIRST_ID - 1), torch.full((ROWS,), FIRST_ID)
    assert torch.equal(module(x, s, unseen), module(x, -s, unseen))
    assert torch.equal(module(x, s, unseen), module(x, torch.zeros_like(s), known))
    assert not torch.equal(module(x, s, unseen), module(x, s, known))
