"""Perceptrons, streams of them, field weights and attended branches against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from formula_checks import (
    DIM,
    ROWS,
    TASKS,
    Array,
    N,
    built,
    close,
    drawn,
    relu,
    sigmoid,
    softmax,
    weights_of,
)

from automlrank.blocks import BLOCKS
from automlrank.blocks.parts.layers import MLP
from automlrank.blocks.ports import Fields, Vector


@pytest.mark.parametrize("dim", [4, 3])
def test_mlp_adds_what_a_layer_reads_where_the_widths_agree(dim: int) -> None:
    """The first layer's input has its width, or it has not."""
    module, x = built("mlp", Vector(dim), width=4, depth=3, residual=True), drawn(ROWS, dim)
    w, expected = list(weights_of(module).values()), []
    for state in x.numpy():
        for weight, bias in zip(w[::2], w[1::2], strict=True):
            out = relu(weight @ state + bias)
            state = state + out if len(state) == 4 else out
        expected.append(state)
    close(module(x), expected)


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh"])
def test_residual_layers_without_weights_are_the_identity(activation: str) -> None:
    module = built("mlp", Vector(4), width=4, depth=3, residual=True, activation=activation)
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    x = drawn(ROWS, 4)
    assert torch.equal(module(x), x)


@pytest.mark.parametrize(
    ("initialisation", "std", "peak"),
    [
        ("uniform", (1 / 3 / 800) ** 0.5, 800**-0.5),
        ("xavier", (2 / (800 + 200)) ** 0.5, (6 / (800 + 200)) ** 0.5),
        ("he", (2 / 800) ** 0.5, None),
    ],
)
def test_initialisation_has_the_spread_of_its_paper(
    initialisation: str, std: float, peak: float | None
) -> None:
    """160,000 weights: their deviation is known to 0.4 %; ``he`` is a normal, without a peak."""
    torch.manual_seed(0)
    module = BLOCKS["mlp"](width=200, depth=1, initialisation=initialisation).build(Vector(800))
    weight, bias = (parameter.detach() for parameter in module.parameters())
    assert abs(weight.mean()) < 0.01 * std
    assert weight.std() == pytest.approx(std, rel=0.01)
    assert (weight.abs().max() <= peak) if peak else (weight.abs().max() > 4 * std)
    assert bias.any() == (initialisation == "uniform")


@pytest.mark.parametrize("initialisation", ["xavier", "he"])
def test_initialisation_reaches_every_layer(initialisation: str) -> None:
    torch.manual_seed(0)
    module = MLP(400, 400, 3, batch_norm=True, initialisation=initialisation)
    spread = [p.std().item() for p in module.parameters() if p.dim() == 2]
    assert spread == pytest.approx([(2 / (800 if initialisation == "xavier" else 400)) ** 0.5] * 3,
                                   rel=0.02)  # fmt: skip


def field_gated(w: dict[str, Array], x: Array, temperature: float, batch_norm: bool) -> Array:
    shares, result = softmax(w["logits"] / temperature), np.zeros_like(x)
    for row in range(len(x)):
        for field in range(N):
            for d in range(DIM):
                value = x[row, field, d] * shares[field]
                if batch_norm:
                    mean, var = w["norm.running_mean"][d], w["norm.running_var"][d]
                    value = (value - mean) / np.sqrt(var + 1e-5 / N**2)
                    value = value * w["norm.weight"][d] + w["norm.bias"][d]
                result[row, field, d] = value
    return result


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_field_gate_weighs_fields_by_a_softmax(temperature: float, batch_norm: bool) -> None:
    module = built("field_gate", Fields(N, DIM), temperature=temperature, batch_norm=batch_norm)
    for name, buffer in module.named_buffers():
        if "running" in name:
            torch.nn.init.uniform_(buffer, 0.5, 1.5)
    x = drawn(ROWS, N, DIM)
    close(module(x), field_gated(weights_of(module), x.numpy(), temperature, batch_norm))


def test_field_gate_keeps_fields_as_large_as_one() -> None:
    """40 fields of 0.01 leave with a deviation of 1 along each axis, and not of 1/4000."""
    torch.manual_seed(0)
    gated = BLOCKS["field_gate"]().build(Fields(40, 4)).train()(0.01 * torch.randn(256, 40, 4))
    assert gated.std(dim=(0, 1)).tolist() == pytest.approx([1.0] * 4, rel=0.1)


def test_field_gate_follows_its_fields() -> None:
    """Fields and their logits in another order: the same weighted fields in that order."""
    module, x = built("field_gate", Fields(N, DIM)), drawn(ROWS, N, DIM)
    order, before = torch.tensor([3, 0, 4, 1, 2]), module(x)
    module.logits.data = module.logits.data[order]
    close(module(x[:, order]), before[:, order].detach().numpy())


BRANCHES = (Vector(3), Vector(1), Vector(5))


@pytest.mark.parametrize("branches", [BRANCHES, BRANCHES[2:]])
def test_attention_merge_weighs_branches_row_by_row(branches: tuple[Vector, ...]) -> None:
    """A branch of one row (the request's) counts for every row; a single branch counts whole."""
    module = built("attention", *branches, width=4, attention_width=6)
    xs = [drawn(1 if i == 1 else ROWS, port.dim, seed=i) for i, port in enumerate(branches)]
    w, expected = weights_of(module), []
    for row in range(ROWS):
        projected, scores = [], []
        for i, x in enumerate(xs):
            part = w[f"projections.{i}.weight"] @ x.numpy()[row if len(x) > 1 else 0]
            projected.append(part)
            if len(branches) > 1:
                hidden = relu(w["pool.score.0.weight"] @ part + w["pool.score.0.bias"])
                scores.append(float(w["pool.score.2.weight"][0] @ hidden))
        shares = softmax(scores) if scores else [1.0]
        expected.append(sum(share * part for share, part in zip(shares, projected, strict=True)))
    close(module(*xs), expected)


def test_attention_merge_does_not_know_the_order_of_branches() -> None:
    ports = (Vector(3), Vector(3), Vector(3))
    module, xs = built("attention", *ports, width=4), [drawn(ROWS, 3, seed=i) for i in range(3)]
    before = module(*xs)
    module.projections = torch.nn.ModuleList(module.projections[i] for i in (2, 0, 1))
    close(module(xs[2], xs[0], xs[1]), before.detach().numpy())


def stream(w: dict[str, Array], index: int, e: Array, depth: int, gates: bool) -> Array:
    """``MLP(2 sigmoid(W' relu(W c + b) + b') * e)``."""
    if gates:
        gate = f"gates.{index}.gate.layers"
        hidden = relu(w[f"{gate}.0.weight"] @ w[f"gates.{index}.given"][0] + w[f"{gate}.0.bias"])
        e = 2.0 * sigmoid(w[f"{gate}.2.weight"] @ hidden + w[f"{gate}.2.bias"]) * e
    for layer in range(depth):
        linear = f"streams.{index}.layers.{2 * layer}"
        e = relu(w[f"{linear}.weight"] @ e + w[f"{linear}.bias"])
    return e


def bilinear(one: Array, two: Array, weights: Array) -> float:
    """``sum_h one_h^T W_h two_h``; what lies behind a vector's end is zero."""
    total, (heads, rows, columns) = 0.0, weights.shape
    for h in range(heads):
        for i in range(rows):
            for j in range(columns):
                if h * rows + i < len(one) and h * columns + j < len(two):
                    total += one[h * rows + i] * weights[h, i, j] * two[h * columns + j]
    return total


@pytest.mark.parametrize("gates", [False, True])
@pytest.mark.parametrize(("widths", "heads"), [((6, 4), 2), ((5, 4), 1), ((5, 3), 2), ((2, 5), 4)])
def test_two_stream_and_a_linear_head_are_final_mlp(
    widths: tuple[int, int], heads: int, gates: bool
) -> None:
    """``b + w_1^T o_1 + w_2^T o_2 + sum_h o_1h^T W_h o_2h`` for each task, the head included."""
    module = built("two_stream", Fields(N, DIM), width=widths[0], depth=2, width_2=widths[1],
                   depth_2=1, heads=heads, gates=gates, gate_width=4)  # fmt: skip
    torch.manual_seed(5)
    head = torch.nn.Linear(sum(widths) + heads, TASKS).double()
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    v, bias = (parameter.detach().numpy() for parameter in head.parameters())
    for row in x.numpy():
        one, two = (stream(w, i, row.flatten(), depth, gates) for i, depth in enumerate((2, 1)))
        logits = []
        for task in range(TASKS):
            scaled = w["heads.weight"] * v[task, sum(widths) :, None, None]  # the task's W_h
            linear = v[task, : widths[0]] @ one + v[task, widths[0] : sum(widths)] @ two
            logits.append(bias[task] + linear + bilinear(one, two, scaled))
        expected.append(logits)
    close(head(module(x)), expected)


def test_two_stream_starts_with_every_entry_about_as_it_is() -> None:
    """The gates' factors begin near 1, and a gate is the same for every row."""
    torch.manual_seed(0)
    module = BLOCKS["two_stream"]().build(Fields(20, 16))
    for gate in module.gates:
        factors = gate(torch.ones(3, 320))
        assert torch.equal(factors[0], factors[2])
        assert 0.5 < factors.min() < factors.max() < 1.5


def test_two_stream_has_one_spelling_without_gates() -> None:
    idle = BLOCKS["two_stream"](gates=False, gate_width=8)
    assert idle.canonical() == BLOCKS["two_stream"](gates=False)
    gated = BLOCKS["two_stream"](gate_width=8)
    assert gated.canonical() == gated
