"""Cross networks and instance masks against their formulas, row by row and layer by layer."""

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
    drawn,
    relu,
    sigmoid,
    softmax,
    weights_of,
)

from automlrank.blocks import BLOCKS
from automlrank.blocks.ports import Fields, Vector

LAYERS = 3


def test_cross_net_multiplies_its_input_by_a_number_of_each_row() -> None:
    """``x0 (w^T x) + b + x``."""
    module, x = built("cross_net", Vector(DIM), layers=LAYERS), drawn(ROWS, DIM)
    w, expected = weights_of(module), []
    for x0 in x.numpy():
        state = x0
        for layer in range(LAYERS):
            inner = sum(w["weights"][layer][j] * state[j] for j in range(DIM))
            state = x0 * inner + w["biases"][layer] + state
        expected.append(state)
    close(module(x), expected)


@pytest.mark.parametrize("name", ["cross_net", "cross_net_v2", "cross_net_mix", "gated_cross"])
def test_crosses_of_small_embeddings_survive_bfloat16(name: str) -> None:
    """What is added to the input is right to 2 %, however small it is beside the input."""
    module, x = built(name, Vector(DIM)).float(), 0.01 * drawn(ROWS, DIM).float()
    with torch.no_grad():
        for key, parameter in module.named_parameters():
            parameter *= 0.0 if "bias" in key else 1.0
        crosses = module(x) - x
        with torch.autocast("cpu", torch.bfloat16):
            rounded = module(x) - x
    assert (rounded - crosses).norm() < 0.02 * crosses.norm()


@pytest.mark.parametrize("rank", [0, 2])
def test_cross_net_v2_multiplies_by_its_input(rank: int) -> None:
    """``x0 * (W x + b) + x``, W of full rank or the product of two factors."""
    module, x = built("cross_net_v2", Vector(DIM), layers=LAYERS, rank=rank), drawn(ROWS, DIM)
    w, expected = weights_of(module), []
    for x0 in x.numpy():
        state = x0
        for layer in range(LAYERS):
            if rank:
                low = w[f"crosses.{layer}.0.weight"] @ state
                crossed = w[f"crosses.{layer}.1.weight"] @ low + w[f"crosses.{layer}.1.bias"]
            else:
                crossed = w[f"crosses.{layer}.weight"] @ state + w[f"crosses.{layer}.bias"]
            state = x0 * crossed + state
        expected.append(state)
    close(module(x), expected)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["cross_net", "cross_net_v2"])
def test_cross_layers_are_a_polynomial_of_degree_one_more(name: str, layers: int) -> None:
    """In a factor on the input: its differences end after ``layers + 1``, and not before."""
    module, x = built(name, Vector(DIM), layers=layers), drawn(1, DIM)
    values = np.stack([module(x * t).detach().numpy() for t in np.linspace(0, 1, layers + 4)])
    last = np.abs(np.diff(values, n=layers + 1, axis=0)).max()
    assert last > 1e-6
    assert np.abs(np.diff(values, n=layers + 2, axis=0)).max() < 1e-9 * max(last, 1.0)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("experts", [1, 3])
def test_cross_net_mix_weighs_low_rank_crosses_by_a_softmax(experts: int, activation: str) -> None:
    """``sum_i softmax(G x)_i x0 * (U_i g(C_i g(V_i^T x)) + b) + x``."""
    rank, g = 2, np.tanh if activation == "tanh" else relu
    module = built("cross_net_mix", Vector(DIM), layers=LAYERS, experts=experts, rank=rank,
                   activation=activation)  # fmt: skip
    x, w, expected = drawn(ROWS, DIM), weights_of(module), []
    for x0 in x.numpy():
        state = x0
        for layer in range(LAYERS):
            of = f"layers.{layer}"
            shares = softmax(w[f"{of}.gate.weight"] @ state) if experts > 1 else [1.0]
            mixed = np.zeros(DIM)
            for i in range(experts):
                part = slice(i * rank, (i + 1) * rank)
                low = g(w[f"{of}.core"][i] @ g(w[f"{of}.down.weight"][part] @ state))
                crossed = w[f"{of}.up.weight"][:, part] @ low + w[f"{of}.up.bias"]
                mixed += shares[i] * (x0 * crossed)
            state = mixed + state
        expected.append(state)
    close(module(x), expected)


def test_one_linear_expert_of_full_rank_is_a_layer_of_cross_net_v2() -> None:
    """With ``W = U C V^T`` and the same bias."""
    mix = built("cross_net_mix", Vector(DIM), layers=1, experts=1, rank=DIM, activation="identity")
    v2, x = built("cross_net_v2", Vector(DIM), layers=1), drawn(ROWS, DIM)
    layer = mix.layers[0]
    v2.crosses[0].weight.data = layer.up.weight @ layer.core[0] @ layer.down.weight
    v2.crosses[0].bias.data = layer.up.bias.data
    close(mix(x), v2(x).detach().numpy())


def test_a_mixture_of_equal_experts_is_one_of_them() -> None:
    """Whatever the gate says: its shares sum to one, for the bias too."""
    knobs: dict[str, Any] = {"layers": 1, "rank": 2}
    many = built("cross_net_mix", Vector(DIM), experts=4, **knobs)
    one, x = built("cross_net_mix", Vector(DIM), experts=1, **knobs), drawn(ROWS, DIM)
    layer, alone = many.layers[0], one.layers[0]
    layer.down.weight.data = alone.down.weight.repeat(4, 1)
    layer.core.data = alone.core.repeat(4, 1, 1)
    layer.up.weight.data = alone.up.weight.repeat(1, 4)
    layer.up.bias.data = alone.up.bias.data
    close(many(x), one(x).detach().numpy())


def test_gated_cross_lets_part_of_each_cross_through() -> None:
    """``x0 * (W x + b) * sigmoid(W_g x) + x``."""
    module, x = built("gated_cross", Vector(DIM), layers=LAYERS), drawn(ROWS, DIM)
    w, expected = weights_of(module), []
    for x0 in x.numpy():
        state = x0
        for layer in range(LAYERS):
            crossed = w[f"crosses.{layer}.weight"] @ state + w[f"crosses.{layer}.bias"]
            state = x0 * crossed * sigmoid(w[f"gates.{layer}.weight"] @ state) + state
        expected.append(state)
    close(module(x), expected)


def test_a_gate_of_zeros_halves_the_crosses_of_cross_net_v2() -> None:
    gated, x = built("gated_cross", Vector(DIM), layers=LAYERS), drawn(ROWS, DIM)
    v2 = built("cross_net_v2", Vector(DIM), layers=LAYERS)
    for gate, cross, whole in zip(gated.gates, gated.crosses, v2.crosses, strict=True):
        torch.nn.init.zeros_(gate.weight)
        whole.weight.data, whole.bias.data = cross.weight / 2, cross.bias / 2
    close(gated(x), v2(x).detach().numpy())


def layer_norm(x: Array) -> Array:
    return np.asarray((x - x.mean()) / np.sqrt(x.var() + 1e-5))


def normed_fields(w: dict[str, Array], row: Array) -> Array:
    """Each field by its own mean and deviation, with its own gain and bias."""
    fields = [layer_norm(row[i]) * w["norm.gain"][i] + w["norm.bias"][i] for i in range(N)]
    return np.concatenate(fields)


def mask_block(w: dict[str, Array], of: str, e: Array, h: Array) -> Array:
    aggregated = relu(w[f"{of}.mask.0.weight"] @ e + w[f"{of}.mask.0.bias"])
    mask = w[f"{of}.mask.2.weight"] @ aggregated + w[f"{of}.mask.2.bias"]
    normed = layer_norm(w[f"{of}.dense.weight"] @ (mask * h))
    return relu(normed * w[f"{of}.norm.weight"] + w[f"{of}.norm.bias"])


@pytest.mark.parametrize("structure", ["serial", "parallel"])
def test_masked_multiplies_what_a_layer_reads_by_a_mask_of_the_embeddings(structure: str) -> None:
    """``relu(LN(W (mask(e) * h)))``: h is the block before, or in parallel the normed fields."""
    module = built("masked", Fields(N, DIM), blocks=3, width=4, reduction=1.5, structure=structure)
    x, w, expected = drawn(ROWS, N, DIM), weights_of(module), []
    for row in x.numpy():
        e, h, outs = row.flatten(), normed_fields(w, row), []
        for i in range(3):
            outs.append(mask_block(w, f"blocks.{i}", e, h))
            h = outs[-1] if structure == "serial" else h
        expected.append(outs[-1] if structure == "serial" else np.concatenate(outs))
    close(module(x), expected)


def test_a_mask_is_wider_inside_by_the_reduction() -> None:
    """By what it masks: all embeddings in the first of a series, the width in the others."""
    module = BLOCKS["masked"](blocks=2, width=8, reduction=1.5).build(Fields(N, 4))
    assert [block.mask[0].out_features for block in module.blocks] == [30, 12]


def test_a_mask_of_ones_leaves_a_layer_between_norms() -> None:
    """``relu(LN(W LN_fields(e)))``."""
    module, x = built("masked", Fields(N, DIM), blocks=1, width=4), drawn(ROWS, N, DIM)
    torch.nn.init.zeros_(module.blocks[0].mask[2].weight)
    torch.nn.init.ones_(module.blocks[0].mask[2].bias)
    w, expected = weights_of(module), []
    for row in x.numpy():
        normed = layer_norm(w["blocks.0.dense.weight"] @ normed_fields(w, row))
        expected.append(relu(normed * w["blocks.0.norm.weight"] + w["blocks.0.norm.bias"]))
    close(module(x), expected)


def test_one_mask_has_one_spelling() -> None:
    parallel = BLOCKS["masked"](blocks=1, structure="parallel")
    assert parallel.canonical() == BLOCKS["masked"](blocks=1)
    two = BLOCKS["masked"](blocks=2, structure="parallel")
    assert two.canonical() == two
