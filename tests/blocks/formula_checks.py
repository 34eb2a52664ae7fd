"""Modules with known weights, and the small functions that the formulas are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from automlrank.blocks import BLOCKS

Array = NDArray[Any]


ROWS, N, DIM, TASKS = 4, 5, 3, 2


def built(name: str, *ports: Any, **knobs: Any) -> Any:
    """The block's module in double precision, every parameter drawn anew."""
    torch.manual_seed(3)
    block = BLOCKS[name](**knobs).inherited({"dropout": 0.0, "batch_norm": False})
    module = block.build(*ports).double().eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def weights_of(module: torch.nn.Module) -> dict[str, Array]:
    return {name: value.detach().numpy() for name, value in module.state_dict().items()}


def close(actual: torch.Tensor, expected: Any) -> None:
    np.testing.assert_allclose(actual.detach().numpy(), np.asarray(expected), rtol=1e-5, atol=1e-5)


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def softmax(x: Any) -> Array:
    powers = np.exp(np.asarray(x) - np.max(x))
    return np.asarray(powers / powers.sum())


def tower(w: dict[str, Array], x: Array, index: int) -> Array:
    """One of the networks side by side, two layers deep."""
    for layer in range(2):
        x = relu(x @ w[f"weights.{layer}"][index] + w[f"biases.{layer}"][index, 0])
    return x


def under(w: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): value for name, value in w.items() if prefix in name}


def dense(w: dict[str, Array], name: str, x: Array) -> Array:
    return np.asarray(w[f"{name}.weight"] @ x + w.get(f"{name}.bias", 0.0))


def gate(w: dict[str, Array], name: str, given: Array) -> Array:
    """``sigmoid(W' relu(W c + b) + b')``."""
    hidden = relu(dense(w, f"{name}.layers.0", given))
    return sigmoid(dense(w, f"{name}.layers.2", hidden))


def shares(w: dict[str, Array], name: str, index: int, x: Array) -> Array:
    """One gate over experts, linear or with a hidden layer."""
    if f"{name}.hidden.weights.0" in w:
        weights, biases = w[f"{name}.hidden.weights.0"], w[f"{name}.hidden.biases.0"]
        x = relu(x @ weights[index] + biases[index, 0])
    return softmax(x @ w[f"{name}.weight"][index])
