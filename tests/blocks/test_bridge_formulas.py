"""The bridge against its formula, row by row and layer by layer."""

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
    softmax,
    weights_of,
)

from automlrank.blocks import BLOCKS
from automlrank.blocks.ports import (
    Fields,
)


def regulate(w: dict[str, Array], prefix: str, x: Array, temperature: float | None) -> Array:
    """All rows: a softmax weight per field, then the norm with its running statistics."""
    if temperature is None:
        return x
    shares = softmax(w[f"{prefix}.logits"] / temperature)
    result = np.zeros_like(x)
    for field in range(N):
        for d in range(DIM):
            unit = field * DIM + d
            mean, var = w[f"{prefix}.norm.running_mean"][d], w[f"{prefix}.norm.running_var"][d]
            normed = (x[:, unit] * shares[field] - mean) / np.sqrt(var + 1e-5 / N**2)
            result[:, unit] = normed * w[f"{prefix}.norm.weight"][d] + w[f"{prefix}.norm.bias"][d]
    return result


def fuse_streams(w: dict[str, Array], prefix: str, fuse: str, x: Array, h: Array) -> Array:
    """One row."""
    if fuse == "add":
        return x + h
    if fuse == "hadamard":
        return x * h
    if fuse == "concat":
        return relu(w[f"{prefix}.mix.weight"] @ np.concatenate([x, h]) + w[f"{prefix}.mix.bias"])
    score = f"{prefix}.pool.score"
    scores = [
        (w[f"{score}.2.weight"] @ relu(w[f"{score}.0.weight"] @ s + w[f"{score}.0.bias"]))[0]
        for s in (x, h)
    ]
    shares = softmax(scores)
    return np.asarray(shares[0] * x + shares[1] * h)


@pytest.mark.parametrize("temperature", [None, 0.5])
@pytest.mark.parametrize("fuse", ["add", "hadamard", "concat", "attention"])
def test_bridge_fuses_its_streams_after_every_layer(fuse: str, temperature: float | None) -> None:
    layers = 3
    knobs: dict[str, Any] = {"regulation": False}
    if temperature is not None:
        knobs = {"regulation": True, "temperature": temperature}
    module = built("bridge", Fields(N, DIM), layers=layers, fuse=fuse, **knobs)
    for name, buffer in module.named_buffers():
        if "running" in name:
            torch.nn.init.uniform_(buffer, 0.5, 1.5)
    x, w = drawn(ROWS, N, DIM), weights_of(module)
    fused = x.numpy().reshape(ROWS, -1)
    x0 = regulate(w, "cross_gates.0", fused, temperature)
    for level in range(layers):
        cross_in = regulate(w, f"cross_gates.{level}", fused, temperature)
        dense_in = regulate(w, f"dense_gates.{level}", fused, temperature)
        cross, dense = np.zeros_like(fused), np.zeros_like(fused)
        fused = np.zeros_like(fused)
        for row in range(ROWS):
            inner = w[f"layers.{level}.cross.weight.weight"][0] @ cross_in[row]
            cross[row] = x0[row] * inner + w[f"layers.{level}.cross.bias"] + cross_in[row]
            dense[row] = relu(w[f"layers.{level}.dense.0.weight"] @ dense_in[row]
                              + w[f"layers.{level}.dense.0.bias"])  # fmt: skip
            fused[row] = fuse_streams(w, f"layers.{level}.fuse", fuse, cross[row], dense[row])
    close(module(x), np.concatenate([cross, dense, fused], axis=1))


def test_bridge_regulation_keeps_the_signal_alive() -> None:
    """Three products of streams weighed by 1/40 each, from embeddings as small as at the start."""
    torch.manual_seed(0)
    block = BLOCKS["bridge"](layers=3, fuse="hadamard", regulation=True)
    module = block.build(Fields(40, 4)).train()
    fused = module(0.01 * torch.randn(64, 40, 4))[:, -160:]
    assert fused.std() > 1e-3


def test_bridge_regulation_can_choose_between_fields() -> None:
    """The batch norm that follows does not divide the weights out again."""
    torch.manual_seed(0)
    module = BLOCKS["bridge"](layers=1, regulation=True).build(Fields(N, DIM)).train()
    x = torch.randn(64, N, DIM)
    module.cross_gates[0].logits.data[0] = 3.0
    gated = module.cross_gates[0](x)
    assert gated[:, 0].std() > 5.0 * gated[:, 1:].std()


def test_an_idle_temperature_has_one_spelling() -> None:
    assert BLOCKS["bridge"](temperature=0.1).canonical() == BLOCKS["bridge"]()
    regulated = BLOCKS["bridge"](regulation=True, temperature=0.1)
    assert regulated.canonical() == regulated
